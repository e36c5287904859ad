"""Where logs lie: folders, files and globs, listed in a fixed order as log objects.

Bedrock's layout is `[prefix/]AWSLogs/<account>/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/<file>`,
with offloaded bodies in `data/` below the hour folder. The prefix may hold anything, so the layout is found
by its `BedrockModelInvocationLogs` segment. A source that has hour folders is read by its layout: other files
in it are passed over and counted. A source without them is read file by file. Links inside a folder are
passed over too: they may lead out of it, or to a log object that is listed already.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
import tempfile
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import BinaryIO

import msgspec

from logminer.errors import ConfigurationError, StorageError, UsageError

_HOUR_FOLDER = r"(?:^|/)BedrockModelInvocationLogs/(?P<region>[a-z0-9-]+)/(?P<hour>[0-9]{4}(?:/[0-9]{2}){3})"
_HOUR_FOLDER_END = re.compile(_HOUR_FOLDER + r"\Z")
_IN_HOUR_FOLDER = re.compile(_HOUR_FOLDER + r"/")
_BODY_IN_LAYOUT = re.compile(_HOUR_FOLDER + r"/data/[^/]+\Z")
# Outside of the layout a folder called data/ can be anything; bodies in it are known by their names.
_BODY_NAME = re.compile(r"_(?:input|output)(?:_media_[0-9]+)?\.[^/]*\Z")
_PERMISSION_CHECK = "amazon-bedrock-logs-permission-check"
_LOG_ENDINGS = (".gz", ".json", ".jsonl", ".ndjson", ".log")
_NAME_STAMP = re.compile(r"([0-9]{8}T[0-9]{6})[0-9]{0,3}Z")
_KEPT_IN_URIS = "/=+,@:~"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/=+,@:-]*")
_MARGIN = timedelta(hours=1)


class LogObject(msgspec.Struct, frozen=True):
    """One object with log records.

    `uri` names it for ever (`file://` and absolute, or `stdin:sha256:...`). `root` is the URI of the source
    folder that offloaded bodies must lie in, empty where none can be followed. `size_bytes` is the stored
    (compressed) size; `etag` changes when the content may have changed. `copy` is the URI of the file to read
    instead, where `uri` is no file. URIs are plain ASCII whatever bytes a file's name is made of.
    """

    uri: str
    root: str
    size_bytes: int
    etag: str
    copy: str = ""

    @property
    def path(self) -> str:
        """Where it is read."""
        return path_of_uri(self.copy or self.uri)

    def name_time(self) -> datetime | None:
        """The UTC time that Bedrock stamped into the file's name, where there is one."""
        match = _NAME_STAMP.match(self.uri.rpartition("/")[2])
        return _instant(match[1], "%Y%m%dT%H%M%S") if match else None

    def folder_hour(self) -> datetime | None:
        """The UTC hour of the folder that the object lies in, where it lies in Bedrock's layout."""
        match = _IN_HOUR_FOLDER.search(self.uri)
        return _instant(match["hour"], "%Y/%m/%d/%H") if match else None


