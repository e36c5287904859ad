"""An S3 object as a file that is read in byte ranges."""

from __future__ import annotations

import io
from typing import Any, Protocol

from logminer.s3.fetching import Fetcher

RANGE_BYTES = 8 << 20
"""How much of a large object is asked for at once."""


class Ranges(Protocol):
    """Gives byte ranges of objects."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of an object."""


class RangeFile(io.RawIOBase):
    """A file whose reads are GETs of ranges."""

    def __init__(self, ranges: Ranges, path: str, size: int) -> None:
        self._ranges, self._path, self._size = ranges, path, size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Bytes from here on, fewer only at the end."""
        if size < 0:
            size = self._size
        size = min(size, self._size - self._at)
        data = self._ranges.read_range(self._path, self._at, size) if size > 0 else b""
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from here on."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_object(
    fetcher: Fetcher, uri: str, size_bytes: int, buffer_bytes: int = RANGE_BYTES
) -> io.BufferedReader:
    """One object as a file that is read in ranges of `buffer_bytes`, for objects too large to be held."""
    return io.BufferedReader(RangeFile(FetchedRanges(fetcher), uri, size_bytes), buffer_bytes)


class FetchedRanges:
    """Ranges of objects, none of them kept."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of an object."""
        return self._fetcher.get_range(path, start, length)
