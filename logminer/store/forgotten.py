"""What was forgotten at somebody's request, so that it does not come back.

A forgotten row stays in the table as a tombstone, which keeps its log object known. This list, beside the table,
is what new rows are compared with: by request id, so that a delivery in another object is recognised, and by
source and position where one of the two has no request id. A forget writes it before it touches the table: a
kill in between forgets what was asked for, and nothing else. It holds request ids, which Bedrock draws at random,
and places; no text, no identity and no metadata.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from logminer.store.duck import connect, scan_files, unreadable
from logminer.store.lists import add_to_list, read_list
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "forgotten"

# Request id, source URI and position. A request that the store has not seen yet has no place.
Entry = tuple[str | None, str | None, int | None]
# Rows by file: source URI and position of each.
RowsByFile = dict[DataFile, frozenset[tuple[str, int]]]


def read_forgotten(storage: Storage) -> pa.Table:
    """The list: request_id, source_uri and source_position, some rows perhaps twice."""
    return read_list(storage, FOLDER, _schema())


def add_forgotten(storage: Storage, entries: Iterable[Entry]) -> None:
    """Add to the list."""
    add_to_list(storage, FOLDER, entries_table(entries))


def entries_table(entries: Iterable[Entry]) -> pa.Table:
    """Entries as a list of their own."""
    import pyarrow as pa

    rows = sorted(set(entries), key=lambda entry: (entry[1] or "", entry[2] or 0, entry[0] or ""))
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _schema(), strict=True)]
    return pa.table(arrays, schema=_schema())


def rows_to_forget(storage: Storage, files: Sequence[DataFile], forgotten: pa.Table) -> RowsByFile:
    """The rows of data files that are on the list and are no tombstones. Raises StorageError."""
    import duckdb

    if not files or not forgotten.num_rows:
        return {}
    with connect(storage) as connection:
        connection.register("forgotten", forgotten)
        try:
            rows = connection.execute(
                "SELECT filename, source_uri, source_position "
                f"FROM {scan_files(storage, files, filename=True)} AS stored WHERE status <> 'forgotten' AND ("
                "request_id IN (SELECT request_id FROM forgotten WHERE request_id IS NOT NULL) OR "
                "EXISTS (SELECT 1 FROM forgotten WHERE forgotten.source_uri = stored.source_uri "
                "AND forgotten.source_position = stored.source_position "
                "AND (forgotten.request_id IS NULL OR stored.request_id IS NULL)))"
            ).fetchall()
        except duckdb.Error as error:
            raise unreadable(storage, error) from error
    return rows_by_file(storage, files, rows)


def rows_by_file(
    storage: Storage, files: Iterable[DataFile], rows: Iterable[tuple[str, str, int]]
) -> RowsByFile:
    """Rows as DuckDB names them (path, source URI, position) by their data file."""
    by_path: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for path, uri, position in rows:
        by_path[path].add((uri, position))
    paths = {storage.path(f"invocations/{file.name}"): file for file in files}
    return {paths[path]: frozenset(places) for path, places in sorted(by_path.items())}


def request_ids_of(forgotten: pa.Table) -> frozenset[str]:
    """The request ids on the list."""
    return frozenset(cast(list[str], forgotten["request_id"].drop_null().to_pylist()))


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [("request_id", pa.string()), ("source_uri", pa.string()), ("source_position", pa.int64())]
    )
