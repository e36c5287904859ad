"""Log objects below an S3 prefix, and the bodies that lie beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from operator import attrgetter

from logminer.errors import LogminerError, UsageError
from logminer.s3.access import S3Access
from logminer.s3.failures import came_of_missing, is_archived, is_denied, is_missing
from logminer.s3.fetching import Fetcher
from logminer.s3.gets import object_head
from logminer.s3.listing import S3Folder, walk_folders
from logminer.s3.retrying import retried
from logminer.s3.uris import split_object, split_s3
from logminer.sources.objects import (
    HOUR_FOLDER_END,
    MAX_BODY_BYTES,
    BodyUnavailable,
    Listing,
    LogObject,
    TimeSpan,
    Watch,
    is_log_name,
    is_loose_log,
    watch_nothing,
)

# Bodies are fetched ahead of their record; larger ones come when it is their turn, so that few are in memory.
_AHEAD_BYTES = 4 << 20


def list_bucket(
    uri: str,
    span: TimeSpan,
    access: S3Access,
    begin_at: Mapping[str, datetime] | None = None,
    watch: Watch = watch_nothing,
) -> Listing:
    """All log objects below an S3 prefix, each once, sorted by URI.

    `begin_at` gives hours (UTC) before which a Region's folder, named by its URI, is not looked into. Raises
    UsageError where nothing is there, ConfigurationError or StorageError, and what `watch` raises.
    """
    bucket, prefix = split_s3(uri)
    listing = Listing()
    loose: list[LogObject] = []
    in_layout = found_any = False

    def wanted(region_folder: str, begin: datetime, end: datetime) -> bool:
        region_uri = f"s3://{bucket}/{region_folder}"
        first = (begin_at or {}).get(region_uri)
        if first is not None:
            listing.begun_at[region_uri] = first
        return (first is None or end > first) and span.may_overlap(begin, end)

    for folder in walk_folders(access, bucket, prefix, wanted):
        listing.requests += folder.requests
        found_any = found_any or bool(folder.objects) or folder.key != prefix
        if HOUR_FOLDER_END.search(folder.key):
            in_layout = True
            _add_hour(folder, bucket, listing)
        else:
            loose.extend(_log_objects(folder, bucket, listing))
        watch(len(folder.objects))
    if not found_any and prefix:
        return _one_object(uri, access)
    if not found_any:
        raise UsageError(
            "there is nothing below this prefix", where=uri, fix="Check it: aws s3 ls " + uri + "/"
        )
    for log in loose:
        if in_layout or not is_loose_log(log.uri):
            listing.other_files += 1
        else:
            listing.objects.append(log)
    listing.objects.sort(key=attrgetter("uri"))
    return listing


def _one_object(uri: str, access: S3Access) -> Listing:
    """The object that an address names by itself, whatever it is called. Raises UsageError where there is none."""
    bucket, key = split_s3(uri)
    try:
        size, etag = retried(lambda: object_head(access, bucket, key), "get", bucket, key)
    except LogminerError as error:
        if not came_of_missing(error):
            raise
        raise UsageError(
            "there is nothing below this prefix", where=uri, fix=f"Check it: aws s3 ls {uri}/"
        ) from error
    return Listing([LogObject(f"s3://{bucket}/{key}", f"s3://{bucket}", size, etag)], requests=1)


def _add_hour(folder: S3Folder, bucket: str, listing: Listing) -> None:
    for log in _log_objects(folder, bucket, listing):
        if is_log_name(log.uri.rpartition("/")[2]):
            listing.objects.append(log)
        else:
            listing.other_files += 1


def _log_objects(folder: S3Folder, bucket: str, listing: Listing) -> list[LogObject]:
    found = []
    for each in folder.objects:
        if each.size_bytes == 0:
            listing.empty_objects += 1
        else:
            found.append(LogObject(f"s3://{bucket}/{each.key}", f"s3://{bucket}", each.size_bytes, each.etag))
    return found


def ask_bucket_body(fetcher: Fetcher, path: str, allowed_buckets: frozenset[str]) -> Callable[[], bytes]:
    """Begin to fetch an offloaded body, from an allowed bucket only; what comes back gives its stored bytes.

    The path was written by whoever wrote the log, so it leads nowhere but into these buckets. What is given back
    raises BodyUnavailable, and LogminerError for what may work another time.
    """
    try:
        bucket, _ = split_s3(path)
    except UsageError:
        return _unavailable
    _, key = split_object(path)
    if bucket not in allowed_buckets or not key or not {".", ".."}.isdisjoint(key.split("/")):
        return _unavailable
    ahead = fetcher.get_ahead(path, _AHEAD_BYTES)
    return lambda: _body(fetcher, path, ahead)


def _unavailable() -> bytes:
    raise BodyUnavailable("outside_source")


def _body(fetcher: Fetcher, path: str, ahead: Future[bytes | None]) -> bytes:
    try:
        content = ahead.result()
        if content is None:
            content = fetcher.get_within(path, MAX_BODY_BYTES)
    except ValueError:  # a key that no object has, with a NUL for one
        raise BodyUnavailable("outside_source") from None
    except LogminerError as error:
        raise BodyUnavailable(_reason(error)) from error
    if content is None:
        raise BodyUnavailable("too_large")
    return content


def _reason(error: LogminerError) -> str:
    """The word for a failed fetch; what may work another time is raised as it is."""
    cause = error.__cause__
    if cause is None:
        raise error
    if is_missing(cause):
        return "offloaded"
    if is_archived(cause):
        return "archived"
    if is_denied(cause):
        return "forbidden"
    raise error
