"""Where a dataset is read from: a file, an S3 object, standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from logminer.errors import LogminerError, UsageError
from logminer.printable import printable
from logminer.s3.uris import is_s3
from logminer.source_rules import SourceRule
from logminer.sources import SourceReader, list_source, path_of_uri
from logminer.validation.dataset_files import ByteReader, open_dataset

STDIN = "-"


@contextmanager
def open_any(path: str, rules: Sequence[SourceRule] = ()) -> Iterator[ByteReader]:
    """Open a dataset by its path, its S3 address or `-`; a large S3 object is read in ranges.

    Raises UsageError, ConfigurationError or StorageError with the remedy.
    """
    if path == STDIN:
        yield cast(ByteReader, sys.stdin.buffer)
    elif is_s3(path):
        with _open_object(path, rules) as stream:
            yield stream
    elif "://" in path.removeprefix("file://"):
        raise UsageError(
            "is neither a local path nor s3://bucket/key", where=printable(path), fix="Give one of these."
        )
    else:
        local = path_of_uri(path) if path.startswith("file://") else path
        with open_dataset(Path(local)) as stream:
            yield stream


def _open_object(uri: str, rules: Sequence[SourceRule]) -> ByteReader:
    reader = SourceReader(rules)
    objects = list_source(uri, reader=reader).objects
    named = [log for log in objects if log.uri == uri]
    if not named:
        raise UsageError(
            "is a prefix and no object" if objects else "holds no dataset",
            where=printable(uri),
            fix="Name one .jsonl object; for logs use --profile invocation-logs.",
        )
    (_, stream), *_ = reader.open_each(named)
    if isinstance(stream, LogminerError):
        raise stream
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
