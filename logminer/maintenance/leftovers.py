"""Files that lie in a store and belong to no row of its newest version: what becomes of them.

A data file that left the table is needed by older versions. One that no version ever named was written by a run
that was killed, or by one that is about to commit it: the two cannot be told apart but by age. The same holds for
files under temporary names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from logminer.store.log import Removal, read_removals
from logminer.store.storage import Storage
from logminer.store.stored_file import StoredFile
from logminer.store.table import DataFile, Table

# Whatever writes a file commits it within minutes; nothing younger than this is ever taken for left behind.
LEFT_BEHIND_AFTER = timedelta(days=1)

_TABLE = "invocations/"
_FOLDERS = ("invocations", "quarantine", "models", "exports", "forgotten", "expired")
# Our own, and those that deltalake writes before it links or renames them.
_TEMPORARY = re.compile(r"(^|/)(\.[^/]*\.tmp|_commit_[^/]*\.tmp|[^/]*\.(json|parquet)#\d+)\Z")
_DATA = re.compile(r"invocations/date=(\d{4}-\d\d-\d\d)/[^/]+\.parquet\Z")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A data file that the newest version does not name, and when it left the table; None: it was never in it."""

    file: StoredFile
    removal: Removal | None

    @property
    def data_file(self) -> DataFile:
        """The same, to be read; how many rows it has is not known."""
        return DataFile(self.file.name.removeprefix(_TABLE), self.file.size_bytes, self.date, 0)

    @property
    def date(self) -> date:
        """The UTC date of its rows."""
        match = _DATA.search(self.file.name)
        assert match is not None
        return date.fromisoformat(match[1])

    def is_orphan(self, now: datetime, age: timedelta = LEFT_BEHIND_AFTER) -> bool:
        """Whether a run that was killed left it behind."""
        return self.removal is None and self.file.modified < now - age


def find_leftovers(storage: Storage, table: Table) -> list[Leftover]:
    """All leftovers among the data files, sorted by name; the table sees the newest version afterwards."""
    # A file that is committed after it was listed is in the version that is looked at then.
    files = [file for file in storage.list_files("invocations") if _DATA.search(file.name)]
    table.refresh()
    named = {file.name for file in table.snapshot().files}
    left = [file for file in files if file.name.removeprefix(_TABLE) not in named]
    if not left:
        return []
    names = [file.name.removeprefix(_TABLE) for file in left]
    oldest = min(file.modified for file in left)
    removals = read_removals(storage, table.version, names, oldest)
    return [Leftover(file, removals.get(name)) for file, name in zip(left, names, strict=True)]


def find_temporary_files(storage: Storage, before: datetime) -> list[StoredFile]:
    """Files under temporary names that were last written before this time."""
    return [
        file
        for folder in _FOLDERS
        for file in storage.list_files(folder)
        if _TEMPORARY.search(file.name) and file.modified < before
    ]


def delete_leftovers(storage: Storage, table: Table, leftovers: Sequence[Leftover]) -> None:
    """Delete data files, after the history says so: older versions that need them can be read no more."""
    if not leftovers:
        return
    last = max((each.removal.version for each in leftovers if each.removal is not None), default=0)
    if last:
        table.note({"vacuumed": len(leftovers), "oldest": max(last, oldest_readable(table))})
    storage.delete_all(each.file.name for each in leftovers)


def oldest_readable(table: Table) -> int:
    """The version from which on all can be read, as far as vacuums have told."""
    return max((int(commit.about.get("oldest", 0)) for commit in table.history()), default=0)


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)
