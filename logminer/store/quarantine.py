"""The quarantine: what could not be read as a log record, with its place, a reason and its first bytes.

It lies beside the table, in Parquet files of its own, and is committed before the table is. A run that dies in
between leaves values here that the next run finds again, so they are read distinct.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from logminer.model import IngestRun
from logminer.sources import LogObject
from logminer.store.duck import fetch_rows, scan_files
from logminer.store.storage import Storage
from logminer.store.table import DataFile

FOLDER = "quarantine"
_MAX_HELD_BYTES = 8 << 20
# What a value holds beside its bytes.
_VALUE_OVERHEAD_BYTES = 300

QUARANTINE_REASONS: dict[str, str] = {
    "invalid_json": "not JSON",
    "invalid_utf8": "bytes that are not UTF-8",
    "cut_off": "a value that begins and does not end",
    "not_an_object": "JSON, but not an object",
    "not_a_record": "an object with none of a log record's fields",
    "no_timestamp": "no time in the record, the object's name or its folder",
    "too_deep": "JSON that is nested too deep",
    "too_large": "a value that is larger than logminer reads",
    "gzip_damaged": "damaged gzip data; the rest of the object is lost",
    "gzip_cut_off": "gzip data that ends too early; the rest of the object is lost",
    "gzip_trailing_garbage": "bytes after the gzip data that are not gzip",
    "gzip_bomb": "gzip data that grows beyond all measure; the rest of the object was not read",
    "empty_object": "an object without any value",
}


@dataclass(frozen=True, slots=True)
class QuarantinedValue:
    """One value that could not be read. `object_records` says how many records its object gave."""

    source: LogObject
    position: int
    reason: str
    raw: bytes
    object_records: int


class QuarantineWriter:
    """Gathers what could not be read, and writes it in new files: when much has come together, and in `flush`.

    What becomes of an object is not known before its end. Values that are written earlier say that it has
    a record, so that only the last one can tell that it has none.
    """

    def __init__(self, storage: Storage, run: IngestRun) -> None:
        self._storage = storage
        self._run = run
        self._settled: list[QuarantinedValue] = []
        self._open: list[QuarantinedValue] = []
        self._size_bytes = 0

    def add(self, source: LogObject, position: int, reason: str, raw: bytes) -> None:
        """Keep one value of the object that is being read."""
        if self._size_bytes > _MAX_HELD_BYTES:
            self._settled += self._open
            self._open = []
            self.flush()
        self._open.append(QuarantinedValue(source, position, reason, raw, object_records=1))
        self._size_bytes += len(raw) + _VALUE_OVERHEAD_BYTES

    def end_object(self, records: int) -> None:
        """The object is read, and gave so many records."""
        self._settled += (replace(value, object_records=records) for value in self._open)
        self._open = []

    def flush(self) -> None:
        """Write the values of all objects that are read."""
        if self._settled:
            _write_file(self._storage, self._run, self._settled)
        self.clear()

    def clear(self) -> None:
        """Forget what is not written."""
        self._settled, self._open, self._size_bytes = [], [], 0


def _write_file(storage: Storage, run: IngestRun, values: Sequence[QuarantinedValue]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    moment = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "source_uri": pa.array([value.source.uri for value in values], pa.string()),
            "source_position": pa.array([value.position for value in values], pa.int64()),
            "reason": pa.array([value.reason for value in values], pa.string()),
            "raw": pa.array([value.raw for value in values], pa.binary()),
            "object_records": pa.array([value.object_records for value in values], pa.int64()),
            "source_etag": pa.array([value.source.etag for value in values], pa.string()),
            "source_size": pa.array([value.source.size_bytes for value in values], pa.int64()),
            "ingest_id": pa.array([run.ingest_id] * len(values), pa.string()),
            "ingested_at": pa.array([run.started_us] * len(values), moment),
        }
    )
    with storage.open_output(f"{FOLDER}/{run.ingest_id}-{uuid.uuid4().hex[:12]}.parquet") as stream:
        pq.write_table(table, stream, compression="zstd", write_statistics=["source_uri"], store_schema=False)


def quarantine_files(storage: Storage) -> list[str]:
    """The files of the quarantine, as DuckDB takes them."""
    return [storage.path(name) for name in storage.list_names(FOLDER) if name.endswith(".parquet")]


def record_less_objects(storage: Storage) -> dict[str, tuple[str, str, int]]:
    """Log objects in which no record was when they were last read, by URI: URI, etag and size in bytes."""
    files = quarantine_files(storage)
    if not files:
        return {}
    rows = fetch_rows(
        storage,
        "SELECT source_uri, arg_max(source_etag, place), arg_max(source_size, place) FROM "
        "(SELECT *, (ingested_at, ingest_id, source_position) AS place FROM read_parquet($1)) "
        "GROUP BY source_uri HAVING arg_max(object_records, place) = 0",
        [files],
    )
    return {uri: (uri, etag, size) for uri, etag, size in rows}


def read_quarantine(
    storage: Storage, stored: Sequence[DataFile], reason: str | None = None
) -> list[tuple[str, int, str, bytes, str]]:
    """Source URI, position, reason, first bytes and ingest id of each value, sorted by source and position.

    `stored` are the table's files: of an object whose content changed, only the values count that were found
    in the content which the rows are from, or which was read last where it has no rows.
    """
    files = quarantine_files(storage)
    if not files:
        return []
    rows = "SELECT NULL AS source_uri, NULL AS source_etag WHERE false"
    if stored:
        rows = f"SELECT source_uri, any_value(source_etag) AS source_etag FROM {scan_files(storage, stored)} "
        rows += "WHERE source_uri IN (SELECT source_uri FROM found) GROUP BY source_uri"
    return fetch_rows(
        storage,
        "WITH found AS (SELECT *, (ingested_at, ingest_id) AS reading FROM read_parquet($1)), "
        f"stored AS ({rows}), "
        "last AS (SELECT source_uri, arg_max(source_etag, reading) AS source_etag FROM found GROUP BY source_uri), "
        "current AS (SELECT source_uri, coalesce(stored.source_etag, last.source_etag) AS source_etag "
        "FROM last LEFT JOIN stored USING (source_uri)) "
        "SELECT source_uri, source_position, arg_max(reason, reading) AS why, arg_max(raw, reading), "
        "min(ingest_id) FROM found JOIN current USING (source_uri, source_etag) "
        "GROUP BY source_uri, source_position HAVING $2 IS NULL OR why = $2 ORDER BY source_uri, source_position",
        [files, reason],
    )
