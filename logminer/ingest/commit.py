"""What a round of reading found, into the store: each object once, each request counted once.

The table is its own ledger: an object is known when a row of it is in the very snapshot that a commit is made
against, or when the quarantine says that it holds no record. When another run commits first, this one looks at
the files that are new since, drops the objects that the other took, and commits the rest.
"""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from logminer.errors import StoreChangedError
from logminer.json_text import encode_json
from logminer.metadata_keys import decode_key
from logminer.schema import FIRST_METADATA_FIELD, MAX_PROMOTED_KEYS
from logminer.store.duck import connect, scan_files
from logminer.store.quarantine import quarantine_files
from logminer.store.rows import DataFileWriter, metadata_fields_of
from logminer.store.storage import Storage
from logminer.store.table import INGEST, CommitConflict, DataFile, Snapshot, Table

_ATTEMPTS = 50

# A row's identity in the table.
_RowId = tuple[str, int]


def known_objects(storage: Storage, snapshot: Snapshot) -> dict[str, tuple[str, int]]:
    """Every log object that is in the store, by URI, with its etag and size in bytes."""
    connection = connect()
    known: dict[str, tuple[str, int]] = {}
    record_less = quarantine_files(storage)
    if record_less:
        rows = connection.execute(
            "SELECT source_uri, any_value(source_etag), any_value(source_size) FROM read_parquet(?) "
            "GROUP BY source_uri HAVING max(object_records) = 0",
            [record_less],
        ).fetchall()
        known.update((uri, (etag, size)) for uri, etag, size in rows)
    if snapshot.files:
        rows = connection.execute(
            "SELECT source_uri, any_value(source_etag), any_value(source_size) "
            f"FROM {scan_files(storage, snapshot.files)} GROUP BY source_uri"
        ).fetchall()
        known.update((uri, (etag, size)) for uri, etag, size in rows)
    return known


def objects_of_older_parsers(
    storage: Storage, snapshot: Snapshot, parser_version: int, statuses: Collection[str] | None
) -> set[str]:
    """Stored objects with a row of one of `statuses` (None: any) that an older parser wrote."""
    if not snapshot.files:
        return set()
    where = "parser_version < ?"
    params: list[Any] = [parser_version]
    if statuses is not None:
        where += " AND status IN (SELECT unnest(?))"
        params.append(list(statuses))
    query = f"SELECT DISTINCT source_uri FROM {scan_files(storage, snapshot.files)} WHERE {where}"
    return {row[0] for row in connect().execute(query, params).fetchall()}


def commit_files(
    storage: Storage,
    table: Table,
    base: Snapshot,
    files: Sequence[DataFile],
    about: dict[str, Any],
    *,
    replaced: Collection[str] = (),
) -> set[str]:
    """Commit new data files that were written from objects unknown in `base`.

    Rows of `replaced` objects that are in the store already give way to the new ones, in the same commit.
    Returns the objects that another run committed first; their rows are dropped here. Raises
    StoreChangedError where the store does not come to rest.
    """
    pending = list(files)
    taken: set[str] = set()
    for attempt in range(_ATTEMPTS):
        snapshot = table.snapshot()
        if snapshot.version != base.version:
            lost = _objects_in(storage, _new_files(base, snapshot)) & _objects_in(storage, pending)
            pending = _rewrite_all(storage, pending, drop_objects=lost - set(replaced))
            taken |= lost - set(replaced)
            base = snapshot
        removed, kept = _take_out(storage, snapshot, replaced)
        pending = _mark_redelivered(storage, snapshot, pending, removed, kept)
        pending = _within_promotion_limit(storage, snapshot, pending)
        if not pending and not removed:
            return taken
        try:
            fields = _new_fields(storage, snapshot, pending)
            if fields:
                table.widen(fields)
            table.commit(INGEST, add=[*pending, *kept], remove=removed, about=about)
        except CommitConflict:
            _delete(storage, kept)
            time.sleep(random.uniform(0, 0.05 * min(attempt + 1, 10)))  # noqa: S311 - jitter, no secret
            table.refresh()
        else:
            return taken
    raise StoreChangedError(
        f"other runs changed the store {_ATTEMPTS} times in a row", where=storage.uri, fix="Run again later."
    )


def _new_files(base: Snapshot, snapshot: Snapshot) -> list[DataFile]:
    old = {file.name for file in base.files}
    return [file for file in snapshot.files if file.name not in old]


def _objects_in(storage: Storage, files: Sequence[DataFile]) -> set[str]:
    if not files:
        return set()
    scan = scan_files(storage, files)
    return {row[0] for row in connect().execute(f"SELECT DISTINCT source_uri FROM {scan}").fetchall()}


def _take_out(
    storage: Storage, snapshot: Snapshot, objects: Collection[str]
) -> tuple[list[DataFile], list[DataFile]]:
    """The stored files that hold rows of `objects`, and new files with what else was in them."""
    if not objects or not snapshot.files:
        return [], []
    scan = scan_files(storage, snapshot.files, filename=True)
    paths = {
        row[0]
        for row in connect()
        .execute(
            f"SELECT DISTINCT filename FROM {scan} WHERE source_uri IN (SELECT unnest(?))", [list(objects)]
        )
        .fetchall()
    }
    removed = [file for file in snapshot.files if storage.path(f"invocations/{file.name}") in paths]
    kept = [new for file in removed if (new := _rewrite(storage, file, drop_objects=objects)) is not None]
    return removed, kept


