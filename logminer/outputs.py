"""Files and S3 objects that users ask for with -o: they appear whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from logminer.errors import ConfigurationError, LogminerError, UsageError
from logminer.s3.uris import MAX_BEDROCK_URI, is_s3, refused_by_bedrock, split_s3
from logminer.store.storage import Storage, open_storage, open_whole, storage_error


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


def check_output_folder(path: str, storage: Storage | None = None) -> str:
    """The absolute path, or the S3 address, of a folder that is to be filled: one that is not there, or is empty.

    Raises UsageError, ConfigurationError or StorageError as `check_output` does, and for a folder with files in
    it, where nobody could tell old ones from new.
    """
    bare = path.rstrip("/")
    if os.path.isdir(path.removeprefix("file://")) and not is_s3(path):
        if os.listdir(path.removeprefix("file://")):
            raise _refused(path, "has files in it already", "Give a new folder, or empty this one.")
        return check_output(os.path.join(bare, "new"), storage).removesuffix("/new")
    checked = check_output(bare, storage)
    if not is_s3(checked):
        if os.path.exists(checked):
            raise _refused(path, "is a file, and this makes a folder", "Give another path.")
    elif open_storage(checked).list_files(""):
        raise _refused(path, "has objects below it already", "Give another address, or delete them.")
    return checked


@contextlib.contextmanager
def open_output_folder(destination: str) -> Iterator[Callable[[str], AbstractContextManager[BinaryIO]]]:
    """What `check_output_folder` gave, to fill: a function that opens a new file in it by its name.

    A local folder appears when the context ends without an error, and is its owner's alone. Objects in S3 appear
    one by one, and are deleted after an error.
    """
    with _new_prefix(destination) if is_s3(destination) else _new_folder(destination) as open_file:
        yield open_file


@contextlib.contextmanager
def _new_folder(path: str) -> Iterator[Callable[[str], AbstractContextManager[BinaryIO]]]:
    temporary = f"{os.path.dirname(path)}/.{os.path.basename(path)}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        os.mkdir(temporary, 0o700)
        yield lambda name: open_whole(f"{temporary}/{name}")
        os.rename(temporary, path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _new_prefix(uri: str) -> Iterator[Callable[[str], AbstractContextManager[BinaryIO]]]:
    storage = open_storage(uri)
    written: list[str] = []

    def open_file(name: str) -> AbstractContextManager[BinaryIO]:
        written.append(name)
        return storage.open_output(name)

    try:
        yield open_file
    except BaseException:
        for name in written:
            with contextlib.suppress(LogminerError):  # what went wrong first is what the user is told
                storage.delete(name)
        raise
