"""The quarantine: what could not be read as a log record, with its place, a reason and its first bytes.

It lies beside the table, in Parquet files of its own, and is committed before the table is. A run that dies in
between leaves values here that the next run finds again, so they are read distinct.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from logminer.model import IngestRun
from logminer.store.storage import Storage

FOLDER = "quarantine"

QUARANTINE_REASONS: dict[str, str] = {
    "invalid_json": "not JSON",
    "invalid_utf8": "bytes that are not UTF-8",
    "cut_off": "a value that begins and does not end",
    "not_an_object": "JSON, but not an object",
    "not_a_record": "an object with none of a log record's fields",
    "no_timestamp": "no time in the record, the object's name or its folder",
    "too_deep": "JSON that is nested too deep",
    "too_large": "a value of more than 256 MiB",
    "gzip_damaged": "damaged gzip data; the rest of the object is lost",
    "gzip_cut_off": "gzip data that ends too early; the rest of the object is lost",
    "gzip_trailing_garbage": "bytes after the gzip data that are not gzip",
    "gzip_bomb": "gzip data that grows beyond all measure; the rest of the object was not read",
    "empty_object": "an object without any value",
}


class QuarantinedValue(msgspec.Struct, frozen=True, array_like=True):
    """One quarantined value. `object_records` says how many records the same object gave."""

    source_uri: str
    source_position: int
    reason: str
    raw: bytes
    object_records: int
    source_etag: str
    source_size: int


def write_quarantine(storage: Storage, run: IngestRun, values: Sequence[QuarantinedValue]) -> None:
    """Keep `values` in one new file; nothing is written for none."""
    if not values:
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    stamp = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "source_uri": pa.array([value.source_uri for value in values], pa.string()),
            "source_position": pa.array([value.source_position for value in values], pa.int64()),
            "reason": pa.array([value.reason for value in values], pa.string()),
            "raw": pa.array([value.raw for value in values], pa.binary()),
            "object_records": pa.array([value.object_records for value in values], pa.int64()),
            "source_etag": pa.array([value.source_etag for value in values], pa.string()),
            "source_size": pa.array([value.source_size for value in values], pa.int64()),
            "ingest_id": pa.array([run.ingest_id] * len(values), pa.string()),
            "ingested_at": pa.array([run.started_us] * len(values), stamp),
        }
    )
    with storage.open_output(f"{FOLDER}/{run.ingest_id}-{uuid.uuid4().hex[:12]}.parquet") as stream:
        pq.write_table(table, stream, compression="zstd", write_statistics=["source_uri"])


def quarantine_files(storage: Storage) -> list[str]:
    """The files of the quarantine, as DuckDB takes them."""
    return [storage.path(name) for name in storage.list_names(FOLDER) if name.endswith(".parquet")]
