"""DuckDB over the table's Parquet files."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from logminer.errors import LogminerError, StorageError
from logminer.s3.uris import is_s3
from logminer.schema import FILE_COLUMNS, FIRST_METADATA_FIELD, SQL_TYPES, Column
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import duckdb


def connect(storage: Storage) -> duckdb.DuckDBPyConnection:
    """A connection that can read a store's files, and in which instants are UTC."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": usable_cores()})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    # DuckDB 2.0.0 fails in it (INTERNAL Error: Vector::Reference) where a LIMIT stands over conditions on two fields
    # of a struct, of which one holds for a whole dictionary.
    connection.execute("SET disabled_optimizers = 'late_materialization'")
    storage.connect(connection)
    return connection


def fetch_rows(storage: Storage, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query of our own over files of the store. Raises StorageError where one cannot be read."""
    import duckdb

    with connect(storage) as connection:
        try:
            return connection.execute(text, list(params)).fetchall()
        except duckdb.Error as error:
            raise unreadable(storage, error) from error


def unreadable(storage: Storage, error: Exception) -> LogminerError:
    """The error to raise where DuckDB could not read the store's files."""
    if is_s3(storage.uri):
        return storage.failure(error, "cannot read the store")
    said = "".join(each for each in str(error).partition("\n")[0] if each.isprintable())
    return StorageError(
        f"cannot read the store: {said}",
        where=storage.uri,
        fix="A file of the store is missing or damaged. Restore it, or ask an older state: --version N.",
    )


def usable_cores() -> int:
    """As many cores as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def quote_literal(text: str) -> str:
    """A SQL string literal; the one place where text becomes part of a statement."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def scan_files(storage: Storage, files: Collection[DataFile], *, filename: bool = False) -> str:
    """SQL for a relation over data files; over none it has their columns, and no rows.

    Files mix by the names of columns and metadata fields: a row has NULL for a field that its own file lacks.
    (DuckDB's `schema` option would spare it a look at every file, but takes the fields of a struct by their
    place, and so gives other fields' values.)
    """
    if not files:
        return _empty_scan(filename=filename)
    paths = ", ".join(
        quote_literal(storage.path(f"invocations/{file.name}", file.size_bytes)) for file in files
    )
    options = ", filename=true" if filename else ""
    return f"read_parquet([{paths}], union_by_name=true, hive_partitioning=false{options})"


def metadata_fields_in(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[str, ...]:
    """The fields that `request_metadata` has in a relation."""
    kind = connection.sql(f"SELECT request_metadata FROM {relation}").types[0]
    return tuple(name for name, _ in kind.children)


def _empty_scan(*, filename: bool) -> str:
    types = {column.name: _sql_type(column) for column in FILE_COLUMNS}
    if filename:
        types["filename"] = "VARCHAR"
    columns = ", ".join(f"NULL::{kind} AS {quote_name(name)}" for name, kind in types.items())
    return f"(SELECT {columns} WHERE false)"


def _sql_type(column: Column) -> str:
    if column.type == "metadata":
        return f"STRUCT({quote_name(FIRST_METADATA_FIELD)} VARCHAR)"
    return SQL_TYPES[column.type]
