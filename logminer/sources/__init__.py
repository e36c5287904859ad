"""Where logs lie: folders, files, globs and S3 prefixes, listed in a fixed order as log objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from logminer.errors import UsageError
from logminer.s3.uris import is_s3
from logminer.sources.bucket import list_bucket
from logminer.sources.cloudwatch import LogGroup, open_log_group
from logminer.sources.local import list_local, spool_stdin
from logminer.sources.moved import check_base, rename_listing
from logminer.sources.objects import (
    Listing,
    LogObject,
    TimeSpan,
    Watch,
    file_uri,
    lies_in_time,
    path_of_uri,
    watch_nothing,
)
from logminer.sources.reading import SourceReader

__all__ = [
    "Listing",
    "LogGroup",
    "LogObject",
    "SourceReader",
    "TimeSpan",
    "Watch",
    "check_base",
    "file_uri",
    "lies_in_time",
    "list_source",
    "open_log_group",
    "path_of_uri",
    "rename_listing",
    "spool_stdin",
]


def list_source(
    source: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    reader: SourceReader | None = None,
    begin_at: Mapping[str, datetime] | None = None,
    watch: Watch = watch_nothing,
) -> Listing:
    """All log objects of a folder, file, glob or S3 prefix, each once, sorted by URI.

    `since` and `until` (half-open, UTC) leave out hour folders that cannot hold such records; an hour is
    kept on either side, since a record can be delivered into the next hour's folder. `begin_at` gives hours (UTC)
    before which a Region's folder of a bucket, named by its URI, is not listed. `reader` reaches S3, `watch` sees how
    far the listing is.
    Raises UsageError where nothing is there, ConfigurationError or StorageError where it cannot be read, and what
    `watch` raises.
    """
    span = TimeSpan(since, until)
    if is_s3(source):
        return list_bucket(source, span, (reader or SourceReader()).access(source), begin_at, watch)
    if "://" in source and not source.startswith("file://"):
        raise UsageError(
            f"cannot read logs from {source.split('://')[0]}://",
            where=source,
            fix="Give a folder, a file, a glob, s3://bucket/prefix, or - for standard input.",
        )
    return list_local(source, span, watch)
