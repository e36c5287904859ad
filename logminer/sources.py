"""Where logs lie: folders, files and globs, listed in a fixed order as log objects.

Bedrock's layout is `[prefix/]AWSLogs/<account>/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/<file>`, with
offloaded bodies in `data/` below the hour folder. The prefix may hold anything, so the layout is found by its
`BedrockModelInvocationLogs` segment. A source that has that segment is read by its layout: other files in it
are passed over and counted. A source without it is read file by file.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import tempfile
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from logminer.errors import StorageError, UsageError

_LAYOUT = re.compile(
    r"(?:^|/)BedrockModelInvocationLogs/(?P<region>[a-z0-9-]+)/"
    r"(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/(?P<rest>.+)$"
)
_LAYOUT_SEGMENT = "BedrockModelInvocationLogs"
_PERMISSION_CHECK = "amazon-bedrock-logs-permission-check"
_LOG_ENDINGS = (".json.gz", ".jsonl.gz", ".gz", ".json", ".jsonl", ".ndjson", ".log")
_NAME_STAMP = re.compile(r"(?:^|/)(\d{8}T\d{6})\d{0,3}Z")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/=+,@:-]*")


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object with log records.

    `uri` names it for ever (`file://` and absolute, or `stdin:sha256:...`); `path` is where it is read; `root`
    is the source folder that offloaded bodies must lie in. `size_bytes` is the stored (compressed) size;
    `etag` changes when the content may have changed.
    """

    uri: str
    path: str
    root: str
    size_bytes: int
    etag: str

    def name_time(self) -> datetime | None:
        """The UTC time that Bedrock stamped into the file's name, where there is one."""
        match = _NAME_STAMP.search(self.path)
        return _instant(match[1], "%Y%m%dT%H%M%S") if match else None

    def folder_hour(self) -> datetime | None:
        """The UTC hour of the folder that the object lies in, where it lies in Bedrock's layout."""
        match = _LAYOUT.search(self.path)
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


def list_source(
    source: str, *, since: datetime | None = None, until: datetime | None = None
) -> Listing:
    """All log objects of a folder, file or glob, sorted by URI.

    `since` and `until` (half-open, UTC) leave out hour folders that cannot hold such records; an hour is
    kept on either side, since a record can be delivered into the next hour's folder. Raises UsageError where
    nothing is there, StorageError where it cannot be read.
    """
    if "://" in source and not source.startswith("file://"):
        raise UsageError(
            f"cannot read logs from {source.split('://')[0]}://",
            where=source,
            fix="Give a folder, a file or a glob; copy a bucket with: aws s3 sync s3://BUCKET/PREFIX FOLDER",
        )
    paths = _source_paths(source.removeprefix("file://"))
    listing = Listing()
    for path in paths:
        _list_path(path, listing)
    if since is not None or until is not None:
        listing.objects = [each for each in listing.objects if _within(each, since, until)]
    listing.objects.sort(key=lambda each: each.uri)
    return listing


def _source_paths(source: str) -> list[str]:
    if os.path.exists(source):
        return [os.path.realpath(source)]
    matches = sorted({os.path.realpath(path) for path in glob.glob(source, recursive=True)})
    if not matches:
        raise UsageError("there is no such file or folder", where=source, fix="Check the path, or quote the glob.")
    return matches


