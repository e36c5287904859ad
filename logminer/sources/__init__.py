"""Where logs lie: folders, files, globs and S3 prefixes, listed in a fixed order as log objects."""

from __future__ import annotations

from datetime import datetime

from logminer.errors import UsageError
from logminer.sources.local import list_local, open_local, read_local_body, spool_stdin
from logminer.sources.objects import (
    MAX_BODY_BYTES,
    BodyUnavailable,
    Listing,
    LogObject,
    TimeSpan,
    file_uri,
    path_of_uri,
)

__all__ = [
    "MAX_BODY_BYTES",
    "BodyUnavailable",
    "Listing",
    "LogObject",
    "file_uri",
    "list_source",
    "open_log",
    "path_of_uri",
    "read_offloaded_body",
    "spool_stdin",
]

open_log = open_local
read_offloaded_body = read_local_body


def list_source(source: str, *, since: datetime | None = None, until: datetime | None = None) -> Listing:
    """All log objects of a source, each once, sorted by URI.

    `since` and `until` (half-open, UTC) leave out hour folders that cannot hold such records; an hour is
    kept on either side, since a record can be delivered into the next hour's folder.
    """
    if "://" in source and not source.startswith("file://"):
        raise UsageError(
            f"cannot read logs from {source.split('://')[0]}://",
            where=source,
            fix="Give a folder, file or glob; to copy a bucket: aws s3 sync s3://BUCKET FOLDER",
        )
    return list_local(source, TimeSpan(since, until))
