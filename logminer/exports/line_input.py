"""The lines of a dataset file, wherever it lies, one in memory at a time: local or S3, gzipped or not, stdin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from logminer.errors import CheckFailed, UsageError
from logminer.inflating import DamagedObject, inflate
from logminer.s3.access import S3Access
from logminer.s3.fetching import Fetcher
from logminer.s3.gets import object_head
from logminer.s3.ranges import open_object
from logminer.s3.retrying import retried
from logminer.s3.uris import is_s3, split_s3
from logminer.store.storage import storage_error

MAX_LINE_BYTES = 64 << 20
"""No format allows lines of a hundredth of this."""

_BOM = b"\xef\xbb\xbf"


def open_input(path: str, stdin: BinaryIO) -> AbstractContextManager[BinaryIO]:
    """A file's stored bytes; `-` is `stdin`, which stays open.

    Raises UsageError, ConfigurationError or StorageError.
    """
    if path == "-":
        return contextlib.nullcontext(stdin)
    if is_s3(path):
        return contextlib.closing(_open_object(path))
    if "://" in path.removeprefix("file://"):
        raise UsageError(
            "is neither a local path nor s3://bucket/key",
            where=path,
            fix="Give one of these, or - for stdin.",
        )
    try:
        return open(path.removeprefix("file://"), "rb")
    except IsADirectoryError as error:
        raise UsageError("is a folder", where=path, fix="Name one .jsonl file of it.") from error
    except (FileNotFoundError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError("there is no such file", where=repr(path), fix="Check the spelling.") from error
    except OSError as error:
        raise storage_error(error, path) from error


def _open_object(uri: str) -> BinaryIO:
    bucket, key = split_s3(uri)
    if not key or key.endswith("/"):
        raise UsageError("names no object", where=uri, fix="Give a whole name, such as s3://bucket/a.jsonl.")
    access = S3Access()
    size_bytes, _ = retried(lambda: object_head(access, bucket, key), "get", bucket, key)
    return cast(BinaryIO, open_object(Fetcher(access), uri, size_bytes))


def read_lines(stream: BinaryIO, where: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1 on, without ends and byte order mark.

    Gzip is undone. Raises CheckFailed for a damaged file and a line over `MAX_LINE_BYTES`, StorageError where
    reading fails.
    """
    number = 0
    try:
        for number, line in enumerate(_split(_inflated(stream, where), where), start=1):
            line = line.removeprefix(_BOM) if number == 1 else line
            if line.strip():
                yield number, line
    except DamagedObject as error:
        raise CheckFailed(
            f"the gzipped file is damaged ({error.reason}), after line {number}",
            where=where,
            fix="Fetch or make it again.",
        ) from error


def _inflated(stream: BinaryIO, where: str) -> Iterator[bytes]:
    try:
        yield from inflate(stream)
    except OSError as error:
        raise storage_error(error, where) from error


def _split(pieces: Iterable[bytes], where: str) -> Iterator[bytes]:
    r"""Lines out of pieces of any size; a line ends with `\n` or `\r\n`, the last one needs no end."""
    begun: list[bytes] = []
    begun_bytes = 0
    for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            yield b"".join([*begun, line]).removesuffix(b"\r")
            begun, begun_bytes = [], 0
        begun.append(rest)
        begun_bytes += len(rest)
        if begun_bytes > MAX_LINE_BYTES:
            raise CheckFailed(
                f"has a line of more than {MAX_LINE_BYTES >> 20} MiB",
                where=where,
                fix="Is it JSONL, one object a line?",
            )
    if any(begun):
        yield b"".join(begun)
