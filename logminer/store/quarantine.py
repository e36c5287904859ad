"""The quarantine: what could not be read as a log record, with its place, a reason and its first bytes.

It lies beside the table, in Parquet files of its own, and is committed before the table is. A run that dies in
between leaves values here that the next run finds again, so they are read distinct.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logminer.errors import StorageError
from logminer.model import IngestRun
from logminer.sources import LogObject
from logminer.store.duck import fetch_rows, scan_files
from logminer.store.forgotten import request_ids_of
from logminer.store.small_files import read_table
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import pyarrow as pa

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
    "forgotten": "removed at somebody's request; only its place is left",
    "expired": "older than what the store keeps; only its place is left",
}
_LOOKS = 20
# What can be a request id in bytes that are no whole record.
_WORD = re.compile(rb"[\w.:/+-]+")

# Whether a value is meant: its source URI, position, first bytes, and when it was read (µs since 1970, UTC).
Meant = Callable[[str, int, bytes, int], bool]


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
    _put_table(storage, run.ingest_id, table)


def _put_table(storage: Storage, begin: str, table: pa.Table) -> str:
    import pyarrow.parquet as pq

    name = f"{FOLDER}/{begin}-{uuid.uuid4().hex[:12]}.parquet"
    with storage.open_output(name) as stream:
        pq.write_table(table, stream, compression="zstd", write_statistics=["source_uri"], store_schema=False)
    return name


def quarantine_files(storage: Storage) -> list[str]:
    """The files of the quarantine, as DuckDB takes them."""
    return [storage.path(name) for name in storage.list_names(FOLDER) if name.endswith(".parquet")]


def _ask(storage: Storage, text: str, *more: Any) -> list[tuple[Any, ...]]:
    """The answer of a query over the quarantine's files, which are its first parameter.

    One that vanishes before it is read was just written anew, under another name: look again.
    """
    files = quarantine_files(storage)
    for _ in range(_LOOKS):
        if not files:
            return []
        try:
            return fetch_rows(storage, text, [files, *more])
        except StorageError:
            before, files = files, quarantine_files(storage)
            if files == before:
                raise
    raise StorageError("its files change all the time", where=storage.path(FOLDER), fix="Run again later.")


def record_less_objects(storage: Storage) -> dict[str, tuple[str, str, int]]:
    """Log objects in which no record was when they were last read, by URI: URI, etag and size in bytes."""
    rows = _ask(
        storage,
        "SELECT source_uri, arg_max(source_etag, place), arg_max(source_size, place) FROM "
        "(SELECT *, (ingested_at, ingest_id, source_position) AS place FROM read_parquet($1)) "
        "GROUP BY source_uri HAVING arg_max(object_records, place) = 0",
    )
    return {uri: (uri, etag, size) for uri, etag, size in rows}


def read_quarantine(
    storage: Storage, stored: Sequence[DataFile], reason: str | None = None
) -> list[tuple[str, int, str, bytes, str]]:
    """Source URI, position, reason, first bytes and ingest id of each value, sorted by source and position.

    `stored` are the table's files: of an object whose content changed, only the values count that were found
    in the content which the rows are from, or which was read last where it has no rows.
    """
    rows = (
        f"SELECT source_uri, any_value(source_etag) AS source_etag FROM {scan_files(storage, stored)} "
        "WHERE source_uri IN (SELECT source_uri FROM found) GROUP BY source_uri"
    )
    return _ask(
        storage,
        "WITH found AS (SELECT *, (ingested_at, ingest_id) AS reading FROM read_parquet($1)), "
        f"stored AS ({rows}), "
        "last AS (SELECT source_uri, arg_max(source_etag, reading) AS source_etag FROM found GROUP BY source_uri), "
        "current AS (SELECT source_uri, coalesce(stored.source_etag, last.source_etag) AS source_etag "
        "FROM last LEFT JOIN stored USING (source_uri)) "
        "SELECT source_uri, source_position, arg_max(reason, reading) AS why, arg_max(raw, reading), "
        "min(ingest_id) FROM found JOIN current USING (source_uri, source_etag) "
        "GROUP BY source_uri, source_position HAVING $2 IS NULL OR why = $2 ORDER BY source_uri, source_position",
        reason,
    )


# --- upkeep -------------------------------------------------------------------------------------------------


def empty_values(
    storage: Storage, reason: str, meant: Meant, *, ingest_id: str = "", dry_run: bool = False
) -> int:
    """Take the bytes of quarantined values that are meant, in the files of one run or of all; how many there were.

    Their places stay, under a new reason. A file is written anew before the old one goes; files that appear
    meanwhile are looked at too, since they can be copies.
    """
    emptied = 0
    seen: set[str] = set()
    while names := [name for name in _own_files(storage, ingest_id) if name not in seen]:
        for name in names:
            seen.add(name)
            table = _read_file(storage, name)
            chosen = _chosen(table, reason, meant) if table is not None else []
            emptied += sum(chosen)
            if table is not None and any(chosen) and not dry_run:
                begin = name.removeprefix(f"{FOLDER}/").rpartition("-")[0]
                seen.add(_put_table(storage, begin, _emptied(table, chosen, reason)))
                storage.delete(name)
    return emptied


def forget_quarantined(
    storage: Storage,
    forgotten: pa.Table,
    *,
    mentions: Callable[[bytes], bool] = lambda raw: False,
    ingest_id: str = "",
    dry_run: bool = False,
) -> int:
    """Empty the values that tell of forgotten requests, stand at forgotten places, or mention what they must not.

    `forgotten` is the store's list of those. What was emptied once stays so when its object is read again.
    """
    ids = {each.encode() for each in request_ids_of(forgotten)}
    words = {each for each in ids if _WORD.fullmatch(each)}
    others = ids - words
    columns = (forgotten["source_uri"].to_pylist(), forgotten["source_position"].to_pylist())
    places = {*zip(*columns, strict=True), *_places_of(storage, "forgotten")}

    def meant(uri: str, position: int, raw: bytes, read_us: int) -> bool:
        if (uri, position) in places or not words.isdisjoint(_WORD.findall(raw)):
            return True
        return any(each in raw for each in others) or mentions(raw)

    return empty_values(storage, "forgotten", meant, ingest_id=ingest_id, dry_run=dry_run)


def _own_files(storage: Storage, ingest_id: str) -> list[str]:
    begin = f"{FOLDER}/{ingest_id}"
    names = storage.list_names(FOLDER)
    return [name for name in names if name.startswith(begin) and name.endswith(".parquet")]


def _read_file(storage: Storage, name: str) -> pa.Table | None:
    """A quarantine file; None where it was just written together with others."""
    import pyarrow as pa

    content = storage.read_bytes(name)
    try:
        return read_table(content) if content is not None else None
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            "a file of the quarantine is damaged", where=storage.path(name), fix="Delete it, or restore it."
        ) from error


def _chosen(table: pa.Table, reason: str, meant: Meant) -> list[bool]:
    import pyarrow as pa

    columns = [table[name].to_pylist() for name in ("source_uri", "source_position", "raw", "reason")]
    read_us = table["ingested_at"].cast(pa.int64()).to_pylist()
    return [
        old != reason and meant(uri, position, raw, moment)
        for uri, position, raw, old, moment in zip(*columns, read_us, strict=True)
    ]


def _emptied(table: pa.Table, chosen: Sequence[bool], reason: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = pa.array(chosen, pa.bool_())
    for name, value in (("raw", b""), ("reason", reason)):
        index = table.schema.get_field_index(name)
        kind = table.schema.field(index).type
        table = table.set_column(index, name, pc.if_else(mask, pa.scalar(value, kind), table[name]))
    return table


def _places_of(storage: Storage, reason: str) -> set[tuple[str, int]]:
    rows = _ask(storage, "SELECT source_uri, source_position FROM read_parquet($1) WHERE reason = $2", reason)
    return {(uri, position) for uri, position in rows}
