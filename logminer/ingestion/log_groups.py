"""CloudWatch Logs groups into the store: batch after batch, from the newest record that is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from logminer.ingestion.choice import Reread
from logminer.ingestion.driver import IngestReport, NoProgress, Progress, ingest_objects
from logminer.ingestion.gathering import Scope
from logminer.sources import LogGroup, SourceReader, SourceRule, TimeSpan, open_log_group
from logminer.store.ledger import newest_record
from logminer.store.storage import Storage
from logminer.store.table import open_table, table_exists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logminer.ingestion.text_scope import TextScope


def ingest_log_group(
    storage: Storage,
    source: str,
    scope: Scope,
    *,
    spool: str,
    workers: int,
    reread: Reread,
    progress: Progress | None,
    stop: threading.Event | None,
    rules: Sequence[SourceRule],
    text_scope: TextScope | None,
) -> IngestReport:
    """Read the events of a log group that the store does not have; every batch is committed by itself.

    `spool` is a folder for the events of one batch. Raises UsageError, ConfigurationError or StorageError.
    """
    group = open_log_group(source, SourceReader(rules))
    span = TimeSpan(scope.since, scope.until)
    if scope.since is None and not reread.anything:
        span = _since_newest(storage, group, scope)
    report = IngestReport("")
    for batch in group.events(span, spool):
        report.add(
            ingest_objects(
                storage,
                batch,
                workers=workers,
                reread=reread,
                progress=progress or NoProgress(),
                stop=stop,
                rules=[*rules, group.rule],
                text_scope=text_scope,
            )
        )
        if report.interrupted:
            break
    if span.since is not None and scope.since is None:
        report.begun_at[group.uri] = span.since
    return report


def _since_newest(storage: Storage, group: LogGroup, scope: Scope) -> TimeSpan:
    """The time from the newest stored record less the late window on; all time where there is none."""
    if scope.late_window is None or not table_exists(storage):
        return TimeSpan(None, scope.until)
    newest = newest_record(storage, open_table(storage).snapshot(), f"{group.uri}/")
    since = None if newest is None else newest - scope.late_window
    return TimeSpan(since, scope.until)
