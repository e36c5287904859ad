"""A DuckDB connection that sees the store's files and nothing else, and what its errors mean to a user."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from logminer.errors import LogminerError, StorageError, UsageError
from logminer.printable import printable
from logminer.store.duck import connect, quote_literal, unreadable
from logminer.store.storage import Storage

if TYPE_CHECKING:
    import duckdb

_FETCHED_ROWS = 1_000


class StoreConnection:
    """One connection, shut off from every file but `paths`, from the network, and from changes of its settings.

    One question at a time: the next one ends the answer before it. What does not fit into memory is spilled to
    a folder of its own that only this user can read, and that goes when the connection is closed.
    """

    def __init__(self, storage: Storage, paths: Collection[str]) -> None:
        self._storage = storage
        self._spill = tempfile.TemporaryDirectory(prefix="logminer-")
        self._connection = connect(storage)
        allowed = ", ".join(quote_literal(path) for path in paths)
        for setting in (
            f"temp_directory = {quote_literal(self._spill.name)}",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            f"allowed_paths = [{allowed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def close(self) -> None:
        """Close, and remove what was spilled."""
        self._connection.close()
        self._spill.cleanup()

    def ask(self, text: str, params: Sequence[Any] = (), *, where: str | None = None) -> Answer:
        """The answer to a query; `where` is the user's own expression in it, which is to blame for what fails.

        Raises StorageError where a file cannot be read, UsageError where the expression fails.
        """
        with self.translated_errors(where):
            return Answer(self, self._connection.execute(text, list(params)), where)

    def types(self, text: str) -> list[Any]:
        """The types of a query's columns, which is not run. Raises StorageError, or duckdb.Error for a wrong one."""
        with self.translated_errors(None):
            return list(self._connection.sql(text).types)

    @contextlib.contextmanager
    def translated_errors(self, where: str | None) -> Iterator[None]:
        """Turn DuckDB's errors into ours; one that can only be a mistake of ours stays what it is."""
        import duckdb

        try:
            yield
        except (duckdb.InterruptException, RuntimeError) as error:
            # Ctrl-C; which of the two it is depends on the moment.
            if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
                raise
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            meant = self._meaning_of(error, where)
            if meant is None:
                raise
            raise meant from error

    def _meaning_of(self, error: duckdb.Error, where: str | None) -> LogminerError | None:
        """The error to raise; DuckDB's own message is left out where it could quote what a record says."""
        import duckdb

        if isinstance(error, duckdb.OutOfMemoryException):
            return StorageError(
                "not enough memory, or not enough room to spill to",
                where=self._spill.name,
                fix="Ask for less at a time (--since, --until), or point TMPDIR to a larger disk.",
            )
        if isinstance(error, duckdb.IOException | duckdb.HTTPException) or self._storage.uri in str(error):
            return unreadable(self._storage, error)
        if where is None:
            return None
        return UsageError(
            f"fails for a record ({type(error).__name__.removesuffix('Exception')})",
            where=f"--where {printable(where)}",
            fix="Let it give NULL instead: TRY_CAST for CAST, TRY(expression) for the rest.",
        )


class Answer:
    """The rows of an answer as they are read; errors are those of `StoreConnection.ask`."""

    def __init__(
        self, connection: StoreConnection, cursor: duckdb.DuckDBPyConnection, where: str | None
    ) -> None:
        self._connection, self._cursor, self._where = connection, cursor, where

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Row by row; only some are in memory."""
        while rows := self._fetch(_FETCHED_ROWS):
            yield from rows

    def one(self) -> tuple[Any, ...]:
        """The only row."""
        (row,) = self
        return row

    def all(self) -> list[tuple[Any, ...]]:
        """Every row."""
        return list(self)

    def _fetch(self, rows: int) -> list[tuple[Any, ...]]:
        with self._connection.translated_errors(self._where):
            return self._cursor.fetchmany(rows)
