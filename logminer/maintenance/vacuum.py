"""What no version that somebody may still ask for needs is deleted.

deltalake's own vacuum is not used: it would take files that a run has just written, and the folders beside the
table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from logminer.errors import UsageError
from logminer.maintenance.holding import files_holding
from logminer.maintenance.leftovers import (
    LEFT_BEHIND_AFTER,
    Leftover,
    delete_leftovers,
    find_leftovers,
    find_temporary_files,
    oldest_readable,
    utc_now,
)
from logminer.store.storage import Storage
from logminer.store.stored_file import StoredFile
from logminer.store.table import Table, open_table


@dataclass(frozen=True)
class VacuumReport:
    """What a vacuum deleted, or would delete; sizes are bytes.

    `old_files` left the table longer ago than was asked, or hold rows that were forgotten since. `orphans` were
    written by runs that were killed, `temporary` ones were never finished. `kept` are those that some version
    still needs, `young` those of no version that a run may still commit. From `oldest_version` on all versions
    can be read.
    """

    dry_run: bool
    version: int
    old_files: int
    old_bytes: int
    orphans: int
    orphan_bytes: int
    temporary: int
    kept: int
    young: int
    oldest_version: int


def vacuum(
    storage: Storage,
    older_than: timedelta,
    *,
    orphans_older_than: timedelta = LEFT_BEHIND_AFTER,
    dry_run: bool = False,
    now: datetime | None = None,
) -> VacuumReport:
    """Delete files that only versions need which were replaced longer ago than `older_than`, and what runs left.

    Raises UsageError where orphans would be taken too early, StorageError and ConfigurationError.
    """
    _check_age(orphans_older_than)
    now = now or utc_now()
    table = open_table(storage)
    leftovers = find_leftovers(storage, table)
    old = _old(storage, leftovers, now - older_than)
    orphans = [each for each in leftovers if each.is_orphan(now, orphans_older_than)]
    temporary = find_temporary_files(storage, now - orphans_older_than)
    last = max((each.removal.version for each in old if each.removal is not None), default=0)
    oldest = max(last, oldest_readable(table))
    if not dry_run:
        _delete(storage, table, [*old, *orphans], temporary, now - orphans_older_than)
    going = {each.file.name for each in (*old, *orphans)}
    staying = [each for each in leftovers if each.file.name not in going]
    return VacuumReport(
        dry_run=dry_run,
        version=table.version,
        old_files=len(old),
        old_bytes=_size(old),
        orphans=len(orphans),
        orphan_bytes=_size(orphans),
        temporary=len(temporary),
        kept=sum(each.removal is not None for each in staying),
        young=sum(each.removal is None for each in staying),
        oldest_version=oldest,
    )


def _check_age(age: timedelta) -> None:
    if age < LEFT_BEHIND_AFTER:
        raise UsageError(
            "a run that is under way may still commit files that are so young",
            where="--orphans-older-than",
            fix="Give 24h or more.",
        )


def _old(storage: Storage, leftovers: list[Leftover], before: datetime) -> list[Leftover]:
    removed = [(each, each.removal) for each in leftovers if each.removal is not None]
    old = {each.file.name for each, removal in removed if removal.time <= before}
    younger = [each for each, removal in removed if removal.time > before]
    # A forget that was killed before its end is ended here.
    old |= {each.file.name for each in files_holding(storage, younger)}
    return [each for each, _ in removed if each.file.name in old]


def _delete(
    storage: Storage, table: Table, data: list[Leftover], temporary: list[StoredFile], before: datetime
) -> None:
    delete_leftovers(storage, table, data)
    storage.delete_all(file.name for file in temporary)
    storage.delete_empty_folders("invocations", before)


def _size(leftovers: list[Leftover]) -> int:
    return sum(each.file.size_bytes for each in leftovers)
