"""S3 objects as files that DuckDB reads: byte ranges, sizes known beforehand, ends kept.

DuckDB asks for a Parquet file's last 16 KiB, then for the column chunks that it needs. What questions ask for most
lies at a file's end, so with the size from the Delta log and the end remembered, a query takes about one GET a file
and no HEAD at all.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from logminer.errors import LogminerError
from logminer.s3.fetching import Fetcher
from logminer.s3.ranges import RangeFile

# So much of a file's end is fetched at once: the footer, and of a file with texts what filters mostly ask for.
_LEAST_END_BYTES = 64 << 10
_MOST_END_BYTES = 2 << 20
_END_SHARE = 120
_MAX_KEPT_BYTES = 256 << 20
# The objects under these names never change, so their time is of no interest; DuckDB wants one all the same.
_SOME_TIME = datetime(2020, 1, 1, tzinfo=UTC)


class StoreFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The file system that DuckDB is given for `s3://`. Knows the files in `sizes` and no others."""

    protocol = "s3"
    cachable = False

    def __init__(self, fetcher: Fetcher, sizes: Mapping[str, int], failures: list[LogminerError]) -> None:
        """What fails is also put into `failures`: of an exception, DuckDB hands on a text alone."""
        super().__init__()
        self._failures = failures
        self._fetcher = fetcher
        self._sizes = sizes
        self._ends: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Name, size and type of a file."""
        if path not in self._sizes:
            raise FileNotFoundError(path)
        return {"name": path, "size": self._sizes[path], "type": "file"}

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether the file is one of the store's."""
        return path in self._sizes

    def glob(self, path: str, **kwargs: Any) -> list[str]:
        """The file itself: names of the store hold no wildcards."""
        return [path] if path in self._sizes else []

    def modified(self, path: str) -> datetime:
        """A time that never changes."""
        return _SOME_TIME

    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> io.RawIOBase:
        """A file to read."""
        if mode != "rb" or path not in self._sizes:
            raise FileNotFoundError(path)
        return RangeFile(self, path, self._sizes[path])

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Bytes of a file; those at its end are fetched once."""
        size = self._sizes[path]
        length = min(length, size - start)
        first = max(size - min(max(size // _END_SHARE, _LEAST_END_BYTES), _MOST_END_BYTES), 0)
        if start < first:
            return self._fetch(path, start, length)
        with self._lock:
            end = self._ends.get(path)
        if end is None:
            end = self._fetch(path, first, size - first)
            self._keep(path, end)
        return end[start - first : start - first + length]

    def _keep(self, path: str, end: bytes) -> None:
        with self._lock:
            if path not in self._ends:
                self._ends[path] = end
                self._kept_bytes += len(end)
            while self._kept_bytes > _MAX_KEPT_BYTES:
                self._kept_bytes -= len(self._ends.popitem(last=False)[1])

    def _fetch(self, path: str, start: int, length: int) -> bytes:
        try:
            return self._fetcher.get_range(path, start, length)
        except LogminerError as error:
            self._failures.append(error)
            raise
