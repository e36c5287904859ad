"""Which of the listed log objects an ingest reads: those that the store does not have, and those to be read again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from logminer.s3.uris import is_s3
from logminer.schema import PARSER_VERSION
from logminer.sources.objects import LogObject
from logminer.store.duck import fetch_rows, scan_files
from logminer.store.ledger import Known, known_objects, objects_of_older_parsers
from logminer.store.storage import Storage
from logminer.store.table import Snapshot

# Why a body is missing, where that can be another time.
RETRIED_DETAILS = ("offloaded", "outside_source", "unreadable_body", "forbidden", "archived")
TEXT_NOT_KEPT = "text_not_kept"


@dataclass(frozen=True, slots=True)
class Reread:
    """Which stored objects are read again, their rows replaced.

    `changed`: those whose content may have changed. `older_parsers`: those with rows that an older parser
    wrote, of the given `statuses` (None: any), or whose text was not kept. `missing_bodies`: those with a row that
    lacks a body which may be had by now.
    """

    changed: bool = False
    older_parsers: bool = False
    statuses: tuple[str, ...] | None = None
    missing_bodies: bool = False

    @property
    def anything(self) -> bool:
        """Whether stored objects are asked for at all."""
        return self.changed or self.older_parsers or self.missing_bodies


@dataclass(frozen=True)
class Choice:
    """What of the listed objects is to be done.

    `listed` holds each object once, by its URI and in that order; `new` are those to be read, in order, and `again`
    the URIs of those among them that the store has. `changed` are stored ones whose content is surely another one
    now and that are not read again; `gone` are URIs to be read again that were not listed.
    """

    listed: Mapping[str, LogObject]
    new: list[LogObject]
    again: frozenset[str]
    changed: list[str]
    gone: list[str]


def choose(
    storage: Storage, snapshot: Snapshot | None, objects: Iterable[LogObject], reread: Reread
) -> Choice:
    """What is to be read of these objects. Without a snapshot there is no store yet."""
    listed = {log.uri: log for log in sorted(objects, key=attrgetter("uri"))}
    if snapshot is None:
        return Choice(listed, list(listed.values()), frozenset(), [], [])
    known = known_objects(storage, snapshot)
    asked = _asked_again(storage, snapshot, reread)
    again = set(asked & listed.keys())
    if reread.changed:
        again.update(uri for uri, log in listed.items() if uri in known and log.differs_from(*known[uri][1:]))
    new, changed = _new_and_changed(listed, known, again)
    return Choice(listed, new, frozenset(again), changed, sorted(asked - listed.keys()))


def _asked_again(storage: Storage, snapshot: Snapshot, reread: Reread) -> set[str]:
    """The stored objects that are to be read again for what their rows say."""
    asked: set[str] = set()
    if reread.older_parsers:
        asked |= objects_of_older_parsers(storage, snapshot, PARSER_VERSION, reread.statuses)
        asked |= _objects_with_detail(storage, snapshot, (TEXT_NOT_KEPT,), reread.statuses)
    if reread.missing_bodies:
        asked |= _objects_with_detail(storage, snapshot, RETRIED_DETAILS, ("body_missing",))
    return asked


def _objects_with_detail(
    storage: Storage, snapshot: Snapshot, details: Collection[str], statuses: Collection[str] | None
) -> set[str]:
    """Stored objects with a row of one of `statuses` (None: any) that has one of these words as its detail."""
    if not snapshot.files:
        return set()
    rows = fetch_rows(
        storage,
        f"SELECT DISTINCT source_uri FROM {scan_files(storage, snapshot.files)} "
        "WHERE list_has_any(string_split(status_detail, ' '), $1) "
        "AND ($2 IS NULL OR list_contains($2, status))",
        [list(details), None if statuses is None else list(statuses)],
    )
    return {uri for (uri,) in rows}


def _new_and_changed(
    listed: Mapping[str, LogObject], known: Known, again: Collection[str]
) -> tuple[list[LogObject], list[str]]:
    """Objects to be read, and the URIs of known ones whose content is surely another one now.

    A file that was only copied again has another time and so another etag, but the same size. S3's etag comes
    from the content.
    """
    new: list[LogObject] = []
    changed: list[str] = []
    for uri, log in listed.items():
        old = known.get(uri)
        if old is None or uri in again:
            new.append(log)
        elif log.differs_from(*old[1:]) and (old[2] != log.size_bytes or is_s3(log.place)):
            changed.append(uri)
    return new, changed
