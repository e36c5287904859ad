"""Whether a version of a store can still be read, and what to say where it cannot."""

from __future__ import annotations

from collections.abc import Collection

from logminer.errors import UsageError
from logminer.store.storage import Storage
from logminer.store.table import Commit, DataFile, Table, open_table


class VersionGoneError(UsageError):
    """Files of the version that was asked for were deleted."""


def check_version(storage: Storage, table: Table) -> None:
    """Raise VersionGoneError where files of the table's version are gone, with the oldest version that is whole."""
    present: set[str] = set()
    missing = _missing(storage, table.snapshot().files, present)
    if not missing:
        return
    newest = open_table(storage)
    vacuums = [commit for commit in newest.history() if _deleted_files(commit)]
    when = f"; the last vacuum was at {vacuums[0].time:%Y-%m-%d %H:%M:%S} UTC" if vacuums else ""
    raise VersionGoneError(
        f"version {table.version} can no longer be read: {missing} of its files are gone{when}",
        where=storage.uri,
        fix=_remedy(_oldest_readable(storage, newest, present)),
    )


def _deleted_files(commit: Commit) -> bool:
    """Whether files of older versions were deleted, by us or by another tool."""
    return "vacuumed" in commit.about or commit.operation.startswith("VACUUM")


def _remedy(oldest: int | None) -> str:
    if oldest is None:
        return "Files of every version are missing: restore the store."
    return f"The oldest version that can be read is {oldest}: --version {oldest}."


def _oldest_readable(storage: Storage, newest: Table, present: set[str]) -> int | None:
    """The first of the unbroken row of readable versions that ends with the newest."""
    oldest = None
    for version in range(newest.version, -1, -1):
        try:
            files = open_table(storage, version).snapshot().files
        except UsageError:  # its log entry was cleaned up
            return oldest
        if _missing(storage, files, present):
            return oldest
        oldest = version
    return oldest


def _missing(storage: Storage, files: Collection[DataFile], present: set[str]) -> int:
    """How many of the files are not there. `present` remembers those that are, from one call to the next."""
    unseen = [file for file in files if f"invocations/{file.name}" not in present]
    for folder in sorted({f"invocations/{file.name}".rpartition("/")[0] for file in unseen}):
        present.update(storage.list_names(folder))
    return sum(f"invocations/{file.name}" not in present for file in unseen)