def _instant(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass
class Listing:
    """What a source holds: its log objects in a fixed order, and how much was passed over."""

    objects: list[LogObject] = field(default_factory=list)
    other_files: int = 0
    empty_objects: int = 0


def list_source(source: str, *, since: datetime | None = None, until: datetime | None = None) -> Listing:
    """All log objects of a folder, file or glob, each once, sorted by URI.

    `since` and `until` (half-open, UTC) leave out hour folders that cannot hold such records; an hour is
    kept on either side, since a record can be delivered into the next hour's folder. Raises UsageError where
    nothing is there, StorageError or ConfigurationError (no permission) where it cannot be read.
    """
    if "://" in source and not source.startswith("file://"):
        raise UsageError(
            f"cannot read logs from {source.split('://')[0]}://",
            where=source,
            fix="Give a folder, file or glob; to copy a bucket: aws s3 sync s3://BUCKET FOLDER",
        )
    path = path_of_uri(source) if source.startswith("file://") else source
    walk = _Walk(since, until)
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


def _folder_of_glob(pattern: str) -> str:
    while glob.has_magic(pattern):
        pattern = os.path.dirname(pattern)
    return pattern


class _Walk:
    """Collects the log objects below the paths it is given."""

    def __init__(self, since: datetime | None, until: datetime | None) -> None:
        self.listing = Listing()
        self._since, self._until = since, until

    def add(self, path: str) -> None:
        """Collect from a real path, of a folder or of a file that is read whatever its name."""
        status = _stat(path)
        if stat.S_ISDIR(status.st_mode):
            self._add_folder(path)
        elif not stat.S_ISREG(status.st_mode):
            raise UsageError(
                "is no regular file", where=path, fix="Pipe it into logminer, with - as the source."
            )
        elif _is_body(path) or os.path.basename(path).startswith(_PERMISSION_CHECK):
            self.listing.other_files += 1
        elif self._wants(path):
            self._add_file(file_uri(path), file_uri(os.path.dirname(path)), status)

    def _add_folder(self, folder: str) -> None:
        """Collect the hour folders of a source, or, where it has none, the files with a log's ending."""
        root = file_uri(folder)
        in_layout = False
        loose: list[tuple[str, os.stat_result]] = []
        for current, names in _files_below(folder, self.listing):
            if _HOUR_FOLDER_END.search(current) is None:
                loose.extend((f"{current}/{name}", status) for name, status in names)
                continue
            in_layout = True
            if self._wants(current + "/"):
                self._add_files(current, root, names)
        for path, status in loose:
            name = path.rpartition("/")[2]
            if in_layout or not _is_log_name(name) or not name.endswith(_LOG_ENDINGS) or _is_body(path):
                self.listing.other_files += 1
            else:
                self._add_file(file_uri(path), root, status)

    def _add_files(self, folder: str, root: str, names: list[tuple[str, os.stat_result]]) -> None:
        prefix = file_uri(folder + "/")
        for name, status in names:
            if _is_log_name(name):
                self._add_file(prefix + _quoted(name), root, status)
            else:
                self.listing.other_files += 1

    def _add_file(self, uri: str, root: str, status: os.stat_result) -> None:
        size = status.st_size
        if size == 0:
            self.listing.empty_objects += 1
            return
        self.listing.objects.append(LogObject(uri, root, size, f"{status.st_mtime_ns:x}-{size:x}"))

    def _wants(self, path: str) -> bool:
        """Whether a file or folder may hold records of the time that is asked for."""
        match = _IN_HOUR_FOLDER.search(path) if self._since or self._until else None
        hour = _instant(match["hour"], "%Y/%m/%d/%H") if match else None
        if hour is None:
            return True
        if self._since is not None and hour + timedelta(hours=1) + _MARGIN <= self._since:
            return False
        return self._until is None or hour - _MARGIN < self._until


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
                    elif entry.name != "data" or _HOUR_FOLDER_END.search(current) is None:
                        pending.append(entry.path)
        except FileNotFoundError:  # somebody tidies up; what was there is gone
            continue
        except OSError as error:
            raise _cannot("list the folder", error, current) from error
        yield current.rstrip("/"), files


def _is_log_name(name: str) -> bool:
    return not name.startswith((_PERMISSION_CHECK, "."))


def _is_body(path: str) -> bool:
    """Whether a file is an offloaded body, which is no log object."""
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] != "data":
        return False
    return _BODY_IN_LAYOUT.search(path) is not None or _BODY_NAME.search(name) is not None


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


def file_uri(path: str) -> str:
    """The `file://` URI of an absolute path: ASCII, and the same bytes again by `path_of_uri`."""
    return "file://" + _quoted(path)


def _quoted(path: str) -> str:
    if _PLAIN_PATH.fullmatch(path):
        return path
    return urllib.parse.quote(os.fsencode(path), safe=_KEPT_IN_URIS)


def path_of_uri(uri: str) -> str:
    """The path that a `file://` URI names. A name that is not UTF-8 comes as Python's surrogate escapes."""
    path = uri.removeprefix("file://")
    return os.fsdecode(urllib.parse.unquote_to_bytes(path)) if "%" in path else path


def open_log(log: LogObject) -> BinaryIO:
    """The bytes of a log object as they are stored. Raises StorageError or ConfigurationError."""
    try:
        return open(log.path, "rb")
    except OSError as error:
        raise _cannot("read", error, log.uri) from error


def spool_stdin(stream: BinaryIO, folder: str) -> LogObject:
    """Copy standard input to a file in `folder`, readable by its owner alone, and name it by its content."""
    digest = hashlib.sha256()
    handle, path = tempfile.mkstemp(dir=folder, prefix="stdin-")
    with os.fdopen(handle, "wb") as copy:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            copy.write(chunk)
    name = digest.hexdigest()
    copied = file_uri(os.path.realpath(path))
    return LogObject(f"stdin:sha256:{name}", "", os.path.getsize(path), name, copied)


class BodyUnavailable(Exception):  # noqa: N818 - a finding about a record, turned into a status detail
    """An offloaded body cannot be had; `reason` is a word for `status_detail`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


MAX_BODY_BYTES = 256 << 20


def read_offloaded_body(log: LogObject, body_path: str) -> bytes:
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
    wanted = _BODY_IN_LAYOUT.search(body_path)
    here = _IN_HOUR_FOLDER.search(path)
    if wanted is not None and here is not None:
        yield f"{path[: here.start('region')]}{wanted['region']}/{wanted['hour']}/data/{name}"
