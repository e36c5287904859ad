"""What a round of reading found, into the store: each object once, each request counted once.

The table is its own ledger: an object is known when a row of it is in the very snapshot that a commit is made
against, or when the quarantine says that it holds no record. When another run commits first, this one looks at
the files that are new since, drops the objects that the other took, and commits the rest.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from logminer.errors import LogminerError, StoreChangedError
from logminer.ingestion.redelivery import mark_redelivered, revive_twins
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.store.expired import add_expired_objects
from logminer.store.forgotten import read_forgotten, rows_to_forget
from logminer.store.ledger import files_with_objects, objects_in, objects_since
from logminer.store.quarantine import forget_quarantined
from logminer.store.rewrite import delete_files, fields_of_file, rewrite_file
from logminer.store.storage import Storage
from logminer.store.table import INGEST, CommitConflict, DataFile, Snapshot, Table

_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Exchange:
    """Stored files that leave the table, and new ones with those of their rows that stay."""

    removed: tuple[DataFile, ...] = ()
    kept: tuple[DataFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of new files: objects that another run `taken` first, and rows that did not come in as they are."""

    taken: frozenset[str]
    expired: int
    forgotten: int


def commit_files(
    storage: Storage,
    table: Table,
    base: Snapshot,
    files: Sequence[DataFile],
    about: dict[str, Any],
    *,
    replaced: Collection[str] = (),
) -> Committed:
    """Commit new data files that were written from objects unknown in `base`.

    Rows of `replaced` objects that are in the store already give way to the new ones, in the same commit.
    Rows of objects that another run committed first are dropped, and so are those of dates that the store no
    longer takes; rows that were forgotten come in as tombstones. Raises StorageError with nothing committed,
    and StoreChangedError where the store does not come to rest.
    """
    commit = _Commit(storage, table, base, list(files), frozenset(replaced))
    try:
        for attempt in range(_ATTEMPTS):
            if commit.attempt(about):
                return Committed(frozenset(commit.taken), commit.expired, commit.forgotten)
            time.sleep(random.uniform(0, 0.05 * min(attempt + 1, 10)))  # noqa: S311 - jitter, no secret
            table.refresh()
    except BaseException:
        commit.give_up()
        raise
    commit.give_up()
    raise StoreChangedError(
        f"other runs changed the store {_ATTEMPTS} times in a row", where=storage.uri, fix="Run again later."
    )


