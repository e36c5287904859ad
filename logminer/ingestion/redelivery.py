"""Which rows are re-deliveries: a request counts once per date, in the row that came first.

`redelivered` is false on exactly one row of each request and date. Within one commit the row with the smallest
source and position is first; a row that is stored already comes before all new ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from logminer.store.duck import fetch_rows, scan_files
from logminer.store.rewrite import RowId
from logminer.store.storage import Storage
from logminer.store.table import DataFile

# Marks by file: which rows get which value of `redelivered`.
Marks = dict[DataFile, dict[RowId, bool]]

# The same for the same request of the same date, and for others hardly ever.
_TWIN = "hash(timestamp::DATE, request_id)"


def mark_redelivered(storage: Storage, stored: Sequence[DataFile], pending: Sequence[DataFile]) -> Marks:
    """The marks that have to change in new files for the rows that are stored beside them."""
    if not pending:
        return {}
    new = scan_files(storage, pending, filename=True)
    # The rows of the same days that count so far.
    first = (
        f"FROM {scan_files(storage, _of_days(stored, pending))} AS old "
        "WHERE request_id IS NOT NULL AND NOT redelivered"
    )
    rows = fetch_rows(
        storage,
        # Few requests come twice. Those that may have are found by their hashes, which take little memory.
        f"WITH calls AS (SELECT {_TWIN} AS twin FROM {new} WHERE request_id IS NOT NULL), "
        "twins AS MATERIALIZED (SELECT twin FROM calls GROUP BY twin HAVING count(*) > 1 "
        f"UNION ALL SELECT twin FROM calls SEMI JOIN (SELECT {_TWIN} AS twin {first}) USING (twin)), "
        "new AS (SELECT filename, timestamp::DATE AS day, request_id, source_uri, source_position, redelivered, "
        "row_number() OVER (PARTITION BY timestamp::DATE, request_id ORDER BY source_uri, source_position) AS place "
        f"FROM {new} WHERE request_id IS NOT NULL AND (redelivered OR {_TWIN} IN (FROM twins))), "
        f"marked AS (SELECT *, place > 1 OR EXISTS (SELECT 1 {first} AND old.request_id = new.request_id "
        "AND old.timestamp::DATE = new.day) AS mark FROM new) "
        "SELECT filename, source_uri, source_position, mark FROM marked WHERE mark <> redelivered",
    )
    return _by_file(storage, pending, rows)


def revive_twins(
    storage: Storage,
    removed: Sequence[DataFile],
    replaced: Collection[str],
    stored: Sequence[DataFile],
    pending: Sequence[DataFile],
) -> Marks:
    """The marks that have to change in stored files, since rows of `replaced` objects leave the table.

    A request whose first row goes, and that no new row has, lives on in the earliest of its re-deliveries.
    """
    old = _of_days(stored, removed)
    if not old:
        return {}
    new = scan_files(storage, _of_days(pending, removed))
    rows = fetch_rows(
        storage,
        "WITH gone AS (SELECT DISTINCT timestamp::DATE AS day, request_id "
        f"FROM {scan_files(storage, removed)} WHERE request_id IS NOT NULL AND NOT redelivered "
        f"AND source_uri IN (SELECT unnest($1)) EXCEPT SELECT timestamp::DATE, request_id FROM {new}), "
        "twins AS (SELECT filename, source_uri, source_position, redelivered, bool_and(redelivered) OVER twin "
        "AS all_later, row_number() OVER (twin ORDER BY ingested_at, source_uri, source_position) AS place "
        f"FROM {scan_files(storage, old, filename=True)} AS old JOIN gone "
        "ON old.request_id = gone.request_id AND old.timestamp::DATE = gone.day "
        "WINDOW twin AS (PARTITION BY gone.day, gone.request_id)) "
        "SELECT filename, source_uri, source_position, false FROM twins WHERE all_later AND place = 1",
        [list(replaced)],
    )
    return _by_file(storage, stored, rows)


def _of_days(files: Sequence[DataFile], others: Sequence[DataFile]) -> list[DataFile]:
    days = {file.date for file in others}
    return [file for file in files if file.date in days]


def _by_file(
    storage: Storage, files: Sequence[DataFile], rows: Sequence[tuple[str, str, int, bool]]
) -> Marks:
    by_path: dict[str, dict[RowId, bool]] = defaultdict(dict)
    for path, uri, position, mark in rows:
        by_path[path][uri, position] = mark
    return {
        file: by_path[path] for file in files if (path := storage.path(f"invocations/{file.name}")) in by_path
    }
