"""Many objects at once: GETs side by side, as many as S3 takes, handed over in the order they were asked for."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar, cast

from logminer.errors import LogminerError
from logminer.s3.access import S3Access
from logminer.s3.failures import is_archived, is_denied, is_missing, is_throttled, s3_failure
from logminer.s3.uris import split_s3

_MAX_REQUESTS = 32
_START_REQUESTS = 16
# Objects that wait to be read; one that is larger by itself is still taken.
_MAX_WAITING_BYTES = 64 << 20
_ATTEMPTS = 6
_LONGEST_PAUSE_SECONDS = 20.0

T = TypeVar("T")


class Pace:
    """How many requests run at once: one more after each success, half of them when S3 asks for less."""

    def __init__(self, limit: int = _MAX_REQUESTS, start: int = _START_REQUESTS) -> None:
        self._limit = limit
        self._allowed = float(start)
        self._running = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place for one request; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < max(int(self._allowed), 1))
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def succeeded(self) -> None:
        """A request was answered."""
        with self._changed:
            self._allowed = min(self._allowed + 1 / self._allowed, float(self._limit))
            self._changed.notify_all()

    def throttled(self) -> None:
        """S3 asked for fewer requests."""
        with self._changed:
            self._allowed = max(self._allowed / 2, 1.0)


class Fetcher:
    """Gets whole objects; keeps its pace over all calls."""

    def __init__(self, access: S3Access) -> None:
        self._access = access
        self._pace = Pace()
        self._pool = ThreadPoolExecutor(_MAX_REQUESTS, thread_name_prefix="s3")

    def get(self, uri: str, size_bytes: int | None = None, *, limit_bytes: int | None = None) -> bytes:
        """An object's bytes. `size_bytes` is what the listing said; other lengths are fetched again.

        Of an object that is larger than `limit_bytes`, one byte more than that comes. Raises ConfigurationError
        or StorageError.
        """
        import obstore

        bucket, key = split_s3(uri)
        store = self._access.store(bucket)

        def fetch() -> bytes:
            answer = obstore.get(store, key)
            if limit_bytes is not None and answer.meta["size"] > limit_bytes:
                return bytes(obstore.get_range(store, key, start=0, length=limit_bytes + 1))
            data = bytes(answer.bytes())
            if size_bytes is not None and len(data) != size_bytes:
                raise _WrongLengthError(f"{len(data)} bytes instead of {size_bytes}")
            return data

        return self._again(fetch, "get", bucket, key)

    def get_range(self, uri: str, start: int, length: int) -> bytes:
        """Some of an object's bytes. Raises ConfigurationError or StorageError."""
        import obstore

        bucket, key = split_s3(uri)
        store = self._access.store(bucket)

        def fetch() -> bytes:
            data = bytes(obstore.get_range(store, key, start=start, length=length))
            if len(data) != length:
                raise _WrongLengthError(f"{len(data)} bytes instead of {length}")
            return data

        return self._again(fetch, "get", bucket, key)

    def put(self, uri: str, content: BinaryIO) -> None:
        """Write an object, whole or not at all. Raises ConfigurationError or StorageError."""
        import obstore

        bucket, key = split_s3(uri)
        store = self._access.store(bucket)

        def upload() -> None:
            content.seek(0)
            obstore.put(store, key, cast(Any, content))

        self._again(upload, "put", bucket, key)

    def _again(self, request: Callable[[], T], action: str, bucket: str, key: str) -> T:
        """Try until it works, with pauses that grow and scatter; what cannot get better is not tried again."""
        from obstore.exceptions import BaseError

        for attempt in range(_ATTEMPTS):
            try:
                with self._pace.slot():
                    answer = request()
            except (BaseError, OSError) as error:
                last = attempt == _ATTEMPTS - 1
                if last or is_missing(error) or is_denied(error) or is_archived(error):
                    raise s3_failure(error, action, bucket, key) from error
                if is_throttled(error):
                    self._pace.throttled()
                pause = min(0.1 * 2**attempt, _LONGEST_PAUSE_SECONDS)
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, no secret
            else:
                self._pace.succeeded()
                return answer
        raise AssertionError("the last attempt raises")

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
                or (len(pending) < 2 * _MAX_REQUESTS and waiting_bytes + following[1] <= _MAX_WAITING_BYTES)
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

    def close(self) -> None:
        """Give up what is not fetched yet."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _WrongLengthError(OSError):
    """An answer with a right status and a wrong length."""
