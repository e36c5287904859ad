"""Many objects at once: GETs side by side, as many as S3 takes, handed over in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, cast

from logminer.errors import LogminerError
from logminer.s3.access import S3Access
from logminer.s3.gets import read_object, read_range
from logminer.s3.retrying import MAX_REQUESTS, Pace, retried
from logminer.s3.uris import split_object, split_s3

# Objects that wait to be read; one that is larger by itself is still taken.
_MAX_WAITING_BYTES = 64 << 20


class Fetcher:
    """Gets whole objects; keeps its pace over all calls."""

    def __init__(self, access: S3Access) -> None:
        self._access = access
        self._pace = Pace()
        self._pool = ThreadPoolExecutor(MAX_REQUESTS, thread_name_prefix="s3")

    def get(self, uri: str, size_bytes: int | None = None) -> bytes:
        """An object's bytes. `size_bytes` is what the listing said; other lengths are fetched again.

        Raises ConfigurationError or StorageError.
        """
        bucket, key = split_object(uri)

        def fetch() -> bytes:
            data = read_object(self._access, bucket, key)
            assert data is not None
            if size_bytes is not None and len(data) != size_bytes:
                raise _WrongLengthError(f"{len(data)} bytes instead of {size_bytes}")
            return data

        return retried(fetch, "get", bucket, key, pace=self._pace)

    def get_within(self, uri: str, limit_bytes: int) -> bytes | None:
        """An object's bytes; None where they are more than that. Raises ConfigurationError or StorageError."""
        bucket, key = split_object(uri)
        return retried(
            lambda: read_object(self._access, bucket, key, limit_bytes), "get", bucket, key, pace=self._pace
        )

    def get_ahead(self, uri: str, limit_bytes: int) -> Future[bytes | None]:
        """The same, beside what the caller does meanwhile."""
        return self._pool.submit(self.get_within, uri, limit_bytes)

    def get_range(self, uri: str, start: int, length: int) -> bytes:
        """Some of an object's bytes. Raises ConfigurationError or StorageError."""
        bucket, key = split_object(uri)

        def fetch() -> bytes:
            data = read_range(self._access, bucket, key, start, length)
            if len(data) != length:
                raise _WrongLengthError(f"{len(data)} bytes instead of {length}")
            return data

        return retried(fetch, "get", bucket, key, pace=self._pace)

    def put(self, uri: str, content: BinaryIO) -> None:
        """Write an object, whole or not at all. Raises ConfigurationError or StorageError."""
        import obstore

        bucket, key = split_s3(uri)
        store = self._access.store(bucket)

        def upload() -> None:
            content.seek(0)
            obstore.put(store, key, cast(Any, content))

        retried(upload, "put", bucket, key, pace=self._pace)

    def get_many(self, wanted: Iterable[tuple[str, int]]) -> Iterator[bytes | LogminerError]:
        """The bytes of objects given by URI and size, in this order; an error in the place of one that failed.

        Fetches ahead, by count and by bytes.
        """
        pending: deque[tuple[Future[bytes], int]] = deque()
        waiting_bytes = 0
        source = iter(wanted)
        following = next(source, None)
        while following is not None or pending:
            while following is not None and (
                not pending
                or (len(pending) < 2 * MAX_REQUESTS and waiting_bytes + following[1] <= _MAX_WAITING_BYTES)
            ):
                pending.append((self._pool.submit(self.get, *following), following[1]))
                waiting_bytes += following[1]
                following = next(source, None)
            future, size = pending.popleft()
            try:
                yield future.result()
            except LogminerError as error:
                yield error
            waiting_bytes -= size


class _WrongLengthError(OSError):
    """An answer with a right status and a wrong length."""
