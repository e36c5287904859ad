"""Records of old dates leave the store, and do not come back.

The first date that the store keeps is a property of the table. Setting it makes every ingest that is under way
look again, so that none can add older records any more; log objects whose records left are listed beside the
table, so that none reads them again. Whole partitions go, of older versions too.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from logminer.errors import StoreChangedError
from logminer.maintenance.leftovers import Leftover, delete_leftovers, find_leftovers, utc_now
from logminer.store.expired import add_expired_objects
from logminer.store.quarantine import empty_values
from logminer.store.storage import Storage
from logminer.store.table import INGEST, CommitConflict, DataFile, Snapshot, Table, open_table

_ATTEMPTS = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ExpiryReport:
    """What expired, or would: records of UTC dates before `kept_since`.

    `dates` are how many of them there were. `files` and `size_bytes` are the data files deleted, those of older
    versions too. `quarantined` values were read before that date and lost their bytes.
    """

    dry_run: bool
    version: int
    kept_since: date
    records: int
    dates: int
    first_date: date | None
    last_date: date | None
    files: int
    size_bytes: int
    quarantined: int


def expire(storage: Storage, before: date, *, dry_run: bool = False) -> ExpiryReport:
    """Let the records of UTC dates before `before` go. Raises StorageError; running again goes on.

    A store that keeps no records since a later date already keeps it so.
    """
    table = open_table(storage)
    snapshot = table.snapshot()
    before = max(before, snapshot.kept_since or before)
    late = _late(snapshot, before)
    if not dry_run:
        if snapshot.kept_since != before:
            _keep_since(storage, table, before)
        late = _remove(storage, table, before)
    quarantined = _expire_quarantined(storage, before, dry_run)
    leftovers = [each for each in find_leftovers(storage, table) if each.date < before]
    going = _deletable(leftovers)
    if not dry_run:
        delete_leftovers(storage, table, going)
    sizes = {f"invocations/{file.name}": file.size_bytes for file in late}
    sizes |= {each.file.name: each.file.size_bytes for each in going}
    days = sorted({file.date for file in late})
    return ExpiryReport(
        dry_run=dry_run,
        version=table.version,
        kept_since=before,
        records=sum(file.rows for file in late),
        dates=len(days),
        first_date=days[0] if days else None,
        last_date=days[-1] if days else None,
        files=len(sizes),
        size_bytes=sum(sizes.values()),
        quarantined=quarantined,
    )


def _late(snapshot: Snapshot, before: date) -> list[DataFile]:
    return [file for file in snapshot.files if file.date < before]


def _keep_since(storage: Storage, table: Table, day: date) -> None:
    for attempt in range(_ATTEMPTS):
        table.refresh()
        since = table.snapshot().kept_since
        if since is not None and since >= day:
            return
        try:
            table.keep_since(day)
        except CommitConflict:
            _pause(attempt)
        else:
            return
    raise _restless(storage)


def _remove(storage: Storage, table: Table, before: date) -> list[DataFile]:
    """Take the old partitions out of the table; their files."""
    listed: set[DataFile] = set()
    for attempt in range(_ATTEMPTS):
        table.refresh()
        late = _late(table.snapshot(), before)
        if not late:
            return []
        # Before the commit: an ingest must not find the objects unknown in between.
        add_expired_objects(storage, [file for file in late if file not in listed])
        listed.update(late)
        try:
            table.commit(INGEST, remove=late, about={"expired": sum(file.rows for file in late)})
        except CommitConflict:
            _pause(attempt)
        else:
            return late
    raise _restless(storage)


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.05 * min(attempt + 1, 10)))  # noqa: S311 - jitter, no secret


def _restless(storage: Storage) -> StoreChangedError:
    return StoreChangedError(
        f"other runs changed the store {_ATTEMPTS} times in a row", where=storage.uri, fix="Run again later."
    )


def _expire_quarantined(storage: Storage, before: date, dry_run: bool) -> int:
    """Nobody knows of when a quarantined value is; but what was read before that date is older than it."""
    limit = datetime.combine(before, time_of_day.min, UTC)
    limit_us = (limit - _EPOCH) // timedelta(microseconds=1)

    def meant(uri: str, position: int, raw: bytes, read_us: int) -> bool:
        return bool(raw) and read_us < limit_us

    return empty_values(storage, "expired", meant, dry_run=dry_run)


def _deletable(leftovers: list[Leftover]) -> list[Leftover]:
    now = utc_now()
    return [each for each in leftovers if each.removal is not None or each.is_orphan(now)]
