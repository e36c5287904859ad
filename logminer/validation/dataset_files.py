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
from logminer.printable import printable
from logminer.validation.rules import MAX_LINE_BYTES

# Any buffered reader; what it reads from does not matter.
ByteReader: TypeAlias = "io.BufferedReader[Any]"

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1024**2
_BATCH_BYTES = 128 * 1024  # fits into the caches of the processor


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
    r"""Cuts a stream into batches of lines, of about `_BATCH_BYTES` each.

    Every line comes with one line feed at its end, whatever ended it: `\n`, `\r\n`, the end of the stream, or a
    lone `\r` if `at_carriage_return`. Reading ends after `limit_bytes` (None: never), which `stopped` tells;
    `size_bytes` is what was read so far, `line_ends_mended` how many lines ended otherwise.
    """

    def __init__(
        self, stream: ByteReader, *, at_carriage_return: bool, limit_bytes: int | None = None
    ) -> None:
        self._stream = stream
        self._at_carriage_return = at_carriage_return
        self._limit_bytes = limit_bytes
        self.size_bytes = self.line_ends_mended = 0

    @property
    def stopped(self) -> bool:
        """Whether the limit was reached."""
        return self._limit_bytes is not None and self.size_bytes > self._limit_bytes

    def batches(self) -> Iterator[list[bytes] | OverlongLine]:
        """The lines in their order. OSError and what a damaged gzip raises pass through."""
        while not self.stopped and (data := self._stream.read1(_BATCH_BYTES)):
            if not data.endswith(b"\n"):
                data += self._stream.readline(MAX_LINE_BYTES)
            self.size_bytes += len(data)
            lines = io.BytesIO(data).readlines()
            last = b""
            if not data.endswith(b"\n"):
                last = lines.pop()
                if len(last) < MAX_LINE_BYTES:
                    lines.append(last + b"\n")
                    last = b""
                    self.line_ends_mended += 1
            if b"\r" in data:
                lines = self._without_carriage_returns(lines)
            if lines:
                yield lines
            if last:
                yield OverlongLine(len(last) + self._skip_line())

    def _without_carriage_returns(self, lines: list[bytes]) -> list[bytes]:
        if self._at_carriage_return:
            return [piece + b"\n" for line in lines for piece in line.splitlines()]
        mended = [line[:-2] + b"\n" if line.endswith(b"\r\n") else line for line in lines]
        self.line_ends_mended += sum(len(new) < len(old) for new, old in zip(mended, lines, strict=True))
        return mended

    def _skip_line(self) -> int:
        before = self.size_bytes
        while not self.stopped and (piece := self._stream.readline(_READ_BYTES)):
            self.size_bytes += len(piece)
            if piece.endswith(b"\n"):
                break
        return self.size_bytes - before
