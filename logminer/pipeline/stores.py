"""A store itself: what it holds, and its upkeep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.pipeline.options import make_selection, texts_of
from logminer.store.storage import open_storage
from logminer.store.table import Commit, open_table
from logminer.timespan import parse_age

if TYPE_CHECKING:
    from datetime import date

    from logminer.maintenance.compaction import CompactionReport
    from logminer.maintenance.ddl import Ddl
    from logminer.maintenance.expiry import ExpiryReport
    from logminer.maintenance.forgetting import ForgetReport
    from logminer.maintenance.vacuum import VacuumReport


_LONGEST_AGE = timedelta(days=100 * 365)


@dataclass(frozen=True)
class StoreInfo:
    """A store at a glance. Dates are UTC; sizes are bytes. Before `kept_since` it takes no records (None: all)."""

    uri: str
    version: int
    rows: int
    files: int
    size_bytes: int
    dates: int
    first_date: str | None
    last_date: str | None
    metadata_fields: int
    models: int
    quarantined: int
    exports: int
    kept_since: str | None = None


def store_info(store: str = DEFAULT_STORE) -> StoreInfo:
    """What a store holds."""
    from logminer.store.quarantine import read_quarantine
    from logminer.store.registry import read_exports, read_model_ids

    storage = open_storage(store)
    snapshot = open_table(storage).snapshot()
    dates = sorted({file.date.isoformat() for file in snapshot.files})
    return StoreInfo(
        uri=storage.uri,
        version=snapshot.version,
        rows=snapshot.rows,
        files=len(snapshot.files),
        size_bytes=sum(file.size_bytes for file in snapshot.files),
        dates=len(dates),
        first_date=dates[0] if dates else None,
        last_date=dates[-1] if dates else None,
        metadata_fields=len(snapshot.metadata_fields) - 1,  # one is there for the empty key alone
        models=len(read_model_ids(storage)),
        quarantined=len(read_quarantine(storage, snapshot.files)),
        exports=len(read_exports(storage)),
        kept_since=snapshot.kept_since.isoformat() if snapshot.kept_since else None,
    )


def store_history(store: str = DEFAULT_STORE) -> list[Commit]:
    """All versions of a store, newest first."""
    return open_table(open_storage(store)).history()


@dataclass(frozen=True)
class QuarantinedEntry:
    """One value that could not be read as a log record. `raw` is its first bytes."""

    source_uri: str
    source_position: int
    reason: str
    raw: bytes
    ingest_id: str


def quarantine(store: str = DEFAULT_STORE, *, reason: str | None = None) -> list[QuarantinedEntry]:
    """What could not be read (for one reason), each value once, in the order of source and position."""
    from logminer.store.quarantine import QUARANTINE_REASONS, read_quarantine

    if reason is not None and reason not in QUARANTINE_REASONS:
        known = ", ".join(QUARANTINE_REASONS)
        raise UsageError(f"{reason!r} is not known", where="--reason", fix=f"Known are: {known}.")
    storage = open_storage(store)
    rows = read_quarantine(storage, open_table(storage).snapshot().files, reason)
    return [QuarantinedEntry(*row) for row in rows]


def compact(
    store: str = DEFAULT_STORE,
    *,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    target_mb: int = 128,
    everything: bool = False,
    progress: Callable[[date, int, int], None] | None = None,
) -> CompactionReport:
    """Write the files of each day together where they are many, small or not sorted; safe beside everything else.

    With `everything`, files that are large and sorted already are written anew too. `progress` is told the day,
    its place and the number of days. Raises StorageError; days that are done stay.
    """
    from logminer.maintenance.compaction import CompactionPlan
    from logminer.maintenance.compaction import compact as compact_store

    if target_mb < 1:
        raise UsageError(f"cannot be {target_mb}", where="--target-mb", fix="Give a whole number, 1 or more.")
    selection = make_selection("all", since=since, until=until)
    return compact_store(
        open_storage(store), CompactionPlan(selection, target_mb << 20, everything), progress
    )


def vacuum(
    store: str = DEFAULT_STORE,
    *,
    older_than: str | timedelta = "7d",
    orphans_older_than: str | timedelta = "24h",
    dry_run: bool = False,
) -> VacuumReport:
    """Delete files that only versions need which were replaced longer ago, and what killed runs left behind."""
    from logminer.maintenance.vacuum import vacuum as vacuum_store

    return vacuum_store(
        open_storage(store),
        _age(older_than, "--older-than"),
        orphans_older_than=_age(orphans_older_than, "--orphans-older-than"),
        dry_run=dry_run,
    )


def forget(
    store: str = DEFAULT_STORE,
    *,
    request_ids: str | Sequence[str] | None = None,
    identities: str | Sequence[str] | None = None,
    metadata: Sequence[tuple[str, str]] = (),
    dry_run: bool = False,
) -> ForgetReport:
    """Forget every record that any of these names, with all deliveries of its request, for ever.

    `identities` may have `*` and `?` as wildcards; `metadata` are pairs of key and value. Older versions that
    held the records can be read no more. Later ingests do not bring them back. Running again goes on.
    """
    from logminer.maintenance.criteria import Criteria
    from logminer.maintenance.forgetting import forget as forget_records

    criteria = Criteria(frozenset(texts_of(request_ids)), texts_of(identities), tuple(metadata))
    return forget_records(open_storage(store), criteria, dry_run=dry_run)


def expire(store: str = DEFAULT_STORE, *, older_than: str | timedelta, dry_run: bool = False) -> ExpiryReport:
    """Let the records of UTC dates that are longer ago go, for ever: later ingests count and drop such records."""
    from logminer.maintenance.expiry import expire as expire_records

    age = _age(older_than, "--older-than")
    if age < timedelta(days=1):
        raise UsageError("would leave no whole day", where="--older-than", fix="Give 1d or more.")
    return expire_records(open_storage(store), (datetime.now(UTC) - age).date(), dry_run=dry_run)


def store_ddl(
    store: str = DEFAULT_STORE,
    *,
    engine: str = "athena",
    location: str | None = None,
    table: str = "invocations",
    view: str = "records",
) -> Ddl:
    """The statements that make a store known to another engine: its table, and a view with plain column names."""
    from logminer.maintenance.ddl import ENGINES, athena_ddl

    if engine not in ENGINES:
        raise UsageError(
            f"{engine!r} is not known", where="--engine", fix=f"Known are: {', '.join(ENGINES)}."
        )
    return athena_ddl(open_storage(store), location=location, table=table, view=view)


def _age(value: str | timedelta, option: str) -> timedelta:
    age = parse_age(value, option=option) if isinstance(value, str) else value
    if age > _LONGEST_AGE:
        raise UsageError("is longer than anything can be ago", where=option, fix="Give less, such as 180d.")
    return age
