"""What lies below an S3 prefix, asked folder by folder, many folders at once.

In Bedrock's layout the walk stops at the hour folder, so that offloaded bodies below it are never listed, and
leaves out the years, months, days and hours that cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

from logminer.s3.access import S3Access
from logminer.s3.retrying import retried
from logminer.s3.uris import is_plain_key

_AT_ONCE = 16
# What one request lists at most; source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_PAGE = 1000
# The beginning of Bedrock's layout down to some part of the hour.
_IN_LAYOUT = re.compile(
    r"(?P<region>(?:^|.*/)BedrockModelInvocationLogs/[a-z0-9-]+)/(?P<time>[0-9]{4}(?:/[0-9]{2}){0,3})\Z",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class S3Object:
    """One listed object. `key` is the whole key; `etag` is S3's, without quotes."""

    key: str
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class S3Folder:
    """One listed folder: its key (without the last slash), the objects directly in it, and what asking took."""

    key: str
    objects: tuple[S3Object, ...]
    requests: int


# Whether a folder for the time from one instant to another (UTC, half-open) is of interest. The first argument
# is the key of the Region's folder in the layout that it lies in.
Wanted = Callable[[str, datetime, datetime], bool]


def walk_folders(access: S3Access, bucket: str, folder: str, wanted: Wanted) -> Iterator[S3Folder]:
    """Every folder from `folder` (a key without the last slash) down, in no order.

    Below a layout's Region a folder is entered only if its time is `wanted`. Raises ConfigurationError or StorageError.
    """
    # Answers come by a queue: a Ctrl-C that falls into waiting for futures leaves some of them locked, and the threads
    # that would finish those wait for ever.
    answers: SimpleQueue[tuple[S3Folder, list[str]] | BaseException] = SimpleQueue()

    def ask(prefix: str) -> None:
        try:
            answers.put(_list_folder(access, bucket, prefix))
        except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
            answers.put(error)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3-list") as pool:
        try:
            pool.submit(ask, f"{folder}/" if folder else "")
            under_way = 1
            while under_way:
                answer = answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                under_way -= 1
                found, below = answer
                yield found
                for prefix in below:
                    if _enter(prefix.removesuffix("/"), wanted):
                        pool.submit(ask, prefix)
                        under_way += 1
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _list_folder(access: S3Access, bucket: str, prefix: str) -> tuple[S3Folder, list[str]]:
    """A folder and the prefixes below it. `prefix` ends with a slash, but for that of the whole bucket."""
    key = prefix.removesuffix("/")
    found = _list_plain(access, bucket, key) if not prefix or is_plain_key(key) else None
    if found is None:
        found = _list_any(access, bucket, prefix)
    objects, below, requests = found
    return S3Folder(key, tuple(objects), requests), below


_Found = tuple[list[S3Object], list[str], int]


def _list_plain(access: S3Access, bucket: str, key: str) -> _Found | None:
    """A folder listed by obstore, the fast way; None where there are keys in it that it cannot name."""
    import obstore

    store = access.store(bucket)

    def ask() -> Any:
        try:
            return obstore.list_with_delimiter(store, key or None)
        except obstore.exceptions.InvalidPathError:
            return None

    answer = retried(ask, "list", bucket, key)
    # The folder before a leading slash has no name; obstore gives it that of the bucket's root.
    if answer is None or "" in answer["common_prefixes"]:
        return None
    objects = [S3Object(each["path"], each["size"], _bare(each["e_tag"])) for each in answer["objects"]]
    below = [f"{each}/" for each in answer["common_prefixes"]]
    return objects, below, max(-(-(len(objects) + len(below)) // _PAGE), 1)


def _list_any(access: S3Access, bucket: str, prefix: str) -> _Found:
    """The same by boto3, for which a key is a text like any other."""
    client = access.client(bucket)
    objects: list[S3Object] = []
    below: list[str] = []
    requests = 0
    more: dict[str, str] = access.payer
    while True:
        answer = retried(
            lambda more=more: client.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", **more),  # type: ignore[misc]
            "list",
            bucket,
            prefix,
        )
        requests += 1
        objects += (
            S3Object(each["Key"], each["Size"], _bare(each.get("ETag")))
            for each in answer.get("Contents", ())
        )
        below += (each["Prefix"] for each in answer.get("CommonPrefixes", ()))
        if not answer.get("IsTruncated"):
            return objects, below, requests
        more = {**access.payer, "ContinuationToken": answer["NextContinuationToken"]}


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _enter(key: str, wanted: Wanted) -> bool:
    if key.endswith("/data") and _IN_LAYOUT.search(key.removesuffix("/data")):
        return False
    match = _IN_LAYOUT.search(key)
    if match is None:
        return True
    begin, end = span_of(match["time"])
    return begin is None or end is None or wanted(match["region"], begin, end)


def span_of(time: str) -> tuple[datetime | None, datetime | None]:
    """The time that a folder such as `2026`, `2026/03` or `2026/03/14/09` covers; None where it is no time."""
    parts = [int(part) for part in time.split("/")]
    try:
        begin = datetime(*(parts + [1, 1, 0][len(parts) - 1 :])[:4], tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None, None
    try:
        return begin, _end_of(begin, len(parts))
    except (ValueError, OverflowError):  # the last one of the calendar
        return begin, None


def _end_of(begin: datetime, parts: int) -> datetime:
    if parts == 1:
        return begin.replace(year=begin.year + 1)
    if parts == 2:
        return (begin + timedelta(days=31)).replace(day=1)
    return begin + (timedelta(days=1) if parts == 3 else timedelta(hours=1))
