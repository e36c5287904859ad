"""Log objects into a store."""

from __future__ import annotations

import functools
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.filters import Filter, format_filter, parse_filter
from logminer.pipeline.options import instant_of, statuses_of
from logminer.source_rules import SourceRule, is_log_group
from logminer.store.duck import usable_cores
from logminer.store.storage import Storage, open_storage
from logminer.timespan import parse_age

if TYPE_CHECKING:
    from typing import Unpack

    from logminer.ingestion.choice import Reread
    from logminer.ingestion.driver import IngestReport
    from logminer.ingestion.gathering import Scope
    from logminer.ingestion.plan import IngestPlan
    from logminer.ingestion.progress import Progress
    from logminer.ingestion.text_scope import TextScope
    from logminer.sources import Watch


class IngestOptions(TypedDict, total=False):
    """What `ingest` and `plan_ingest` both take, by the names of the flags."""

    store: str
    since: str | datetime | None
    until: str | datetime | None
    late_window: str | timedelta | None
    full_scan: bool
    source_base: str | None
    workers: int | None
    reread_changed: bool
    reparse: bool
    retry_bodies: bool
    status: str | Sequence[str] | None
    rules: Sequence[SourceRule]
    text_for: str | Filter | None
    text_teacher: str | None
    aliases: Mapping[str, str] | None


def ingest(
    *sources: str,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    **options: Unpack[IngestOptions],
) -> IngestReport:
    """Read invocation logs into a store: everything that is not there yet, each log record exactly once.

    `sources` are folders, files, globs, `s3://bucket/prefix`, or `-` for standard input; `rules` say how S3 is
    reached where the AWS chain alone does not. `reread_changed` replaces the rows of log
    objects whose content changed; `reparse` those of objects with rows (of the given `status`) that an older
    parser wrote or whose text was not kept; `retry_bodies` those of objects with rows that lack a body which may be
    had by now. Buckets are listed from `late_window` (`3d`) before the last hour that is read; `full_scan`, and
    whatever reads stored objects again, lists them whole. `source_base` is the place that a copied or moved source
    is recorded under. Text is kept of the records alone that `text_for` (a filter) and `text_teacher` (a model, with
    `aliases` for opaque ids) both take. Once `stop` is set, a listing ends, what is under way is committed and the
    report says `interrupted`.
    Raises UsageError, ConfigurationError or StorageError.
    """
    from logminer.ingestion.driver import IngestReport, ingest_objects
    from logminer.ingestion.gathering import gather
    from logminer.ingestion.log_groups import ingest_log_group

    asked = _read_ingest_options(options)
    groups = [source for source in sources if is_log_group(source)]
    others = [source for source in sources if not is_log_group(source)]
    stop = stop or threading.Event()
    read = functools.partial(
        ingest_objects,
        asked.storage,
        workers=asked.workers,
        reread=asked.reread,
        progress=progress,
        stop=stop,
        text_scope=asked.text_scope,
    )
    report = IngestReport("")
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        if others or not groups:
            try:
                gathered = gather(
                    asked.storage, others, asked.scope, asked.rules, spool, _watch(progress, stop)
                )
            except _StoppedListing:
                return IngestReport("", interrupted=True)
            report = read(gathered.objects, passed_over=gathered.passed_over, rules=asked.rules)
            report.begun_at = gathered.begun_at
            if report.is_whole:
                unread = {each.uri for each in report.tally.unreadable}
                gathered.remember(asked.storage, report.table_id, asked.scope, unread)
        for group in groups:
            if not report.is_whole:
                break
            report.add(
                ingest_log_group(
                    asked.storage,
                    group,
                    asked.scope,
                    read,
                    spool=spool,
                    whole=asked.reread.anything,
                    stop=stop,
                    rules=asked.rules,
                )
            )
    return report


class _StoppedListing(Exception):  # noqa: N818 - control flow
    """`stop` was set while sources were listed."""


def _watch(progress: Progress | None, stop: threading.Event | None = None) -> Watch:
    """Shows how far a listing is, and ends it once `stop` is set."""

    def watch(found: int) -> None:
        if progress is not None:
            progress.listed(found)
        if stop is not None and stop.is_set():
            raise _StoppedListing

    return watch


def plan_ingest(
    *sources: str, progress: Progress | None = None, **options: Unpack[IngestOptions]
) -> IngestPlan:
    """What `ingest` with these options would read, with its requests, price and time. Nothing is written."""
    from logminer.ingestion.gathering import gather
    from logminer.ingestion.plan import make_plan

    asked = _read_ingest_options(options)
    if groups := [source for source in sources if is_log_group(source)]:
        raise UsageError(
            "a log group is read as it is listed, so a dry run cannot tell what is in it",
            where=groups[0],
            fix="Leave --dry-run out, or give other sources.",
        )
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        gathered = gather(asked.storage, sources, asked.scope, asked.rules, spool, _watch(progress))
    return make_plan(asked.storage, gathered, asked.reread, asked.workers)


@dataclass(frozen=True)
class _IngestAsked:
    """The options of an ingest, read."""

    storage: Storage
    scope: Scope
    reread: Reread
    workers: int
    rules: Sequence[SourceRule]
    text_scope: TextScope


def _read_ingest_options(options: IngestOptions) -> _IngestAsked:
    from logminer.ingestion.choice import Reread
    from logminer.ingestion.gathering import LATE_WINDOW, Scope

    unknown = options.keys() - IngestOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    status = options.get("status")
    reread = Reread(
        changed=options.get("reread_changed", False),
        older_parsers=options.get("reparse", False),
        statuses=statuses_of(status) if status else None,
        missing_bodies=options.get("retry_bodies", False),
    )
    window = options.get("late_window")
    if isinstance(window, str):
        window = parse_age(window, option="--late-window")
    # What is stored can lie anywhere, so whatever reads it again needs it all.
    if options.get("full_scan") or reread.anything:
        window = None
    elif window is None:
        window = LATE_WINDOW
    scope = Scope(
        instant_of(options.get("since"), "--since"),
        instant_of(options.get("until"), "--until"),
        window,
        options.get("source_base"),
    )
    storage = open_storage(options.get("store", DEFAULT_STORE))
    workers = options.get("workers") or usable_cores()
    return _IngestAsked(storage, scope, reread, workers, options.get("rules", ()), _text_scope(options))


def _text_scope(options: IngestOptions) -> TextScope:
    from logminer.ingestion.text_scope import TextScope

    kept, teacher = options.get("text_for"), options.get("text_teacher")
    if teacher is not None and not teacher.strip():
        raise UsageError("is empty", where="--text-teacher", fix="Give a model, or leave it out.")
    node = parse_filter(kept) if isinstance(kept, str) else kept
    return TextScope(
        filter=format_filter(node) if node is not None else None,
        teacher=teacher,
        aliases=dict(options.get("aliases") or {}),
    )
