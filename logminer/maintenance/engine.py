"""DuckDB for work on whole days: bounded memory, a folder to spill to, and errors that say what to do."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from logminer.errors import LogminerError, StorageError
from logminer.store.duck import connect, quote_literal, unreadable
from logminer.store.storage import Storage

if TYPE_CHECKING:
    import duckdb

# Sorting spills what is more; other parts of the process hold a few row groups beside it.
MEMORY = "1GB"


@contextlib.contextmanager
def working_connection(storage: Storage) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for large answers. What it spills only this user can read, and it goes with the connection.

    Raises StorageError where a file of the store cannot be read, or where memory or disk do not suffice.
    """
    with tempfile.TemporaryDirectory(prefix="logminer-") as spill, connect(storage) as connection:
        connection.execute(f"SET memory_limit = {quote_literal(MEMORY)}")
        connection.execute(f"SET temp_directory = {quote_literal(spill)}")
        connection.execute("SET preserve_insertion_order = false")
        with translated_errors(storage, spill):
            yield connection


@contextlib.contextmanager
def translated_errors(storage: Storage, spill: str) -> Iterator[None]:
    """Turn DuckDB's errors into ours; Ctrl-C comes as one of two, depending on the moment."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise _meaning_of(storage, error, spill) from error


def _meaning_of(storage: Storage, error: duckdb.Error, spill: str) -> LogminerError:
    import duckdb

    if isinstance(error, duckdb.OutOfMemoryException) or spill in str(error):
        return StorageError(
            "not enough memory, or not enough room to spill to",
            where=spill,
            fix="Point TMPDIR to a larger disk, or work on fewer days at a time (--since, --until).",
        )
    return unreadable(storage, error)