def _list_path(path: str, listing: Listing) -> None:
    if not os.path.isdir(path):
        status = _stat(path)
        _add(path, os.path.dirname(path), status, listing)
        return
    entries = list(_walk(path))
    in_layout = any(f"/{_LAYOUT_SEGMENT}/" in entry.path for entry in entries)
    for entry in entries:
        if not _is_log(entry.path, in_layout):
            listing.other_files += 1
        else:
            _add(entry.path, path, entry.stat(), listing)


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files below `folder`, without the offloaded bodies and without following links to folders."""
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not _is_body_folder(entry.path):
                            pending.append(entry.path)
                    elif entry.is_file():
                        yield entry
        except OSError as error:
            raise StorageError(
                f"cannot list the folder: {error.strerror}", where=current, fix="Give read permission to it."
            ) from error


def _is_body_folder(path: str) -> bool:
    match = _LAYOUT.search(path)
    return match is not None and match["rest"] == "data"


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=path) from error


def _is_log(path: str, in_layout: bool) -> bool:
    name = path.rpartition("/")[2]
    if name.startswith((_PERMISSION_CHECK, ".")):
        return False
    if in_layout:
        match = _LAYOUT.search(path)
        return match is not None and "/" not in match["rest"]
    return name.endswith(_LOG_ENDINGS)


def _add(path: str, root: str, status: os.stat_result, listing: Listing) -> None:
    if status.st_size == 0:
        listing.empty_objects += 1
        return
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    listing.objects.append(LogObject(file_uri(path), path, root, status.st_size, etag))


def file_uri(path: str) -> str:
    """The `file://` URI of an absolute path."""
    return "file://" + (path if _PLAIN_PATH.fullmatch(path) else urllib.parse.quote(path))


def _within(log: LogObject, since: datetime | None, until: datetime | None) -> bool:
    hour = log.folder_hour()
    if hour is None:
        return True
    margin = timedelta(hours=1)
    if since is not None and hour + timedelta(hours=1) + margin <= since:
        return False
    return until is None or hour - margin < until


def open_log(log: LogObject) -> BinaryIO:
    """The bytes of a log object as they are stored. Raises StorageError."""
    try:
        return open(log.path, "rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise StorageError(
            f"cannot read: {error.strerror}", where=log.uri, fix="Give read permission, and run again."
        ) from error


def spool_stdin(stream: BinaryIO, folder: str) -> LogObject:
    """Copy standard input to a file in `folder`, readable by its owner alone, and name it by its content."""
    digest = hashlib.sha256()
    handle, path = tempfile.mkstemp(dir=folder, prefix="stdin-")
    with os.fdopen(handle, "wb") as copy:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            copy.write(chunk)
    name = digest.hexdigest()
    return LogObject(f"stdin:sha256:{name}", path, folder, os.path.getsize(path), name)


class BodyUnavailable(Exception):  # noqa: N818 - a finding about a record, turned into a status detail
    """An offloaded body cannot be had; `reason` is a word for `status_detail`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


MAX_BODY_BYTES = 256 << 20


def read_offloaded_body(log: LogObject, body_path: str) -> bytes:
    """The stored bytes of the body that a record of `log` names, from the local copy of its bucket.

    The name in the path leads: the file is looked for in `data/` beside the log object, then at the same place
    in the layout that the log object lies in. Nothing outside the source folder is ever read. Raises
    BodyUnavailable.
    """
    for candidate in _body_candidates(log, body_path):
        real = os.path.realpath(candidate)
        if not os.path.isfile(real):
            continue
        if not real.startswith(log.root.rstrip("/") + "/"):
            raise BodyUnavailable("outside_source")
        if os.path.getsize(real) > MAX_BODY_BYTES:
            raise BodyUnavailable("too_large")
        try:
            return Path(real).read_bytes()
        except PermissionError:
            raise BodyUnavailable("forbidden") from None
        except OSError as error:
            raise StorageError(f"cannot read: {error.strerror}", where=file_uri(real)) from error
    raise BodyUnavailable("offloaded")


def _body_candidates(log: LogObject, body_path: str) -> Iterator[str]:
    name = body_path.rpartition("/")[2]
    if not name or name in (".", "..") or "\0" in body_path:
        return
    yield os.path.join(os.path.dirname(log.path), "data", name)
    wanted = _LAYOUT.search(body_path)
    here = _LAYOUT.search(log.path)
    if wanted is not None and here is not None and ".." not in wanted["rest"].split("/"):
        layout = log.path[: here.start("region")]
        yield f"{layout}{wanted['region']}/{wanted['hour']}/{wanted['rest']}"
