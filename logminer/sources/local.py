"""Log objects in folders and files.

Links inside a folder are passed over: they may lead out of it, or to a log object that is listed already.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from operator import attrgetter
from typing import BinaryIO

from logminer.errors import ConfigurationError, StorageError, UsageError
from logminer.sources.objects import (
    BODY_IN_LAYOUT,
    HOUR_FOLDER_END,
    IN_HOUR_FOLDER,
    MAX_BODY_BYTES,
    BodyUnavailable,
    Listing,
    LogObject,
    TimeSpan,
    Watch,
    file_uri,
    is_body,
    is_log_name,
    is_loose_log,
    path_of_uri,
    quote_path,
)


def list_local(source: str, span: TimeSpan, watch: Watch) -> Listing:
    """All log objects of a folder, file or glob, each once, sorted by URI.

    Raises UsageError where nothing is there, StorageError or ConfigurationError (no permission) where it
    cannot be read, and what `watch` raises.
    """
    path = path_of_uri(source) if source.startswith("file://") else source
    walk = _Walk(span, watch)
    for found in _source_paths(path, walk.listing):
        walk.add(found)
    # A glob can match a folder and, again, what is in it.
    objects = {log.uri: log for log in walk.listing.objects}
    walk.listing.objects = sorted(objects.values(), key=attrgetter("uri"))
    return walk.listing


def _source_paths(source: str, listing: Listing) -> list[str]:
    """The real paths of what the user named.

    What a glob finds is passed over where it is neither a file nor a folder, or a link out of the glob's folder.
    """
    if "\0" not in source:
        if os.path.exists(source):
            return [os.path.realpath(source)]
        base = os.path.join(os.path.realpath(_folder_of_glob(source)), "")
        matches = {os.path.realpath(path) for path in glob.glob(source, recursive=True)}
        usable = sorted(path for path in matches if _is_usable_match(path, base))
        listing.other_files += len(matches) - len(usable)
        if usable:
            return usable
    raise UsageError(
        "there is no such file or folder", where=source, fix="Check the path, or quote the glob."
    )


def _is_usable_match(path: str, base: str) -> bool:
    return os.path.join(path, "").startswith(base) and (os.path.isfile(path) or os.path.isdir(path))


def base_folder(source: str) -> str:
    """The real folder that the objects of a source are below: itself, a file's folder, or what is fixed of a glob."""
    path = path_of_uri(source) if source.startswith("file://") else source
    if not os.path.exists(path):
        return os.path.realpath(_folder_of_glob(path))
    real = os.path.realpath(path)
    return real if os.path.isdir(real) else os.path.dirname(real)


def _folder_of_glob(pattern: str) -> str:
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)
    return pattern


class _Walk:
    """Collects the log objects below the paths it is given."""

    def __init__(self, span: TimeSpan, watch: Watch) -> None:
        self.listing = Listing()
        self._span = span
        self._watch = watch

    def add(self, path: str) -> None:
        """Collect from a real path, of a folder or of a file that is read whatever its name."""
        status = _stat(path)
        if stat.S_ISDIR(status.st_mode):
            self._add_folder(path)
        elif not stat.S_ISREG(status.st_mode):
            raise UsageError(
                "is no regular file", where=path, fix="Pipe it into logminer, with - as the source."
            )
        elif is_body(path) or not is_log_name(os.path.basename(path).lstrip(".")):
            self.listing.other_files += 1
        elif self._span.wants(path):
            self._add_file(file_uri(path), file_uri(os.path.dirname(path)), status)

    def _add_folder(self, folder: str) -> None:
        """Collect the hour folders of a source, or, where it has none, the files with a log's ending."""
        root = file_uri(folder)
        in_layout = False
        loose: list[tuple[str, os.stat_result]] = []
        for current, names in _files_below(folder, self.listing):
            self._watch(len(names))
            if HOUR_FOLDER_END.search(current) is None:
                loose.extend((f"{current}/{name}", status) for name, status in names)
                continue
            in_layout = True
            if self._span.wants(current + "/"):
                self._add_files(current, root, names)
        for path, status in loose:
            if in_layout or not is_loose_log(path):
                self.listing.other_files += 1
            else:
                self._add_file(file_uri(path), root, status)

    def _add_files(self, folder: str, root: str, names: list[tuple[str, os.stat_result]]) -> None:
        prefix = file_uri(folder + "/")
        for name, status in names:
            if is_log_name(name):
                self._add_file(prefix + quote_path(name), root, status)
            else:
                self.listing.other_files += 1

    def _add_file(self, uri: str, root: str, status: os.stat_result) -> None:
        size = status.st_size
        if size == 0:
            self.listing.empty_objects += 1
            return
        self.listing.objects.append(LogObject(uri, root, size, f"{status.st_mtime_ns:x}-{size:x}"))


