"""Few files per date: what many small ingests left is written together.

A file that is removed and one that is added in its stead are one commit under the maintenance transaction id:
of two compactions at once the second gives up, and nothing is ever there twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import chain

import pyarrow as pa

from logminer.schema import FILE_COLUMNS
from logminer.store.rewrite import delete_files, read_row_groups, schema_of_file
from logminer.store.rows import DataFileWriter, metadata_fields_of
from logminer.store.storage import Storage
from logminer.store.table import MAINTENANCE, CommitConflict, DataFile, Snapshot, Table

_SMALL_BYTES = 32 << 20
_MAX_SMALL_FILES = 6
_ROW_GROUP_ROWS = 60_000
_ROW_GROUP_BYTES = 96 << 20


def compact_small_files(storage: Storage, table: Table) -> None:
    """Write the small files of each date together where it has too many."""
    table.refresh()
    for day, files in _crowded_days(table.snapshot()).items():
        together = _write_together(storage, day, files)
        try:
            table.commit(MAINTENANCE, add=[together], remove=files, about={"compacted": len(files)})
        except CommitConflict:
            # Another run is at it. Its files will do; the next ingest looks again.
            delete_files(storage, [together])
            table.refresh()
            return


def _crowded_days(snapshot: Snapshot) -> dict[date, list[DataFile]]:
    small: dict[date, list[DataFile]] = defaultdict(list)
    for file in snapshot.files:
        if file.size_bytes < _SMALL_BYTES:
            small[file.date].append(file)
    return {day: files for day, files in small.items() if len(files) > _MAX_SMALL_FILES}


def _write_together(storage: Storage, day: date, files: Sequence[DataFile]) -> DataFile:
    schema = _common_schema([schema_of_file(storage, file) for file in files])
    writer = DataFileWriter(storage, day, schema)
    pending: list[pa.Table] = []
    try:
        for rows in chain.from_iterable(read_row_groups(storage, file) for file in files):
            pending.append(_with_schema(rows, schema))
            if (
                sum(rows.num_rows for rows in pending) >= _ROW_GROUP_ROWS
                or sum(rows.nbytes for rows in pending) >= _ROW_GROUP_BYTES
            ):
                writer.write(pa.concat_tables(pending))
                pending = []
        if pending:
            writer.write(pa.concat_tables(pending))
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def _common_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    fields = list(dict.fromkeys(field for schema in schemas for field in metadata_fields_of(schema)))
    by_name = {field.name: field for schema in schemas for field in schema}
    by_name["request_metadata"] = pa.field(
        "request_metadata", pa.struct([(field, pa.string()) for field in fields])
    )
    return pa.schema([by_name[column.name] for column in FILE_COLUMNS if column.name in by_name])


def _with_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with NULL for what other files have and theirs has not."""
    columns = []
    for field in schema:
        if field.name == "request_metadata":
            columns.append(_with_fields(rows[field.name].combine_chunks(), field.type))
        else:
            columns.append(rows[field.name])
    return pa.table(columns, schema=schema)


def _with_fields(metadata: pa.StructArray, kind: pa.StructType) -> pa.StructArray:
    own = {field.name: metadata.field(index) for index, field in enumerate(metadata.type)}
    arrays = [own.get(field.name, pa.nulls(len(metadata), field.type)) for field in kind]
    return pa.StructArray.from_arrays(arrays, fields=list(kind), mask=metadata.is_null())
