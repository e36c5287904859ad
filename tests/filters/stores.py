"""Records as a store lays them out, each file with the keys that it promoted, for DuckDB to select from."""

from __future__ import annotations

import json
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from logminer.filters import Sql
from logminer.metadata_keys import encode_key

Metadata = dict[str, str]

# Trino's functions in DuckDB's terms: element_at of a map gives the value there, json_extract_scalar takes a
# path, here always of one quoted subscript.
_TRINO = r"""
CREATE MACRO element_at(entries, key) AS map_extract_value(entries, key);
CREATE MACRO json_extract_scalar(document, path) AS json_extract_string(document,
    '/' || replace(replace(
        regexp_replace(substring(path, 4, length(path) - 5), '\\(["\\])', '\1', 'gs'), '~', '~0'), '/', '~1'))
"""


class Store:
    """A table `invocations` in the store's layout, `logs` in that of the raw log table; ids count from 0."""

    def __init__(self, files: Sequence[tuple[set[str], Sequence[Metadata]]]) -> None:
        """`files` are pairs of the keys that a file promotes and its records."""
        promoted_keys = sorted({key for keys, records in files for key in keys})
        self.promoted = {encode_key(key) for key in promoted_keys}
        self.records = [record for _, records in files for record in records]
        rows = [_stored(record, keys, promoted_keys) for keys, records in files for record in records]
        self._connection = duckdb.connect()
        self._connection.register("invocations", _table(rows, promoted_keys))
        self._connection.register("logs", _raw_table(self.records))
        self._connection.execute(_TRINO)

    def select(self, sql: Sql) -> list[int]:
        query = f"SELECT id FROM invocations WHERE {sql.text} ORDER BY id"
        return [row[0] for row in self._connection.execute(query, list(sql.params)).fetchall()]

    def select_text(self, condition: str, table: str) -> list[int]:
        query = f"SELECT id FROM {table} WHERE {condition} ORDER BY id"
        return [row[0] for row in self._connection.execute(query).fetchall()]

    def values(self, sql: Sql) -> list[str | None]:
        query = f"SELECT {sql.text} FROM invocations AS i ORDER BY id"
        return [row[0] for row in self._connection.execute(query, list(sql.params)).fetchall()]

    def close(self) -> None:
        self._connection.close()


def _stored(record: Metadata, promoted: set[str], fields: list[str]) -> dict[str, object]:
    rest = {key: value for key, value in record.items() if key not in promoted}
    kept = {encode_key(key): record.get(key) if key in promoted else None for key in fields}
    return {"request_metadata": kept, "request_metadata_rest": json.dumps(rest) if rest else None}


def _table(rows: list[dict[str, object]], fields: list[str]) -> pa.Table:
    columns = [("id", pa.int64()), ("request_metadata_rest", pa.string())]
    if fields:
        struct = pa.struct([(encode_key(key), pa.string()) for key in fields])
        columns.append(("request_metadata", struct))
    rows = [{**row, "id": number} for number, row in enumerate(rows)]
    return pa.Table.from_pylist(rows, schema=pa.schema(columns))


def _raw_table(records: list[Metadata]) -> pa.Table:
    schema = pa.schema([("id", pa.int64()), ("requestmetadata", pa.map_(pa.string(), pa.string()))])
    rows = [
        {"id": number, "requestmetadata": list(record.items()) if record else None}
        for number, record in enumerate(records)
    ]
    return pa.Table.from_pylist(rows, schema=schema)
