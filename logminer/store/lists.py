"""Lists beside the table that only grow, each a folder of small Parquet files: see `forgotten` and `expired`.

What is added is a file of its own, so that any number of runs can add at once. Rows may be there twice, and come in
the order in which they were added, as far as the clocks of those who add agree.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from logminer.errors import StorageError
from logminer.store.small_files import read_table
from logminer.store.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

# With more files than this, adding writes them together.
_MAX_FILES = 16
_LOOKS = 20


def read_list(storage: Storage, folder: str, schema: pa.Schema) -> pa.Table:
    """All rows of a list. Raises StorageError where a file is damaged."""
    return _read(storage, folder, schema)[1]


def add_to_list(storage: Storage, folder: str, rows: pa.Table) -> None:
    """Add rows, of which there may be none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not rows.num_rows:
        return
    names = _names(storage, folder)
    together = len(names) >= _MAX_FILES
    if together:
        names, before = _read(storage, folder, rows.schema)
        rows = pa.concat_tables([before, rows])
        rows = rows.group_by(rows.column_names, use_threads=False).aggregate([])
    with storage.open_output(f"{folder}/{time.time_ns():016x}{uuid.uuid4().hex[:16]}.parquet") as stream:
        pq.write_table(rows, stream, compression="zstd", write_statistics=False, store_schema=False)
    if together:
        storage.delete_all(names)


def _names(storage: Storage, folder: str) -> list[str]:
    return [name for name in storage.list_names(folder) if name.endswith(".parquet")]


def _read(storage: Storage, folder: str, schema: pa.Schema) -> tuple[list[str], pa.Table]:
    """The files of a list, and their rows.

    One that vanishes before it is read was just written together with others into a new one: look again.
    """
    for _ in range(_LOOKS):
        names = _names(storage, folder)
        contents = {name: storage.read_bytes(name) for name in names}
        present = {name: content for name, content in contents.items() if content is not None}
        if len(present) == len(names):
            return names, _table(storage, present, schema)
    raise StorageError("its files change all the time", where=storage.path(folder), fix="Run again later.")


def _table(storage: Storage, contents: dict[str, bytes], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    tables = [schema.empty_table()]
    for name, content in contents.items():
        try:
            tables.append(read_table(content).select(schema.names).cast(schema))
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                "a file of the store is damaged", where=storage.path(name), fix="Restore it from a backup."
            ) from error
    return pa.concat_tables(tables)
