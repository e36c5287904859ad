"""Changed copies of data files: without some objects' rows, with tombstones, with other marks, or with fewer keys.

A data file is never changed in place: whoever reads an older version of the table still needs it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq

from logminer.errors import LogminerError, StorageError
from logminer.json_text import encode_json
from logminer.metadata_keys import decode_key
from logminer.schema import FIRST_METADATA_FIELD
from logminer.store.rows import DataFileWriter, metadata_fields_of
from logminer.store.storage import Storage, storage_error
from logminer.store.table import DataFile

# A row's identity in the table: source_uri and source_position.
RowId = tuple[str, int]

# What a tombstone keeps: what tells the row's place, and a request that is delivered again. Not the time of day.
_KEPT_OF_FORGOTTEN = frozenset(
    {"request_id", "redelivered", "source_uri", "source_position", "source_etag", "source_size"}
    | {"ingest_id", "ingested_at", "parser_version"}
)


def rewrite_file(
    storage: Storage,
    file: DataFile,
    *,
    drop_objects: Collection[str] = (),
    forget: Collection[RowId] = (),
    redelivered: Mapping[RowId, bool] | None = None,
    demote: Sequence[str] = (),
) -> DataFile | None:
    """A changed copy of a data file, row group by row group; None where no row is left. Raises StorageError.

    Rows to `forget` become tombstones. `redelivered` gives the new marks of some rows; `demote` are encoded
    metadata fields that go to the rest.
    """
    writer: DataFileWriter | None = None
    try:
        for rows in read_row_groups(storage, file):
            rows = _without_objects(rows, drop_objects)
            rows = _with_tombstones(rows, forget, file.date)
            rows = _with_marks(rows, redelivered or {})
            rows = _with_demoted(rows, demote)
            if rows.num_rows:
                writer = writer or DataFileWriter(storage, file.date, rows.schema)
                writer.write(rows)
        return writer.finish() if writer is not None else None
    except BaseException:
        if writer is not None:
            writer.abandon()
        raise


def read_row_groups(storage: Storage, file: DataFile) -> Iterable[pa.Table]:
    """A data file's row groups, one after the other. Raises StorageError where it is damaged or gone."""
    name = f"invocations/{file.name}"
    try:
        with storage.open_input(name, file.size_bytes) as stream, pq.ParquetFile(stream) as source:
            for index in range(source.num_row_groups):
                yield source.read_row_group(index)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(storage.path(name), error) from error


def fields_of_file(storage: Storage, file: DataFile) -> list[str]:
    """The encoded metadata fields that a data file has. Raises StorageError where it is damaged or gone."""
    return metadata_fields_of(schema_of_file(storage, file))


def schema_of_file(storage: Storage, file: DataFile) -> pa.Schema:
    """A data file's schema. Raises StorageError where it is damaged or gone."""
    name = f"invocations/{file.name}"
    try:
        with storage.open_input(name, file.size_bytes) as stream:
            return pq.read_schema(stream)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(storage.path(name), error) from error


def sorting_of_file(storage: Storage, file: DataFile) -> tuple[str, ...]:
    """By which columns a data file says that its row groups are sorted. Raises StorageError."""
    name = f"invocations/{file.name}"
    try:
        with storage.open_input(name, file.size_bytes) as stream, pq.ParquetFile(stream) as source:
            footer = source.metadata
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(storage.path(name), error) from error
    if not footer.num_row_groups:
        return ()
    columns = footer.row_group(0).sorting_columns or ()
    return tuple(footer.schema.column(each.column_index).name for each in columns)


def _unreadable(path: str, error: Exception) -> LogminerError:
    if isinstance(error, OSError) and error.errno is not None:
        return storage_error(error, path)
    return StorageError("a file of the store is damaged", where=path, fix="Restore it from a backup.")


def delete_files(storage: Storage, files: Iterable[DataFile]) -> None:
    """Delete data files that no commit names."""
    for file in files:
        storage.delete(f"invocations/{file.name}")


def _without_objects(rows: pa.Table, objects: Collection[str]) -> pa.Table:
    if not objects:
        return rows
    import pyarrow.compute as pc  # takes as long to load as the rest of pyarrow, and few ingests need it

    return rows.filter(pc.invert(pc.is_in(rows["source_uri"], pa.array(objects, pa.string()))))


def _with_tombstones(rows: pa.Table, forget: Collection[RowId], day: date) -> pa.Table:
    """The rows with those to forget emptied: of the time the UTC date stays, of all else what is no content."""
    if not forget:
        return rows
    import pyarrow.compute as pc

    places = zip(rows["source_uri"].to_pylist(), rows["source_position"].to_pylist(), strict=True)
    mask = pa.array([place in forget for place in places], pa.bool_())
    midnight = datetime.combine(day, time.min, UTC)
    for field in rows.schema:
        if field.name in _KEPT_OF_FORGOTTEN:
            continue
        value = {"status": "forgotten", "timestamp": midnight}.get(field.name)
        column = pc.if_else(mask, pa.scalar(value, field.type), rows[field.name])
        rows = _with_column(rows, field.name, column)
    return rows


def _with_marks(rows: pa.Table, marks: Mapping[RowId, bool]) -> pa.Table:
    if not marks:
        return rows
    places = zip(rows["source_uri"].to_pylist(), rows["source_position"].to_pylist(), strict=True)
    old = rows["redelivered"].to_pylist()
    new = [marks.get(place, mark) for place, mark in zip(places, old, strict=True)]
    return _with_column(rows, "redelivered", pa.array(new, pa.bool_()))


def _with_demoted(rows: pa.Table, demote: Sequence[str]) -> pa.Table:
    """The rows with some metadata fields moved into `request_metadata_rest`."""
    if not demote:
        return rows
    metadata = rows["request_metadata"].to_pylist()
    rest = rows["request_metadata_rest"].to_pylist()
    for index, fields in enumerate(metadata):
        moved = {decode_key(field): fields[field] for field in demote if fields and fields[field] is not None}
        if moved:
            rest[index] = encode_json({**json.loads(rest[index] or "{}"), **moved}).decode()
    kept = [field for field in metadata_fields_of(rows.schema) if field not in demote]
    kind = pa.struct([(field, pa.string()) for field in kept or [FIRST_METADATA_FIELD]])
    values = [None if fields is None else {field: fields[field] for field in kept} for fields in metadata]
    rows = _with_column(rows, "request_metadata_rest", pa.array(rest, pa.string()))
    return _with_column(rows, "request_metadata", pa.array(values, kind))


def _with_column(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)
