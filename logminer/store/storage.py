"""Where a store's bytes lie. Everything above speaks of names relative to the store's root.

Files appear whole or not at all: they are written under a temporary name and renamed. All of them can hold
prompt text, so they are readable by their owner alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from logminer.errors import ConfigurationError, LogminerError, StorageError, UsageError
from logminer.s3.uris import is_s3
from logminer.store.stored_file import StoredFile

if TYPE_CHECKING:
    import duckdb

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
# DuckDB takes the first for wildcards, deltalake the others for an escape and a separator.
_REFUSED_CHARACTERS = "*?[]{}%\\"


class Storage(Protocol):
    """The bytes of one store."""

    @property
    def uri(self) -> str:
        """The store's root, as the user may give it again."""

    @property
    def table_uri(self) -> str:
        """The Delta table's root, as deltalake takes it."""

    @property
    def table_options(self) -> dict[str, str] | None:
        """How deltalake reaches the table, with credentials of this moment; None where it needs to be told nothing."""

    def path(self, name: str, size_bytes: int | None = None) -> str:
        """The file `name` as DuckDB takes it, in a connection that `connect` was called with.

        A size that is known spares a question for it.
        """

    def connect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a DuckDB connection read the store's files."""

    def failure(self, error: Exception, problem: str) -> LogminerError:
        """The error to raise for what deltalake or DuckDB said when it could not do something with the files.

        `problem` says what could not be done.
        """

    def open_input(self, name: str, size_bytes: int) -> BinaryIO:
        """A file to read at any place. Raises StorageError where there is none."""

    def list_names(self, folder: str) -> list[str]:
        """Names of the whole files directly in `folder`, sorted; none where it does not exist."""

    def list_files(self, folder: str) -> list[StoredFile]:
        """All files below `folder`, at any depth, sorted by name: hidden and unfinished ones too."""

    def prepare(self) -> None:
        """Make the store's own folders, readable by their owner alone, where there are none."""

    def read_bytes(self, name: str) -> bytes | None:
        """The content of a file; None where there is none, or none any more."""

    def open_output(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """A file to write; it appears under its name when the context ends without an error."""

    def put_new(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one; whether it was written."""

    def create(self, name: str) -> BinaryIO:
        """A new file under a name that is in use nowhere; for files that count only once a commit names them."""

    def discard(self, name: str, stream: BinaryIO) -> None:
        """Give up a file that `create` gave, however far it came."""

    def delete(self, name: str) -> None:
        """Remove a file; that it is gone already is no error."""

    def delete_all(self, names: Iterable[str]) -> None:
        """Remove many files; those that are gone already are no error."""

    def delete_empty_folders(self, folder: str, before: datetime) -> int:
        """Remove the folders directly in `folder` that are empty and older; how many there were."""


class LocalStorage:
    """A store in a local folder."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)

    @property
    def uri(self) -> str:
        """The folder's path."""
        return self._root

    @property
    def table_uri(self) -> str:
        """The table's folder."""
        return os.path.join(self._root, "invocations")

    @property
    def table_options(self) -> None:
        """Nothing needs to be told."""
        return None

    def path(self, name: str, size_bytes: int | None = None) -> str:
        """The file's path."""
        return os.path.join(self._root, name)

    def connect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Nothing: DuckDB reads local files by itself."""

    def failure(self, error: Exception, problem: str) -> LogminerError:
        """The system's error number stands inside of many lines in colour."""
        number = _OS_ERROR.search(str(error))
        if number is not None:
            return storage_error(OSError(int(number[1]), os.strerror(int(number[1]))), self._root)
        said = str(error).strip().partition("\n")[0]
        return StorageError(f"{problem}: {said}", where=self._root, fix="Look at the folder, and run again.")

    def open_input(self, name: str, size_bytes: int) -> BinaryIO:
        """A file to read at any place."""
        try:
            return open(self.path(name), "rb")
        except OSError as error:
            raise storage_error(error, self.path(name)) from error

    def prepare(self) -> None:
        """Make the store's folder and the table's."""
        try:
            make_private_folders(self.table_uri)
        except OSError as error:
            raise storage_error(error, self._root) from error

    def list_names(self, folder: str) -> list[str]:
        """Names of the whole files directly in `folder`, sorted."""
        try:
            names = os.listdir(self.path(folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error(error, self.path(folder)) from error
        return sorted(f"{folder}/{name}" for name in names if not name.startswith("."))

    def list_files(self, folder: str) -> list[StoredFile]:
        """All files below `folder`; one that vanishes meanwhile is left out."""
        found: list[StoredFile] = []
        try:
            for path, _, names in os.walk(self.path(folder), onerror=_raise_unless_missing):
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        found.append(self._stored_file(os.path.join(path, name)))
        except OSError as error:
            raise storage_error(error, self.path(folder)) from error
        return sorted(found, key=lambda file: file.name)

    def _stored_file(self, path: str) -> StoredFile:
        status = os.lstat(path)
        name = os.path.relpath(path, self._root).replace(os.sep, "/")
        return StoredFile(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def read_bytes(self, name: str) -> bytes | None:
        """The content of a file, if there is one."""
        try:
            return Path(self.path(name)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, self.path(name)) from error

    @contextlib.contextmanager
    def open_output(self, name: str) -> Iterator[BinaryIO]:
        """A file to write; it appears under its name when the context ends without an error."""
        self._make_folder_of(name)
        with open_whole(self.path(name)) as stream:
            yield stream

    def _make_folder_of(self, name: str) -> None:
        """Make the folder of a file, but not the one around it: a store that was deleted does not come back."""
        folder = os.path.dirname(self.path(name))
        try:
            os.mkdir(folder, mode=0o700)
        except FileExistsError:
            return
        except FileNotFoundError as error:
            raise StorageError(
                "the store's folder is gone", where=self._root, fix="Was it moved or deleted? Run again."
            ) from error
        except OSError as error:
            raise storage_error(error, folder) from error

    def put_new(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one: a link cannot take the place of a file."""
        self._make_folder_of(name)
        path = self.path(name)
        temporary = os.path.join(os.path.dirname(path), f".{uuid.uuid4().hex}.tmp")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(content)
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            raise storage_error(error, path) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        return True

    def create(self, name: str) -> BinaryIO:
        """A new file under a name that is in use nowhere."""
        path = self.path(name)
        for last in (False, True):
            self._make_folder_of(name)
            try:
                return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
            except FileNotFoundError as error:  # a vacuum took the folder, which was empty, in between
                if last:
                    raise storage_error(error, path) from error
            except OSError as error:
                raise storage_error(error, path) from error
        raise AssertionError("the last attempt raises")

    def discard(self, name: str, stream: BinaryIO) -> None:
        """Close a file, and remove it."""
        with contextlib.suppress(OSError):
            stream.close()
        self.delete(name)

    def delete(self, name: str) -> None:
        """Remove a file."""
        try:
            os.unlink(self.path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, self.path(name)) from error

    def delete_all(self, names: Iterable[str]) -> None:
        """Remove many files."""
        for name in names:
            self.delete(name)

    def delete_empty_folders(self, folder: str, before: datetime) -> int:
        """Remove empty folders; rmdir itself refuses one that is in use."""
        removed = 0
        try:
            with os.scandir(self.path(folder)) as entries:
                folders = [each.path for each in entries if each.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise storage_error(error, self.path(folder)) from error
        for path in sorted(folders):
            if os.stat(path).st_mtime < before.timestamp() and not os.listdir(path):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
                    removed += 1
        return removed


def _raise_unless_missing(error: OSError) -> None:
    """What os.walk is to do with an error; by itself it passes over all of them."""
    if not isinstance(error, FileNotFoundError):
        raise error


@contextlib.contextmanager
def open_whole(path: str) -> Iterator[BinaryIO]:
    """A local file to write, readable by its owner alone; it appears when the context ends without an error."""
    folder = os.path.dirname(path) or "."
    temporary = os.path.join(folder, f".{os.path.basename(path)}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        make_private_folders(folder)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        os.replace(temporary, path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def make_private_folders(folder: str) -> None:
    """Make `folder` and what is missing above it, all readable by their owner alone. Raises OSError."""
    # os.makedirs would give its mode to the last one alone.
    folder = os.path.abspath(folder)
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(each, mode=0o700)


def storage_error(error: OSError, path: str) -> StorageError | ConfigurationError:
    """The error to raise for what the operating system said of `path`."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ConfigurationError(
            f"no permission: {error.strerror}",
            where=path,
            fix="Give permission to it, or choose another --store.",
        )
    return StorageError(
        error.strerror or str(error), where=path, fix="Mend that, and run again; nothing is half done."
    )


def open_storage(uri: str) -> Storage:
    """The storage of a store. Raises UsageError for places that a store cannot be in."""
    if is_s3(uri):
        from logminer.store.s3_storage import S3Storage

        return S3Storage(uri)
    if "://" in uri and not uri.startswith("file://"):
        raise UsageError(
            f"a store cannot lie in {uri.split('://')[0]}://",
            where=uri,
            fix="Give a folder or s3://bucket/prefix as --store.",
        )
    root = uri.removeprefix("file://")
    if not root:
        raise UsageError("the store's path is empty", where="--store", fix="Give a folder as --store.")
    path = os.path.realpath(root)
    if bad := sorted({each for each in path if each in _REFUSED_CHARACTERS or not each.isprintable()}):
        raise UsageError(
            f"a store's path cannot hold {' '.join(map(repr, bad))}",
            where=repr(root),
            fix="Choose another folder as --store.",
        )
    return LocalStorage(root)