class _Commit:
    """New files on their way into a table that others change meanwhile."""

    def __init__(
        self,
        storage: Storage,
        table: Table,
        base: Snapshot,
        pending: list[DataFile],
        replaced: frozenset[str],
    ) -> None:
        self.taken: set[str] = set()
        self.expired = self.forgotten = 0
        self._storage, self._table = storage, table
        self._base = base
        self._pending = pending
        self._replaced = replaced
        self._exchange = Exchange()

    def attempt(self, about: dict[str, Any]) -> bool:
        """Fit the files to what the table is now, and commit them; False where it changed underneath."""
        snapshot = self._table.snapshot()
        self._drop_taken(snapshot)
        self._drop_expired(snapshot)
        self._forget(about)
        self._take_out(snapshot)
        self._mark(snapshot)
        self._demote(snapshot)
        if not self._pending and not self._exchange.removed:
            return True
        try:
            committed = self._widen(snapshot) and self._add(about)
        except CommitConflict:
            committed = False
        if not committed:
            delete_files(self._storage, self._exchange.kept)
            self._exchange = Exchange()
        return committed

    def _widen(self, snapshot: Snapshot) -> bool:
        """Give the table new metadata fields; False where another run committed beside it.

        Widening goes through beside a run that adds rows: what that one took is not seen yet.
        """
        found = {field for file in self._pending for field in fields_of_file(self._storage, file)}
        new = sorted(found - set(snapshot.metadata_fields))
        if not new:
            return True
        self._table.widen(new)
        return self._table.version == snapshot.version + 1

    def _add(self, about: dict[str, Any]) -> bool:
        added = [*self._pending, *self._exchange.kept]
        self._table.commit(INGEST, add=added, remove=self._exchange.removed, about=about)
        return True

    def _drop_taken(self, snapshot: Snapshot) -> None:
        """Drop rows of objects that came into the table since `base`."""
        since = objects_since(self._storage, self._base, snapshot) - self._replaced
        taken = since & objects_in(self._storage, self._pending) if since else since
        for file in files_with_objects(self._storage, self._pending, taken):
            self._change(file, drop_objects=taken)
        self.taken |= taken
        self._base = snapshot

    def _drop_expired(self, snapshot: Snapshot) -> None:
        """Drop the files of dates that the store no longer takes; their objects count as known."""
        since = snapshot.kept_since
        late = [file for file in self._pending if since is not None and file.date < since]
        if not late:
            return
        add_expired_objects(self._storage, late)
        self.expired += sum(file.rows for file in late)
        self._pending = [file for file in self._pending if file not in late]
        delete_files(self._storage, late)

    def _forget(self, about: dict[str, Any]) -> None:
        """Make tombstones of rows that were forgotten, and empty the quarantined values that tell of them."""
        forgotten = read_forgotten(self._storage)
        if not forgotten.num_rows:
            return
        for file, rows in rows_to_forget(self._storage, self._pending, forgotten).items():
            self._change(file, forget=rows)
            self.forgotten += len(rows)
        if about.get("quarantined"):
            forget_quarantined(self._storage, forgotten, ingest_id=about["ingest_id"])

    def _take_out(self, snapshot: Snapshot) -> None:
        """Exchange the stored files that hold rows of replaced objects for ones without."""
        removed = files_with_objects(self._storage, snapshot.files, self._replaced)
        kept = [rewrite_file(self._storage, file, drop_objects=self._replaced) for file in removed]
        self._exchange = Exchange(tuple(removed), tuple(file for file in kept if file is not None))

    def _mark(self, snapshot: Snapshot) -> None:
        removed = {file.name for file in self._exchange.removed}
        stored = [file for file in snapshot.files if file.name not in removed]
        marks = mark_redelivered(self._storage, [*stored, *self._exchange.kept], self._pending)
        for file, rows in marks.items():
            self._change(file, redelivered=rows)
        if not removed:
            return
        twins = revive_twins(
            self._storage,
            self._exchange.removed,
            self._replaced,
            [*stored, *self._exchange.kept],
            self._pending,
        )
        for file, rows in twins.items():
            self._revive(file, rows)

    def _revive(self, file: DataFile, marks: dict[tuple[str, int], bool]) -> None:
        """Exchange a stored file for one with other marks."""
        new = rewrite_file(self._storage, file, redelivered=marks)
        assert new is not None
        if file in self._exchange.kept:
            delete_files(self._storage, [file])
            kept = tuple(new if each == file else each for each in self._exchange.kept)
            self._exchange = Exchange(self._exchange.removed, kept)
        else:
            self._exchange = Exchange((*self._exchange.removed, file), (*self._exchange.kept, new))

    def _demote(self, snapshot: Snapshot) -> None:
        """Move metadata keys to the rest where the table would get too many promoted ones."""
        fields = dict.fromkeys(snapshot.metadata_fields)
        for file in list(self._pending):
            new = [field for field in fields_of_file(self._storage, file) if field not in fields]
            room = MAX_PROMOTED_KEYS - len(fields)
            fields.update(dict.fromkeys(new[:room]))
            if len(new) > room:
                self._change(file, demote=new[room:])

    def _change(self, file: DataFile, **changes: Any) -> None:
        """Put a changed copy of a pending file in its stead; none where no row is left."""
        new = rewrite_file(self._storage, file, **changes)
        index = self._pending.index(file)
        self._pending[index : index + 1] = [] if new is None else [new]
        delete_files(self._storage, [file])

    def give_up(self) -> None:
        """Delete the files, unless the table may have them."""
        files = [*self._pending, *self._exchange.kept]
        with contextlib.suppress(LogminerError):
            self._table.refresh()
            named = {file.name for file in self._table.snapshot().files}
            delete_files(self._storage, [file for file in files if file.name not in named])
