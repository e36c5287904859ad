"""Which log objects are in the store: the table is its own ledger, the quarantine that of objects without records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import cast

from logminer.store.duck import fetch_rows, scan_files
from logminer.store.expired import expired_objects
from logminer.store.quarantine import record_less_objects
from logminer.store.storage import Storage
from logminer.store.table import DataFile, Snapshot

# Stored log objects by URI: URI, etag and size in bytes. There can be very many, so they are the rows as read.
Known = dict[str, tuple[str, str, int]]


def known_objects(storage: Storage, snapshot: Snapshot) -> Known:
    """Every log object that is in the store, or was until its records expired.

    An object with rows is known by them, whatever else is said of it.
    """
    known = {**record_less_objects(storage), **expired_objects(storage)}
    if snapshot.files:
        rows = fetch_rows(
            storage,
            "SELECT source_uri, any_value(source_etag), any_value(source_size) "
            f"FROM {scan_files(storage, snapshot.files)} GROUP BY source_uri",
        )
        known.update({row[0]: row for row in cast(list[tuple[str, str, int]], rows)})
    return known


def objects_of_older_parsers(
    storage: Storage, snapshot: Snapshot, parser_version: int, statuses: Collection[str] | None
) -> set[str]:
    """Stored objects with a row of one of `statuses` (None: any) that an older parser wrote."""
    if not snapshot.files:
        return set()
    rows = fetch_rows(
        storage,
        f"SELECT DISTINCT source_uri FROM {scan_files(storage, snapshot.files)} "
        "WHERE parser_version < $1 AND ($2 IS NULL OR list_contains($2, status))",
        [parser_version, None if statuses is None else list(statuses)],
    )
    return {uri for (uri,) in rows}


def objects_in(storage: Storage, files: Iterable[DataFile]) -> set[str]:
    """The log objects that have rows in these files."""
    files = list(files)
    if not files:
        return set()
    return {
        uri for (uri,) in fetch_rows(storage, f"SELECT DISTINCT source_uri FROM {scan_files(storage, files)}")
    }


def objects_since(storage: Storage, old: Snapshot, new: Snapshot) -> set[str]:
    """The log objects with rows in files that `new` has and `old` has not; rewritten files count as well."""
    if new.version == old.version:
        return set()
    names = {file.name for file in old.files}
    return objects_in(storage, [file for file in new.files if file.name not in names])


def files_with_objects(
    storage: Storage, files: Collection[DataFile], objects: Collection[str]
) -> list[DataFile]:
    """Those of `files` that hold rows of `objects`."""
    if not files or not objects:
        return []
    scan = scan_files(storage, files, filename=True)
    rows = fetch_rows(
        storage,
        f"SELECT DISTINCT filename FROM {scan} WHERE source_uri IN (SELECT unnest($1))",
        [list(objects)],
    )
    paths = {path for (path,) in rows}
    return [file for file in files if storage.path(f"invocations/{file.name}") in paths]
