"""Records are forgotten: their rows become tombstones, and their content goes from every file of the store.

The order makes a kill at any instant harmless, and running again ends what is left. First the store's list of
forgotten requests, which ingests compare with; then the table, in one commit that every ingest and compaction
under way conflicts with; then the quarantine and the register of exports; last the files of older versions.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from logminer.errors import StoreChangedError
from logminer.maintenance.criteria import Criteria, Found, find_rows
from logminer.maintenance.holding import files_holding
from logminer.maintenance.leftovers import delete_leftovers, find_leftovers, utc_now
from logminer.store.forgotten import Entry, add_forgotten, entries_table, read_forgotten
from logminer.store.quarantine import forget_quarantined
from logminer.store.registry import ExportEntry, add_export, read_exports
from logminer.store.rewrite import delete_files, rewrite_file
from logminer.store.storage import Storage
from logminer.store.table import INGEST, CommitConflict, DataFile, Table, open_table

_ATTEMPTS = 50
_REDACTED = "(forgotten)"


@dataclass(frozen=True, slots=True)
class HoldingExport:
    """A registered export, of which `lines` are of forgotten requests; what was written there is not touched."""

    export_id: str
    path: str
    lines: int


@dataclass(frozen=True)
class ForgetReport:
    """What was forgotten, or would be.

    `log_objects` still hold the records, and so do the files of `exports`. `unknown` are request ids that the
    store has no record of: they are kept out when they come. `unfinished` are files that a run may be writing
    and that may hold the records; a vacuum a day later takes them if it was killed.
    """

    dry_run: bool
    version: int
    records: int
    dates: tuple[date, ...]
    log_objects: tuple[str, ...]
    quarantined: int
    exports: tuple[HoldingExport, ...]
    unknown: tuple[str, ...]
    files_rewritten: int
    files_deleted: int
    unfinished: tuple[str, ...]


def forget(storage: Storage, criteria: Criteria, *, dry_run: bool = False) -> ForgetReport:
    """Forget all records that criteria name. Raises StorageError and ConfigurationError; running again goes on."""
    table = open_table(storage)
    if dry_run:
        found = find_rows(storage, table.snapshot().files, criteria)
    else:
        found = _commit_tombstones(storage, table, criteria)
    quarantined = _forget_quarantined(storage, criteria, found, dry_run)
    exports = read_exports(storage)
    deleted, unfinished = 0, tuple[str, ...]()
    if not dry_run:
        _redact_exports(storage, exports, criteria)
        deleted, unfinished = _delete_holding(storage, table, criteria)
    return ForgetReport(
        dry_run=dry_run,
        version=table.version,
        records=found.records,
        dates=found.dates,
        log_objects=found.log_objects,
        quarantined=quarantined,
        exports=_holding_exports(exports, found.request_ids),
        unknown=tuple(sorted(criteria.request_ids - found.request_ids)),
        files_rewritten=len(found.rows),
        files_deleted=deleted,
        unfinished=unfinished,
    )


# --- the table ----------------------------------------------------------------------------------------------


def _commit_tombstones(storage: Storage, table: Table, criteria: Criteria) -> Found:
    rewriting = _Rewriting(storage)
    # A request that the store has no record of yet is kept out when it comes.
    listed: set[Entry] = {(request, None, None) for request in criteria.request_ids}
    _remember(storage, listed)
    try:
        for attempt in range(_ATTEMPTS):
            table.refresh()
            found = find_rows(storage, table.snapshot().files, criteria)
            _remember(storage, found.entries - listed)
            listed |= found.entries
            if not found.rows or rewriting.commit(table, found):
                rewriting.close(done=bool(found.rows))
                return found
            time.sleep(random.uniform(0, 0.05 * min(attempt + 1, 10)))  # noqa: S311 - jitter, no secret
    except BaseException:
        rewriting.give_up(table)
        raise
    rewriting.give_up(table)
    raise StoreChangedError(
        f"other runs changed the store {_ATTEMPTS} times in a row", where=storage.uri, fix="Run again later."
    )


def _remember(storage: Storage, entries: Iterable[Entry]) -> None:
    """Add what the list does not have yet."""
    known = set(zip(*(column.to_pylist() for column in read_forgotten(storage).columns), strict=True))
    add_forgotten(storage, set(entries) - known)


class _Rewriting:
    """Copies with tombstones. Other commits may come first; what they did not touch is not written again."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._written: dict[str, tuple[frozenset[tuple[str, int]], DataFile]] = {}

    def commit(self, table: Table, found: Found) -> bool:
        """Exchange the files; False where the table changed underneath."""
        names = {file.name for file in found.rows}
        self._drop([name for name in self._written if name not in names])
        for file, rows in found.rows.items():
            if file.name in self._written and self._written[file.name][0] != rows:
                self._drop([file.name])
            if file.name not in self._written:
                new = rewrite_file(self._storage, file, forget=rows)
                assert new is not None
                self._written[file.name] = (rows, new)
        try:
            table.commit(
                INGEST,
                add=[new for _, new in self._written.values()],
                remove=list(found.rows),
                about={"forgotten": found.records},
            )
        except CommitConflict:
            return False
        return True

    def close(self, *, done: bool) -> None:
        """End; where nothing was committed the copies go."""
        if not done:
            self._drop(list(self._written))

    def give_up(self, table: Table) -> None:
        """Delete the copies, unless the table has them after all."""
        table.refresh()
        named = {file.name for file in table.snapshot().files}
        self._drop([name for name, (_, new) in self._written.items() if new.name not in named])

    def _drop(self, names: Iterable[str]) -> None:
        delete_files(self._storage, [self._written.pop(name)[1] for name in names])


