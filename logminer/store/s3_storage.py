"""A store below an S3 prefix.

Nothing is ever written in place: an object appears when its upload is complete. What is being written lies in
an unnamed local file until then.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from logminer.errors import LogminerError
from logminer.s3.access import S3Access
from logminer.s3.failures import came_of_missing, s3_failure
from logminer.s3.fetching import Fetcher
from logminer.s3.ranges import open_object
from logminer.s3.retrying import retried
from logminer.s3.uris import split_s3
from logminer.source_rules import S3Settings
from logminer.store.stored_file import StoredFile

if TYPE_CHECKING:
    import duckdb


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_DELETED_AT_ONCE = 1_000


class S3Storage:
    """The bytes of a store in S3."""

    def __init__(self, uri: str, settings: S3Settings | None = None) -> None:
        self._bucket, self._prefix = split_s3(uri)
        self._access = S3Access(settings)
        self._fetcher = Fetcher(self._access)
        self._sizes: dict[str, int] = {}
        self._failures: list[LogminerError] = []

    @property
    def uri(self) -> str:
        """The prefix's address."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def table_uri(self) -> str:
        """The table's address."""
        return f"{self.uri}/invocations"

    @property
    def table_options(self) -> dict[str, str]:
        """How deltalake reaches the table, with credentials of this moment."""
        return self._access.storage_options(self._bucket)

    def path(self, name: str, size_bytes: int | None = None) -> str:
        """The object's address."""
        path = f"{self.uri}/{name}"
        if size_bytes is not None:
            self._sizes[path] = size_bytes
        return path

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}".lstrip("/")

    def prepare(self) -> None:
        """Nothing: there are no folders in S3."""

    def list_names(self, folder: str) -> list[str]:
        """Names of the objects directly in `folder`, sorted."""
        import obstore

        store, key = self._access.store(self._bucket), self._key(folder)
        found: Any = retried(lambda: obstore.list_with_delimiter(store, key), "list", self._bucket, key)
        start = len(self._key(""))
        names = {each["path"][start:]: each["size"] for each in found["objects"]}
        for name, size in names.items():
            self.path(name, size)
        return sorted(names)

    def list_files(self, folder: str) -> list[StoredFile]:
        """All objects below `folder`."""
        import obstore

        store, key = self._access.store(self._bucket), self._key(folder)
        found: Any = retried(lambda: obstore.list(store, key).collect(), "list", self._bucket, key)
        start = len(self._key(""))
        files = [StoredFile(each["path"][start:], each["size"], each["last_modified"]) for each in found]
        for file in files:
            self.path(file.name, file.size_bytes)
        return sorted(files, key=lambda file: file.name)

    def read_bytes(self, name: str) -> bytes | None:
        """The content of an object, if there is one."""
        try:
            return self._fetcher.get(self.path(name))
        except LogminerError as error:
            if came_of_missing(error):
                return None
            raise

    @contextlib.contextmanager
    def open_output(self, name: str) -> Iterator[BinaryIO]:
        """An object to write; it appears when the context ends without an error."""
        with tempfile.TemporaryFile(prefix="logminer-") as local:
            yield cast(BinaryIO, local)
            self._upload(name, cast(BinaryIO, local))

    def put_new(self, name: str, content: bytes) -> bool:
        """Write an object unless there is one, by a conditional write."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        store, key = self._access.store(self._bucket), self._key(name)
        try:
            retried(lambda: obstore.put(store, key, content, mode="create"), "put", self._bucket, key)
        except LogminerError as error:
            if isinstance(error.__cause__, AlreadyExistsError):
                return False
            raise
        return True

    def create(self, name: str) -> BinaryIO:
        """A new object under a name that is in use nowhere; it is uploaded when it is closed."""
        return cast(BinaryIO, _Upload(self, name))

    def discard(self, name: str, stream: BinaryIO) -> None:
        """Close the local file, of which nothing was uploaded."""
        cast(_Upload, stream).discard()

    def failure(self, error: Exception, problem: str) -> LogminerError:
        """What S3 said, if it said anything: deltalake quotes it, DuckDB has it from the files it was given."""
        seen, self._failures[:] = self._failures[-1:], []
        action = "get" if problem.startswith(("cannot open", "cannot read")) else "put"
        return seen[0] if seen else s3_failure(error, action, self._bucket, self._prefix)

    def _upload(self, name: str, content: BinaryIO) -> None:
        self._fetcher.put(self.path(name), content)

    def open_input(self, name: str, size_bytes: int) -> BinaryIO:
        """An object to read at any place."""
        return cast(BinaryIO, open_object(self._fetcher, self.path(name), size_bytes, 1 << 20))

    def delete(self, name: str) -> None:
        """Remove an object."""
        import obstore

        store, key = self._access.store(self._bucket), self._key(name)
        try:
            retried(lambda: obstore.delete(store, key), "delete", self._bucket, key)
        except LogminerError as error:
            if not came_of_missing(error):
                raise

    def delete_all(self, names: Iterable[str]) -> None:
        """Remove many objects, a thousand with each request."""
        import obstore

        store, keys = self._access.store(self._bucket), [self._key(name) for name in names]
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            some = keys[start : start + _DELETED_AT_ONCE]
            # Those that are gone already are no error to S3.
            retried(functools.partial(obstore.delete, store, some), "delete", self._bucket, some[0])

    def delete_empty_folders(self, folder: str, before: datetime) -> int:
        """None: there are no folders in S3."""
        return 0

    def connect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB read the objects whose sizes are known."""
        from logminer.s3.files import StoreFiles

        connection.register_filesystem(StoreFiles(self._fetcher, self._sizes, self._failures))


class _Upload(io.FileIO):
    """A local file that has no name and becomes an object when it is closed."""

    def __init__(self, storage: S3Storage, name: str) -> None:
        self._storage, self._name = storage, name
        with tempfile.TemporaryFile(prefix="logminer-") as local:
            super().__init__(os.dup(local.fileno()), "w+b")

    def close(self) -> None:
        """Upload, once."""
        if not self.closed:
            try:
                self._storage._upload(self._name, cast(BinaryIO, self))
            finally:
                super().close()

    def discard(self) -> None:
        """Close it without uploading."""
        super().close()
