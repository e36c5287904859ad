"""What an ingest is to look at: the log objects of all its sources, listed as far back as needed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from logminer.errors import UsageError
from logminer.ingestion.marks import moved_marks, read_marks, write_marks
from logminer.s3.uris import is_s3
from logminer.source_rules import SourceRule
from logminer.sources import (
    LogObject,
    SourceReader,
    Watch,
    check_base,
    file_uri,
    lies_in_time,
    list_source,
    rename_listing,
    spool_stdin,
)
from logminer.store.storage import Storage
from logminer.store.table import open_table, table_exists

LATE_WINDOW = timedelta(days=3)


@dataclass(frozen=True)
class Scope:
    """Which part of its sources an ingest looks at.

    `since` and `until` are half-open and UTC. A bucket's Region is listed from the hour up to which it was read
    less `late_window`; None lists it from its beginning, and so does whatever says `since`. `source_base` is the
    place that the one source is a copy of.
    """

    since: datetime | None = None
    until: datetime | None = None
    late_window: timedelta | None = LATE_WINDOW
    source_base: str | None = None


@dataclass
class Gathered:
    """The log objects of some sources.

    `passed_over` counts other files, `list_requests` what was asked of S3, `begun_at` from which hour on the
    Regions' folders were listed that were not listed whole.
    """

    objects: list[LogObject] = field(default_factory=list)
    passed_over: int = 0
    list_requests: int = 0
    begun_at: dict[str, datetime] = field(default_factory=dict)
    _marks: dict[str, datetime] = field(default_factory=dict)
    _prefixes: list[str] = field(default_factory=list)

    def remember(self, storage: Storage, table_id: str, scope: Scope, unread: Collection[str]) -> None:
        """Note how far the buckets are read, after a run that was not interrupted."""
        if not self._prefixes:
            return
        folders = {folder for log in self.objects if (folder := log.region_folder()) is not None}
        whole = {folder for folder in folders if self._is_listed_on(folder, scope)}
        moved = moved_marks(self._marks, self.objects, unread, whole)
        if moved:
            write_marks(storage, table_id, moved)

    def _is_listed_on(self, folder: str, scope: Scope) -> bool:
        """Whether a Region's folder was listed with no gap after its mark."""
        if not any(f"{folder}/".startswith(prefix) for prefix in self._prefixes):
            return False
        if scope.since is None:
            return True
        mark = self._marks.get(folder)
        return mark is not None and scope.since <= mark - (scope.late_window or LATE_WINDOW)


def gather(
    storage: Storage,
    sources: Sequence[str],
    scope: Scope,
    rules: Sequence[SourceRule],
    spool: str,
    watch: Watch,
) -> Gathered:
    """The log objects of all sources. Standard input is copied into the folder `spool`.

    Changes nothing in the store. Raises UsageError, ConfigurationError or StorageError, and what `watch` raises.
    """
    if not sources:
        raise UsageError(
            "say what to read",
            where="SOURCE",
            fix="logminer ingest FOLDER, or [[sources]] with a uri in logminer.toml",
        )
    base = _checked_base(scope, sources)
    for source in sources:
        _refuse_store_in_source(storage, source)
    gathered = Gathered(_marks=_known_marks(storage, sources))
    reader = SourceReader(rules)
    for source in sources:
        if source == "-":
            gathered.objects.append(spool_stdin(sys.stdin.buffer, spool))
        else:
            _add(gathered, storage, source, scope, base, reader, watch)
    return gathered


def _checked_base(scope: Scope, sources: Sequence[str]) -> str | None:
    if scope.source_base is None:
        return None
    if len(sources) != 1 or sources[0] == "-":
        raise UsageError(
            "goes with one source that was copied or moved as a whole",
            where="--source-base",
            fix="logminer ingest ./copy --source-base s3://bucket/prefix",
        )
    return check_base(scope.source_base)


def _known_marks(storage: Storage, sources: Sequence[str]) -> dict[str, datetime]:
    if not any(map(is_s3, sources)) or not table_exists(storage):
        return {}
    return read_marks(storage, open_table(storage).id)


def _add(
    gathered: Gathered,
    storage: Storage,
    source: str,
    scope: Scope,
    base: str | None,
    reader: SourceReader,
    watch: Watch,
) -> None:
    # A part of a Region's time, and a copy, is looked at as it is asked for.
    from_bucket = is_s3(source) and not lies_in_time(source) and base is None
    window = scope.late_window if from_bucket and scope.since is None else None
    begin_at = {uri: mark - window for uri, mark in gathered._marks.items()} if window is not None else {}
    listing = list_source(
        source, since=scope.since, until=scope.until, reader=reader, begin_at=begin_at, watch=watch
    )
    logs = _without_store(storage, source, listing.objects)
    gathered.passed_over += listing.other_files + len(listing.objects) - len(logs)
    listing.objects = logs
    if base is not None:
        rename_listing(listing, source, base)
    if from_bucket:
        gathered._prefixes.append(source.rstrip("/") + "/")
    gathered.objects += listing.objects
    gathered.list_requests += listing.requests
    gathered.begun_at.update(listing.begun_at)


def _without_store(storage: Storage, source: str, objects: list[LogObject]) -> list[LogObject]:
    """The objects of a source that are no files of the store, which can lie in the folder whose logs it holds."""
    folder = Path(source.removeprefix("file://")).resolve()
    if folder.is_dir() and not Path(storage.uri).is_relative_to(folder):
        return objects
    own = file_uri(f"{storage.uri}/")
    return [log for log in objects if not log.uri.startswith(own)]


def _refuse_store_in_source(storage: Storage, source: str) -> None:
    if is_s3(source) and f"{storage.uri}/".startswith(source.rstrip("/") + "/"):
        raise UsageError(
            "the store lies below its own source", where=storage.uri, fix="Choose another --store."
        )
    folder = Path(source.removeprefix("file://")).resolve()
    if folder.is_dir() and Path(storage.uri).is_relative_to(folder / "AWSLogs"):
        raise UsageError(
            "the store lies among the logs it is made from", where=storage.uri, fix="Choose another --store."
        )