# --- beside the table ---------------------------------------------------------------------------------------


def _forget_quarantined(storage: Storage, criteria: Criteria, found: Found, dry_run: bool) -> int:
    import pyarrow as pa

    asked: set[Entry] = {(request, None, None) for request in criteria.request_ids}
    forgotten = pa.concat_tables([read_forgotten(storage), entries_table({*asked, *found.entries})])
    return forget_quarantined(storage, forgotten, mentions=criteria.mentioned_in(), dry_run=dry_run)


def _holding_exports(
    exports: Iterable[ExportEntry], request_ids: frozenset[str]
) -> tuple[HoldingExport, ...]:
    counted = [(entry, sum(each in request_ids for each in entry.request_ids)) for entry in exports]
    return tuple(HoldingExport(entry.export_id, entry.path, lines) for entry, lines in counted if lines)


def _redact_exports(storage: Storage, exports: Iterable[ExportEntry], criteria: Criteria) -> None:
    """Take the identities and metadata values out of the selections that exports were made with."""
    texts = [*criteria.texts(), *(each.replace('"', '\\"') for each in criteria.texts())]
    for entry in exports:
        selection = {name: _redacted(value, texts) for name, value in entry.selection.items()}
        if selection != entry.selection:
            add_export(storage, msgspec.structs.replace(entry, selection=selection))


def _redacted(value: Any, texts: Iterable[str]) -> Any:
    if isinstance(value, list):
        return [_redacted(each, texts) for each in value]
    return _REDACTED if isinstance(value, str) and any(text in value for text in texts) else value


# --- older versions -----------------------------------------------------------------------------------------


def _delete_holding(storage: Storage, table: Table, criteria: Criteria) -> tuple[int, tuple[str, ...]]:
    """Delete what holds forgotten rows; how many files that were, and the names of those that must not go yet."""
    now = utc_now()
    leftovers = find_leftovers(storage, table)
    orphans = [each for each in leftovers if each.is_orphan(now)]
    holding = files_holding(storage, [each for each in leftovers if each not in orphans], criteria)
    going = [*orphans, *(each for each in holding if each.removal is not None)]
    delete_leftovers(storage, table, going)
    return len(going), tuple(each.file.name for each in holding if each.removal is None)
