"""Rows of a day in order, though there be more of them than fit into memory.

Some row groups at a time are sorted and laid down as a run in a folder of their own. The order of all rows comes
from their keys alone, which are small; from it follows how many rows the next piece takes of each run. Memory
holds one run while it is made, later one small batch of each run and one piece. (DuckDB's own sort moves 2,048
rows at a time, whatever their size: of long prompts that is gigabytes.)
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logminer.store.storage import storage_error

KEYS = ("model_id", "timestamp", "source_uri", "source_position")
_TEXT_KEYS = ("model_id", "source_uri")
_RUN_ROWS = 60_000
_RUN_BYTES = 48 << 20
_BATCH_ROWS = 512
_BATCH_BYTES = 1 << 20


class SortedRows:
    """Takes rows, all of one schema, and gives them back in the order of KEYS, NULL last. A context manager.

    What it lays down only this user can read, and it goes at the end. Raises StorageError where the disk is full.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._folder = tempfile.TemporaryDirectory(prefix="logminer-")
        self._runs: list[_Run] = []
        self._keys: list[pa.Table] = []
        self._pending: list[pa.Table] = []

    def __enter__(self) -> SortedRows:
        """The same."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was laid down."""
        for run in self._runs:
            run.close()
        self._folder.cleanup()

    def add(self, rows: pa.Table) -> None:
        """Take some rows."""
        self._pending.append(rows)
        if _are_enough(self._pending, _RUN_ROWS, _RUN_BYTES):
            self._end_run()

    def pieces(self, max_rows: int, max_bytes: int) -> Iterator[pa.Table]:
        """All rows in order, in pieces of at most about this size (bytes in memory), cut as `cut_pieces` says."""
        if self._pending:
            self._end_run()
        if not self._runs:
            return
        run_of_row, models, sizes = _order(self._keys)
        for start, end in cut_pieces(zip(models, sizes, strict=True), max_rows, max_bytes):
            yield self._piece(run_of_row[start:end])

    def _end_run(self) -> None:
        rows = pa.concat_tables(self._pending)
        self._pending = []
        rows = rows.take(pc.sort_indices(rows, [(name, "ascending") for name in KEYS]))
        path = os.path.join(self._folder.name, f"{len(self._runs)}.arrow")
        self._keys.append(_keys_of(rows, len(self._runs)))
        with _disk_errors(path):
            self._runs.append(_Run(path, rows))

    def _piece(self, run_of_row: pa.Array) -> pa.Table:
        """The next rows, of which `run_of_row` names the runs: from each run in its own order."""
        parts = []
        for count in sorted(pc.value_counts(run_of_row).to_pylist(), key=lambda each: each["values"]):
            parts += self._runs[count["values"]].take(count["counts"])
        together = pa.Table.from_batches(parts, self._schema)
        del parts
        # Where the rows of the first run go, then those of the second, and so on; and the other way round.
        places = pc.sort_indices(run_of_row)
        return together.take(pc.sort_indices(places)).combine_chunks()


class _Run:
    """Sorted rows on disk, read from the beginning."""

    def __init__(self, path: str, rows: pa.Table) -> None:
        rows_at_once = max(1, min(_BATCH_ROWS, _BATCH_BYTES * rows.num_rows // max(rows.nbytes, 1)))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as stream,
            pa.ipc.new_file(stream, rows.schema, options=options) as out,
        ):
            out.write_table(rows, max_chunksize=rows_at_once)
        self._stream = pa.OSFile(path)
        # Open files need no name: those of a process that is killed vanish with it.
        os.unlink(path)
        self._file = pa.ipc.open_file(self._stream)
        self._next = 0
        self._batch: pa.RecordBatch | None = None

    def take(self, rows: int) -> list[pa.RecordBatch]:
        """The next so many rows, which there must be."""
        taken: list[pa.RecordBatch] = []
        while rows:
            if self._batch is None or not self._batch.num_rows:
                self._batch = self._file.get_batch(self._next)
                self._next += 1
            part = self._batch.slice(0, rows)
            self._batch = self._batch.slice(part.num_rows)
            rows -= part.num_rows
            taken.append(part)
        return taken

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _are_enough(pieces: Sequence[pa.Table], rows: int, size_bytes: int) -> bool:
    if sum(each.num_rows for each in pieces) >= rows:
        return True
    return bool(sum(each.nbytes for each in pieces) >= size_bytes)


def _keys_of(rows: pa.Table, run: int) -> pa.Table:
    """The keys of a run's rows, texts as dictionaries, with the run and the size of each row."""
    columns = {name: rows[name].dictionary_encode() if name in _TEXT_KEYS else rows[name] for name in KEYS}
    columns["run"] = pa.repeat(pa.scalar(run, pa.int32()), rows.num_rows)
    columns["size"] = _sizes(rows)
    return pa.table(columns)


def _sizes(rows: pa.Table) -> pa.ChunkedArray:
    """About how many bytes each row takes."""
    total: Any = pa.chunked_array([pa.repeat(pa.scalar(1_000, pa.int64()), rows.num_rows)])
    for field in rows.schema:
        if pa.types.is_string(field.type):
            total = pc.add(total, pc.fill_null(pc.binary_length(rows[field.name]), 0).cast(pa.int64()))
    return total


def _order(keys: Sequence[pa.Table]) -> tuple[pa.Array, Iterator[int | None], Iterator[int]]:
    """Of all rows in order: the run that each comes from, the place of its model among all of them, and its size."""
    table = pa.concat_tables(keys).unify_dictionaries().combine_chunks()
    ranked = {name: _ranks(table[name]) if name in _TEXT_KEYS else table[name] for name in KEYS}
    # Rows that are alike in all keys come in the order of their runs, or they could not be taken from them so.
    ranked["run"] = table["run"]
    order = pc.sort_indices(pa.table(ranked), [(name, "ascending") for name in ranked])
    models = ranked["model_id"].take(order)
    return table["run"].take(order).combine_chunks(), _values(models), _values(table["size"].take(order))


def _values(column: pa.Array | pa.ChunkedArray) -> Iterator[Any]:
    """The numbers of a column, of which only some become Python's own at a time."""
    for start in range(0, len(column), _BATCH_ROWS):
        yield from column.slice(start, _BATCH_ROWS).to_pylist()


def _ranks(column: pa.ChunkedArray) -> pa.Array:
    """The place of each text among all of them."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # without any row
        return pa.array([], pa.int32())
    ranks = pc.sort_indices(pc.sort_indices(array.dictionary))
    return ranks.cast(pa.int64()).take(array.indices)


def cut_pieces(
    rows: Iterable[tuple[int | None, int]], max_rows: int, max_bytes: int
) -> Iterator[tuple[int, int]]:
    """The beginnings and ends of pieces of sorted rows, each of which is a model (any number for it) and a size in bytes.

    A piece ends at one of the limits; and once it has half of the rows, where a model ends, so that a question
    for one model passes over the others' pieces.
    """
    start = end = size = 0
    before: int | None = None
    for model, each in rows:
        if model != before and end - start >= max(max_rows // 2, 1):
            yield start, end
            start, size = end, 0
        before = model
        end += 1
        size += each
        if end - start >= max_rows or size >= max_bytes:
            yield start, end
            start, size = end, 0
    if end > start:
        yield start, end


@contextlib.contextmanager
def _disk_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
