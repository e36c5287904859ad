"""Files and S3 objects that users ask for with -o: they appear whole, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from logminer.errors import ConfigurationError, UsageError
from logminer.s3.uris import MAX_BEDROCK_URI, is_s3, refused_by_bedrock, split_s3
from logminer.store.storage import Storage, open_storage, open_whole


def check_output(path: str, storage: Storage | None = None) -> str:
    """The absolute path, or the S3 address, of a file that is to be written.

    Raises UsageError or ConfigurationError where it cannot become one, before any work is done for it: where it
    lies in the store `storage`, too, where a dataset would be taken for one of its files, and where it is a
    device, which would be replaced by a file.
    """
    if is_s3(path):
        return _check_object(path, storage)
    if not path or path == "-" or "\0" in path:
        raise _refused(path, "is no file", "Give a path, such as -o train.jsonl.")
    if "://" in path.removeprefix("file://"):
        raise _refused(path, "is neither a local path nor s3://bucket/key", "Give one of these.")
    path = path.removeprefix("file://")
    absolute = os.path.abspath(path)
    if os.path.isdir(path) or path.endswith("/"):
        raise _refused(path, "is a folder", "Give the path of a file in it.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise _refused(path, "is no regular file", "Leave -o out to write to stdout.")
    if storage is not None and Path(os.path.realpath(absolute)).is_relative_to(storage.uri):
        raise _refused(path, "lies in the store", "Give a path outside of it.")
    _check_folder(path, os.path.dirname(absolute))
    return absolute


def _check_folder(path: str, folder: str) -> None:
    if not os.path.isdir(folder):
        raise _refused(path, "the folder does not exist", f"Make it with: mkdir -p {folder}")
    as_who_runs = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=as_who_runs):
        raise ConfigurationError(
            "no permission to write in the folder", where=f"-o {path}", fix="Choose another folder for it."
        )


def _check_object(uri: str, storage: Storage | None) -> str:
    _, key = split_s3(uri)
    if not key or uri.endswith("/"):
        raise _refused(uri, "names no object", "Give a whole name, such as s3://bucket/sets/train.jsonl.")
    refused = refused_by_bedrock(uri)
    if refused:
        named = (
            " ".join(repr(each) for each in refused if each != "length")
            or f"over {MAX_BEDROCK_URI} characters"
        )
        raise _refused(uri, f"a Bedrock job cannot read from there: {named}", "Choose another name.")
    if storage is not None and uri.startswith(storage.uri + "/"):
        raise _refused(uri, "lies in the store", "Give an address outside of it.")
    return uri


def _refused(path: str, problem: str, fix: str) -> UsageError:
    return UsageError(problem, where=f"-o {path or repr(path)}", fix=fix)


@contextlib.contextmanager
def open_output(destination: str) -> Iterator[BinaryIO]:
    """What `check_output` gave, to write; it appears when the context ends without an error.

    A local file is readable by its owner alone.
    """
    if is_s3(destination):
        folder, _, name = destination.rpartition("/")
        with open_storage(folder).open_output(name) as stream:
            yield stream
    else:
        with open_whole(destination) as stream:
            yield stream
