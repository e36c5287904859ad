"""DuckDB over the table's Parquet files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from logminer.schema import FILE_COLUMNS, SQL_TYPES, metadata_sql_type
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """A connection in which instants are UTC."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": usable_cores()})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def usable_cores() -> int:
    """As many cores as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def quote_literal(text: str) -> str:
    """A SQL string literal; the one place where text becomes part of a statement."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def scan_files(
    storage: Storage,
    files: Iterable[DataFile],
    metadata_fields: Sequence[str],
    columns: Sequence[str] | None = None,
    *,
    filename: bool = False,
) -> str:
    """SQL for a relation over data files; a file that lacks a column or metadata field gives NULL for it.

    The schema is given, not read from the files, so that files with different metadata fields mix. There must
    be at least one file.
    """
    paths = ", ".join(quote_literal(storage.path(f"invocations/{file.name}")) for file in files)
    schema = ", ".join(
        f"{quote_literal(column.name)}: {{'name': {quote_literal(column.name)}, "
        f"'type': {quote_literal(_sql_type(column.type, metadata_fields))}, 'default_value': NULL}}"
        for column in FILE_COLUMNS
        if columns is None or column.name in columns
    )
    options = ", filename=true" if filename else ""
    return f"read_parquet([{paths}], schema=MAP {{{schema}}}, hive_partitioning=false{options})"


def _sql_type(kind: str, metadata_fields: Sequence[str]) -> str:
    return metadata_sql_type(tuple(metadata_fields)) if kind == "metadata" else SQL_TYPES[kind]  # type: ignore[index]


def empty_scan(metadata_fields: Sequence[str]) -> str:
    """SQL for the same relation without rows, for a table that has no files."""
    columns = ", ".join(
        f"NULL::{_sql_type(column.type, metadata_fields)} AS {quote_name(column.name)}" for column in FILE_COLUMNS
    )
    return f"(SELECT {columns} WHERE false)"
