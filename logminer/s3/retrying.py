"""Requests that are tried again: with pauses that grow and scatter, and at a pace that S3 keeps up with."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from logminer.s3.failures import is_final, is_throttled, s3_failure

MAX_REQUESTS = 32
_START_REQUESTS = 16
_ATTEMPTS = 6
_LONGEST_PAUSE_SECONDS = 20.0

T = TypeVar("T")


class Pace:
    """How many requests run at once: one more after each success, half of them when S3 asks for less."""

    def __init__(self, limit: int = MAX_REQUESTS, start: int = _START_REQUESTS) -> None:
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


def retried(request: Callable[[], T], action: str, bucket: str, key: str, *, pace: Pace | None = None) -> T:
    """The answer to a request, tried until it works; what cannot get better is not tried again.

    `action` is that of `s3_failure`. Raises ConfigurationError or StorageError.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with pace.slot() if pace is not None else nullcontext():
                answer = request()
        except Exception as error:
            if not _is_s3_error(error):
                raise
            if is_final(error) or attempt == _ATTEMPTS - 1:
                raise s3_failure(error, action, bucket, key) from error
            if pace is not None and is_throttled(error):
                pace.throttled()
            pause = min(0.1 * 2**attempt, _LONGEST_PAUSE_SECONDS)
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, no secret
        else:
            if pace is not None:
                pace.succeeded()
            return answer
    raise AssertionError("the last attempt raises")


def _is_s3_error(error: Exception) -> bool:
    """Whether an exception says something of S3; obstore raises some as OSError or ValueError."""
    from obstore.exceptions import BaseError

    # boto3 makes the classes of some errors as it goes, all of them in this package.
    return isinstance(error, BaseError | OSError) or type(error).__module__.startswith(
        ("obstore", "botocore")
    )
