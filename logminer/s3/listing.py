"""What lies below an S3 prefix, asked folder by folder, many folders at once.

In Bedrock's layout the walk stops at the hour folder, so that offloaded bodies below it are never listed, and
leaves out the years, months, days and hours that cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from logminer.s3.access import S3Access
from logminer.s3.retrying import retried

_AT_ONCE = 16
# The beginning of Bedrock's layout down to some part of the hour.
_IN_LAYOUT = re.compile(
    r"(?:^|/)BedrockModelInvocationLogs/[a-z0-9-]+/(?P<time>[0-9]{4}(?:/[0-9]{2}){0,3})\Z"
)


@dataclass(frozen=True, slots=True)
class S3Object:
    """One listed object. `key` is the whole key; `etag` is S3's, without quotes."""

    key: str
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class S3Folder:
    """One listed folder: its key (no slash at the end) and the objects directly in it."""

    key: str
    objects: tuple[S3Object, ...]


# Whether a folder for the time from one instant to another (UTC, half-open) is of interest.
Wanted = Callable[[datetime, datetime], bool]


def walk_folders(access: S3Access, bucket: str, prefix: str, wanted: Wanted) -> Iterator[S3Folder]:
    """Every folder from `prefix` down, in no order.

    Below a layout's Region a folder is entered only if its time is `wanted`. Raises ConfigurationError or StorageError.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3-list") as pool:
        running: set[Future[tuple[S3Folder, list[str]]]] = {pool.submit(_list_folder, access, bucket, prefix)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    folder, below = future.result()
                    yield folder
                    running |= {
                        pool.submit(_list_folder, access, bucket, key) for key in below if _enter(key, wanted)
                    }
        finally:
            for future in running:
                future.cancel()


def _list_folder(access: S3Access, bucket: str, key: str) -> tuple[S3Folder, list[str]]:
    import obstore

    store = access.store(bucket)
    found: Any = retried(lambda: obstore.list_with_delimiter(store, key or None), "list", bucket, key)
    objects = tuple(
        S3Object(each["path"], each["size"], (each["e_tag"] or "").strip('"')) for each in found["objects"]
    )
    return S3Folder(key, objects), list(found["common_prefixes"])


def _enter(key: str, wanted: Wanted) -> bool:
    if key.endswith("/data") and _IN_LAYOUT.search(key.removesuffix("/data")):
        return False
    match = _IN_LAYOUT.search(key)
    if match is None:
        return True
    begin, end = span_of(match["time"])
    return begin is None or end is None or wanted(begin, end)


def span_of(time: str) -> tuple[datetime | None, datetime | None]:
    """The time that a folder such as `2026`, `2026/03` or `2026/03/14/09` covers; None where it is no time."""
    parts = [int(part) for part in time.split("/")]
    try:
        begin = datetime(*(parts + [1, 1, 0][len(parts) - 1 :])[:4], tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None, None
    if len(parts) == 1:
        return begin, begin.replace(year=begin.year + 1)
    if len(parts) == 2:
        return begin, (begin + timedelta(days=31)).replace(day=1)
    return begin, begin + (timedelta(days=1) if len(parts) == 3 else timedelta(hours=1))