def _files_below(folder: str, listing: Listing) -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
    """Every folder from `folder` down but those of offloaded bodies, with its regular files.

    Links, sockets and the like are counted as other files.
    """
    pending = [folder]
    while pending:
        current = pending.pop()
        files: list[tuple[str, os.stat_result]] = []
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        files.append((entry.name, entry.stat(follow_symlinks=False)))
                    elif not entry.is_dir(follow_symlinks=False):
                        listing.other_files += 1
                    elif entry.name != "data" or HOUR_FOLDER_END.search(current) is None:
                        pending.append(entry.path)
        except FileNotFoundError:  # somebody tidies up; what was there is gone
            continue
        except OSError as error:
            raise _cannot("list the folder", error, current) from error
        yield current.rstrip("/"), files


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise _cannot("read", error, path) from error


def _cannot(do: str, error: OSError, where: str) -> StorageError | ConfigurationError:
    where = where.encode("utf-8", "replace").decode()
    if isinstance(error, PermissionError):
        return ConfigurationError(
            f"no permission to {do}", where=where, fix="Give read permission, and run again."
        )
    return StorageError(f"cannot {do}: {error.strerror}", where=where)


def open_local(log: LogObject) -> BinaryIO:
    """The bytes of a log object as they are stored. Raises StorageError or ConfigurationError."""
    try:
        return open(log.path, "rb")
    except OSError as error:
        raise _cannot("read", error, log.uri) from error


def spool_stdin(stream: BinaryIO, folder: str) -> LogObject:
    """Copy standard input to a file in `folder`, readable by its owner alone, and name it by its content.

    Raises StorageError.
    """
    digest = hashlib.sha256()
    try:
        handle, path = tempfile.mkstemp(dir=folder, prefix="stdin-")
        with os.fdopen(handle, "wb") as copy:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise StorageError(
            f"cannot copy standard input: {error.strerror}",
            where=folder,
            fix="Point TMPDIR to a larger disk, and run again.",
        ) from error
    name = digest.hexdigest()
    copied = file_uri(os.path.realpath(path))
    return LogObject(f"stdin:sha256:{name}", "", os.path.getsize(path), name, copied)


def read_local_body(log: LogObject, body_path: str) -> bytes:
    """The stored bytes of the body that a record of `log` names, from the local copy of its bucket.

    The name in the path leads: the file is looked for in `data/` beside the log object, then in the hour
    folder that the path speaks of, in the layout that the log object lies in. Nothing outside the source
    folder is ever read. Raises BodyUnavailable, or StorageError where the file breaks off while it is read.
    """
    for candidate in _body_candidates(log, body_path):
        real = os.path.realpath(candidate)
        if not os.path.isfile(real):
            continue
        if not real.startswith(os.path.join(path_of_uri(log.root), "")):
            raise BodyUnavailable("outside_source")
        return _read_body(real)
    raise BodyUnavailable("offloaded")


def _read_body(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_BODY_BYTES + 1)
    except FileNotFoundError:
        raise BodyUnavailable("offloaded") from None
    except PermissionError:
        raise BodyUnavailable("forbidden") from None
    except OSError as error:
        raise _cannot("read", error, file_uri(path)) from error
    if len(content) > MAX_BODY_BYTES:
        raise BodyUnavailable("too_large")
    return content


def _body_candidates(log: LogObject, body_path: str) -> Iterator[str]:
    name = body_path.rpartition("/")[2]
    if not log.root or not name or name in (".", "..") or "\0" in name:
        return
    path = log.path
    yield os.path.join(os.path.dirname(path), "data", name)
    wanted = BODY_IN_LAYOUT.search(body_path)
    here = IN_HOUR_FOLDER.search(path)
    if wanted is not None and here is not None:
        yield f"{path[: here.start('region')]}{wanted['region']}/{wanted['hour']}/data/{name}"
