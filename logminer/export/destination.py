"""Where an export may be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from logminer.errors import UsageError
from logminer.store.storage import Storage


def local_destination(path: str, storage: Storage) -> str:
    """The absolute path to write to. Raises UsageError where a whole, new file cannot be put.

    An export is renamed into place, which would put a file in the stead of a device, and a dataset among the
    store's own files would be taken for one of them.
    """
    if path == "-" or "://" in path.removeprefix("file://") or "\0" in path:
        raise _refused(path, "is no local file")
    absolute = os.path.abspath(path.removeprefix("file://"))
    if Path(os.path.realpath(absolute)).is_relative_to(storage.uri):
        raise _refused(path, "lies in the store")
    try:
        mode = os.stat(absolute).st_mode
    except OSError:
        mode = stat.S_IFREG  # nothing is there, and writing says what else is wrong
    if stat.S_ISDIR(mode) or path.endswith("/"):
        raise _refused(path, "is a folder")
    if not stat.S_ISREG(mode):
        raise _refused(path, "is a device or pipe; an export is renamed into place when it is whole")
    return absolute


def _refused(path: str, problem: str) -> UsageError:
    return UsageError(problem, where=repr(path), fix="Give the path of a file, such as train.jsonl.")
