"""Log objects, wherever they lie, and Bedrock's layout of them.

The layout is `[prefix/]AWSLogs/<account>/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/<file>`, with
offloaded bodies in `data/` below the hour folder. The prefix may hold anything, so the layout is found by its
`BedrockModelInvocationLogs` segment. A source that has hour folders is read by its layout: other files in it
are passed over and counted. A source without them is read file by file.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

_REGION_FOLDER = r"(?:^|/)BedrockModelInvocationLogs/(?P<region>[a-z0-9-]+)"
_HOUR_FOLDER = _REGION_FOLDER + r"/(?P<hour>[0-9]{4}(?:/[0-9]{2}){3})"
HOUR_FOLDER_END = re.compile(_HOUR_FOLDER + r"\Z")
IN_HOUR_FOLDER = re.compile(_HOUR_FOLDER + r"/")
# A place below a Region's folder, in some part of the time.
_BELOW_REGION = re.compile(_REGION_FOLDER + r"/[0-9]{4}(?:/|\Z)")
BODY_IN_LAYOUT = re.compile(_HOUR_FOLDER + r"/data/[^/]+\Z")
# Outside of the layout a folder called data/ can be anything; bodies in it are known by their names.
_BODY_NAME = re.compile(r"_(?:input|output)(?:_media_[0-9]+)?\.[^/]*\Z")
# What Bedrock and CloudWatch Logs write to see whether they may.
_PROBES = ("amazon-bedrock-logs-permission-check", "aws-logs-write-test")
_LOG_ENDINGS = (".gz", ".json", ".jsonl", ".ndjson", ".log")
# Firehose names its objects so, and gives them an ending only if it is told to:
# https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html
_FIREHOSE_NAME = re.compile(r"-[0-9]+(?:-[0-9]{2,4}){6}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NAME_STAMP = re.compile(r"([0-9]{8}T[0-9]{6})[0-9]{0,3}Z")
# A record can be delivered into the next hour's folder.
_MARGIN = timedelta(hours=1)
MAX_BODY_BYTES = 256 << 20
# The etag of a copy begins so: it tells copies apart, and nothing about the original.
COPY_ETAG = "copy-"


class LogObject(msgspec.Struct, frozen=True):
    """One object with log records.

    `uri` names it for ever (`file://` and absolute, or `stdin:sha256:...`). `root` is the URI of the source
    folder that offloaded bodies must lie in, empty where none can be followed. `size_bytes` is the stored
    (compressed) size; `etag` changes when the content may have changed. `copy` is the URI to read instead, where
    `uri` is no file or the logs were moved. `file://` URIs are plain ASCII whatever bytes a file's name is made of.
    """

    uri: str
    root: str
    size_bytes: int
    etag: str
    copy: str = ""

    @property
    def place(self) -> str:
        """The URI that it is read from."""
        return self.copy or self.uri

    @property
    def path(self) -> str:
        """The file that it is read from."""
        return path_of_uri(self.place)

    def name_time(self) -> datetime | None:
        """The UTC time that Bedrock stamped into the file's name, where there is one."""
        match = _NAME_STAMP.match(self.uri.rpartition("/")[2])
        return _instant(match[1], "%Y%m%dT%H%M%S") if match else None

    def folder_hour(self) -> datetime | None:
        """The UTC hour of the folder that the object lies in, where it lies in Bedrock's layout."""
        match = IN_HOUR_FOLDER.search(self.uri)
        return _instant(match["hour"], "%Y/%m/%d/%H") if match else None

    def region_folder(self) -> str | None:
        """The URI of the Region's folder that the object lies in, where it lies in Bedrock's layout."""
        match = IN_HOUR_FOLDER.search(self.uri)
        return self.uri[: match.end("region")] if match else None

    def differs_from(self, etag: str, size_bytes: int) -> bool:
        """Whether an object of this etag and size may have had another content.

        A copy has another etag than what it is a copy of, so between the two the size alone counts.
        """
        if self.etag.startswith(COPY_ETAG) != etag.startswith(COPY_ETAG):
            return self.size_bytes != size_bytes
        return self.etag != etag


def _instant(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass
class Listing:
    """What a source holds: its log objects in a fixed order, and how much was passed over.

    `begun_at` says from which hour (UTC) on a Region's folder (a URI) was listed, where not from its beginning;
    `requests` counts the LIST requests that it took.
    """

    objects: list[LogObject] = field(default_factory=list)
    other_files: int = 0
    empty_objects: int = 0
    begun_at: dict[str, datetime] = field(default_factory=dict)
    requests: int = 0


# Told of each folder, once it is listed, how many objects were found in it. What it raises ends the listing.
Watch = Callable[[int], None]


def watch_nothing(found: int) -> None:
    """Let a listing go on to its end."""


class BodyUnavailable(Exception):  # noqa: N818 - a finding about a record, turned into a status detail
    """An offloaded body cannot be had; `reason` is a word for `status_detail`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A half-open span of UTC time; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def may_overlap(self, begin: datetime, end: datetime) -> bool:
        """Whether folders for the time from `begin` to `end` may hold records of this span."""
        if self.since is not None and end + _MARGIN <= self.since:
            return False
        return self.until is None or begin - _MARGIN < self.until

    def wants(self, path: str) -> bool:
        """Whether the hour folder that a path leads into may hold records of this span."""
        match = IN_HOUR_FOLDER.search(path) if self.since or self.until else None
        hour = _instant(match["hour"], "%Y/%m/%d/%H") if match else None
        return hour is None or self.may_overlap(hour, hour + timedelta(hours=1))


def lies_in_time(uri: str) -> bool:
    """Whether a source is a part of a Region's folder: a year, a day, an hour or an object of it."""
    return _BELOW_REGION.search(uri) is not None


def is_log_event(uri: str) -> bool:
    """Whether a URI names an event of a CloudWatch Logs group."""
    return uri.startswith("cloudwatch://")


def is_log_name(name: str) -> bool:
    """Whether a file in an hour folder is a log object."""
    return not name.startswith((*_PROBES, "."))


def is_loose_log(path: str) -> bool:
    """Whether a file outside of any layout is to be read, by its name."""
    name = path.rpartition("/")[2]
    return (
        is_log_name(name)
        and (name.endswith(_LOG_ENDINGS) or _FIREHOSE_NAME.search(name) is not None)
        and not is_body(path)
    )


def is_body(path: str) -> bool:
    """Whether a file is an offloaded body, which is no log object."""
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] != "data":
        return False
    return BODY_IN_LAYOUT.search(path) is not None or _BODY_NAME.search(name) is not None


_KEPT_IN_URIS = "/=+,@:~"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/=+,@:-]*")


def file_uri(path: str) -> str:
    """The `file://` URI of an absolute path: ASCII, and the same bytes again by `path_of_uri`."""
    return "file://" + quote_path(path)


def quote_path(path: str) -> str:
    """A path, or part of one, as it stands in a URI."""
    if _PLAIN_PATH.fullmatch(path):
        return path
    return urllib.parse.quote(os.fsencode(path), safe=_KEPT_IN_URIS)


def path_of_uri(uri: str) -> str:
    """The path that a `file://` URI names. A name that is not UTF-8 comes as Python's surrogate escapes."""
    path = uri.removeprefix("file://")
    return os.fsdecode(urllib.parse.unquote_to_bytes(path)) if "%" in path else path