def _mark_redelivered(
    storage: Storage,
    snapshot: Snapshot,
    pending: Sequence[DataFile],
    removed: Sequence[DataFile],
    kept: Sequence[DataFile],
) -> list[DataFile]:
    """`pending` with `redelivered` set on every row whose request is stored for its date, or comes before it."""
    if not pending:
        return []
    gone = {file.name for file in removed}
    days = {file.date for file in pending}
    stored = [file for file in (*snapshot.files, *kept) if file.name not in gone and file.date in days]
    new = scan_files(storage, pending, filename=True)
    query = (
        "WITH new AS (SELECT filename, timestamp, request_id, source_uri, source_position, row_number() OVER (PARTITION BY timestamp::DATE, request_id "
        f"ORDER BY source_uri, source_position) AS place FROM {new} WHERE request_id IS NOT NULL AND NOT redelivered) "
        "SELECT filename, source_uri, source_position FROM new WHERE place > 1"
    )
    if stored:
        old = scan_files(storage, stored)
        query += (
            f" OR EXISTS (SELECT 1 FROM {old} AS old WHERE old.request_id = new.request_id "
            "AND old.timestamp::DATE = new.timestamp::DATE AND NOT old.redelivered)"
        )
    marks: dict[str, set[_RowId]] = defaultdict(set)
    for path, uri, position in connect().execute(query).fetchall():
        marks[path].add((uri, position))
    return [
        _rewritten(storage, file, redelivered=marks[path])
        if (path := storage.path(f"invocations/{file.name}")) in marks
        else file
        for file in pending
    ]


def _within_promotion_limit(
    storage: Storage, snapshot: Snapshot, pending: Sequence[DataFile]
) -> list[DataFile]:
    """`pending` with metadata keys moved to the rest where the table would get too many promoted ones."""
    fields = dict.fromkeys(snapshot.metadata_fields)
    files: list[DataFile] = []
    for file in pending:
        own = _fields_of(storage, file)
        room = MAX_PROMOTED_KEYS - len(fields)
        new = [field for field in own if field not in fields]
        fields.update(dict.fromkeys(new[:room]))
        files.append(_rewritten(storage, file, demote=new[room:]) if len(new) > room else file)
    return files


def _new_fields(storage: Storage, snapshot: Snapshot, files: Iterable[DataFile]) -> list[str]:
    found = {field for file in files for field in _fields_of(storage, file)}
    return sorted(found - set(snapshot.metadata_fields))


def _fields_of(storage: Storage, file: DataFile) -> list[str]:
    return metadata_fields_of(pq.read_schema(storage.path(f"invocations/{file.name}")))


def _rewrite_all(
    storage: Storage, files: Sequence[DataFile], *, drop_objects: Collection[str]
) -> list[DataFile]:
    if not drop_objects:
        return list(files)
    new = [_rewrite(storage, file, drop_objects=drop_objects) for file in files]
    _delete(storage, files)
    return [file for file in new if file is not None]


def _rewritten(
    storage: Storage, file: DataFile, *, redelivered: Collection[_RowId] = (), demote: Sequence[str] = ()
) -> DataFile:
    """A changed copy of an uncommitted file, in its stead."""
    new = _rewrite(storage, file, redelivered=redelivered, demote=demote)
    assert new is not None
    _delete(storage, [file])
    return new


def _rewrite(
    storage: Storage,
    file: DataFile,
    *,
    drop_objects: Collection[str] = (),
    redelivered: Collection[_RowId] = (),
    demote: Sequence[str] = (),
) -> DataFile | None:
    """A changed copy of a data file, row group by row group; None where no row is left."""
    writer: DataFileWriter | None = None
    with pq.ParquetFile(storage.path(f"invocations/{file.name}")) as source:
        for index in range(source.num_row_groups):
            rows = source.read_row_group(index)
            if drop_objects:
                rows = rows.filter(
                    pc.invert(pc.is_in(rows["source_uri"], pa.array(drop_objects, pa.string())))
                )
            if redelivered:
                rows = _with_redelivered(rows, redelivered)
            if demote:
                rows = _with_demoted(rows, demote)
            if rows.num_rows:
                writer = writer or DataFileWriter(storage, file.date, rows.schema)
                writer.write(rows)
    return writer.finish() if writer is not None else None


def _with_redelivered(rows: pa.Table, ids: Collection[_RowId]) -> pa.Table:
    places = zip(rows["source_uri"].to_pylist(), rows["source_position"].to_pylist(), strict=True)
    marks = [old or place in ids for old, place in zip(rows["redelivered"].to_pylist(), places, strict=True)]
    return rows.set_column(
        rows.schema.get_field_index("redelivered"), "redelivered", pa.array(marks, pa.bool_())
    )


def _with_demoted(rows: pa.Table, demote: Sequence[str]) -> pa.Table:
    """The rows with some metadata fields moved into `request_metadata_rest`."""
    metadata = rows["request_metadata"].to_pylist()
    rest = rows["request_metadata_rest"].to_pylist()
    for index, fields in enumerate(metadata):
        moved = {decode_key(field): fields[field] for field in demote if fields and fields[field] is not None}
        if moved:
            rest[index] = encode_json({**json.loads(rest[index] or "{}"), **moved}).decode()
    kept = [field for field in metadata_fields_of(rows.schema) if field not in demote]
    rows = rows.set_column(
        rows.schema.get_field_index("request_metadata_rest"),
        "request_metadata_rest",
        pa.array(rest, pa.string()),
    )
    kind = pa.struct([(field, pa.string()) for field in kept or [FIRST_METADATA_FIELD]])
    values = [None if fields is None else {field: fields[field] for field in kept} for fields in metadata]
    return rows.set_column(
        rows.schema.get_field_index("request_metadata"), "request_metadata", pa.array(values, kind)
    )


def _delete(storage: Storage, files: Iterable[DataFile]) -> None:
    for file in files:
        storage.delete(f"invocations/{file.name}")
