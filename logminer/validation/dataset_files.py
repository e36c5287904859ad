"""Opening a dataset and cutting it into lines, with a bound on everything that the file controls."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from logminer.errors import ConfigurationError, StorageError, UsageError
from logminer.validation.rules import MAX_LINE_BYTES, printable

# Any buffered reader; what it reads from does not matter.
ByteReader: TypeAlias = "io.BufferedReader[Any]"

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class OverlongLine:
    """Stands for a line that was skipped because it is longer than `MAX_LINE_BYTES`."""

    size_bytes: int


@contextmanager
def open_dataset(path: Path) -> Iterator[ByteReader]:
    """Open a local file. Raises UsageError, ConfigurationError or StorageError with the remedy."""
    where = printable(str(path))
    try:
        stream = io.BufferedReader(io.FileIO(path), _READ_BYTES)
    except IsADirectoryError as error:
        raise UsageError("is a folder", where=where, fix="Name one .jsonl file of it.") from error
    except PermissionError as error:
        raise ConfigurationError(
            "may not be read", where=where, fix="Ask for the right to read it."
        ) from error
    except FileNotFoundError as error:
        raise StorageError("does not exist", where=where, fix="Check the spelling of the path.") from error
    except ValueError as error:  # a NUL character in the path
        raise UsageError("is no possible path", where=where, fix="Check the spelling of the path.") from error
    except OSError as error:
        raise StorageError(
            f"can't be opened: {error.strerror}", where=where, fix="Try a local copy."
        ) from error
    with stream:
        yield stream


def is_gzip(stream: ByteReader) -> bool:
    """Whether the stream goes on with gzip data. Reads nothing away."""
    return stream.peek(2)[:2] == _GZIP_MAGIC


def unpacked(stream: ByteReader) -> ByteReader:
    """Read through gzip, several members too."""
    return io.BufferedReader(gzip.GzipFile(fileobj=stream, mode="rb"), _READ_BYTES)


def is_utf16(stream: ByteReader) -> bool:
    """Whether the stream goes on with a UTF-16 byte order mark. Reads nothing away."""
    return stream.peek(2)[:2] in _UTF16_BOMS


class LineReader:
    r"""Iterates over the lines of a stream without their ends, one in memory at a time.

    A line ends with `\n` or `\r\n`, and with a lone `\r` if `at_carriage_return`. Reading ends after
    `limit_bytes` (None: never), which `stopped` tells; `size_bytes` is what was read so far.
    """

    def __init__(
        self, stream: ByteReader, *, at_carriage_return: bool, limit_bytes: int | None = None
    ) -> None:
        self._stream = stream
        self._at_carriage_return = at_carriage_return
        self._limit_bytes = limit_bytes
        self.size_bytes = 0

    @property
    def stopped(self) -> bool:
        """Whether the limit was reached."""
        return self._limit_bytes is not None and self.size_bytes > self._limit_bytes

    def __iter__(self) -> Iterator[bytes | OverlongLine]:
        while line := self._stream.readline(MAX_LINE_BYTES):
            self.size_bytes += len(line)
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                yield OverlongLine(len(line) + self._skip_line())
            elif self._at_carriage_return and b"\r" in line:
                yield from line.splitlines()
            elif line.endswith(b"\n"):
                yield line[:-2] if line.endswith(b"\r\n") else line[:-1]
            else:
                yield line
            if self.stopped:
                return

    def _skip_line(self) -> int:
        before = self.size_bytes
        while not self.stopped and (piece := self._stream.readline(_READ_BYTES)):
            self.size_bytes += len(piece)
            if piece.endswith(b"\n"):
                break
        return self.size_bytes - before
