"""CloudWatch Logs groups into the store: batch after batch, from the hour up to which they are read.

Events come oldest first, so the mark of a group's streams moves on with every batch that is committed: a run that is
stopped or killed is taken up where it ended. As with buckets, what is newest in the table says nothing of what is
older, so a run that leaves a gap after the mark does not move it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from logminer.ingestion.driver import IngestReport
from logminer.ingestion.gathering import LATE_WINDOW, Scope
from logminer.ingestion.marks import read_marks, write_marks
from logminer.source_rules import SourceRule
from logminer.sources import LogGroup, LogObject, SourceReader, TimeSpan, open_log_group
from logminer.store.storage import Storage
from logminer.store.table import open_table, table_exists


class ReadObjects(Protocol):
    """Reads log objects into a store, reached by these rules."""

    def __call__(self, objects: Sequence[LogObject], *, rules: Sequence[SourceRule]) -> IngestReport:
        """What `ingest_objects` does."""


def ingest_log_group(
    storage: Storage,
    source: str,
    scope: Scope,
    read: ReadObjects,
    *,
    spool: str,
    whole: bool,
    stop: threading.Event,
    rules: Sequence[SourceRule],
) -> IngestReport:
    """Read the events of a log group that the store does not have; every batch is committed by itself.

    `read` is `ingest_objects` for this store, `spool` a folder for the events of one batch. With `whole` all events
    are asked for. Raises UsageError, ConfigurationError or StorageError.
    """
    group = open_log_group(source, SourceReader(rules))
    table = open_table(storage) if table_exists(storage) else None
    mark = None if table is None else read_marks(storage, table.id).get(group.streams_uri)
    since = _begin(mark, scope, whole)
    report = IngestReport("", version=0 if table is None else table.version)
    for batch in group.events(TimeSpan(since, scope.until), spool, stop):
        done = read(batch.logs, rules=[*rules, group.rule])
        report.add(done)
        if not done.is_whole:
            break
        if _leaves_no_gap(mark, scope) and not report.tally.unreadable:
            mark = _move_mark(storage, group, mark, batch.newest, done.table_id)
    report.interrupted = report.interrupted or stop.is_set()
    if since is not None and scope.since is None:
        report.begun_at[group.streams_uri] = since
    return report


def _begin(mark: datetime | None, scope: Scope, whole: bool) -> datetime | None:
    """From when on events are asked for; None for all of them."""
    if scope.since is not None or mark is None or scope.late_window is None or whole:
        return scope.since
    return mark - scope.late_window


def _leaves_no_gap(mark: datetime | None, scope: Scope) -> bool:
    if scope.since is None:
        return True
    return mark is not None and scope.since <= mark - (scope.late_window or LATE_WINDOW)


def _move_mark(
    storage: Storage, group: LogGroup, mark: datetime | None, newest: datetime, table_id: str
) -> datetime:
    """Note that all is read up to the hour of an event, though not back in time, nor into the future."""
    hour = min(newest, datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    moved = max(hour, mark or hour)
    if moved != mark:
        write_marks(storage, table_id, {group.streams_uri: moved})
    return moved
