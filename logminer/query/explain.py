"""One request's whole story: where it was logged, what it was judged to be, and where it went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from logminer.errors import UsageError
from logminer.query.rows import SELECT_COLUMNS, read_row, select_list
from logminer.query.selection import Selection
from logminer.query.view import StoreView
from logminer.statuses import STATUS_DETAILS, STATUSES
from logminer.store.registry import ExportEntry, read_exports


@dataclass(frozen=True)
class Story:
    """What the store knows of one request.

    `records` has one entry per delivery, with the columns of `select`. `conditions` says which parts of the
    selection that was asked with each delivery meets, by their names.
    """

    request_id: str
    records: tuple[dict[str, Any], ...]
    conditions: tuple[dict[str, bool], ...]
    exports: tuple[ExportEntry, ...]


def explain_request(view: StoreView, request_id: str, selection: Selection) -> Story:
    """The story of a request. Raises UsageError where the store has no record of it."""
    rows, names = _read(view, request_id, selection)
    if not rows:
        raise UsageError(
            f"the store has no record of the request {request_id!r}",
            where=view.storage.uri,
            fix="Check the id; quarantined values are listed by: logminer store quarantine",
        )
    split = len(SELECT_COLUMNS) + 1  # the metadata takes two columns
    records = tuple(
        dict(zip(SELECT_COLUMNS, read_row(SELECT_COLUMNS, row[:split]), strict=True)) for row in rows
    )
    met = tuple(dict(zip(names, row[split:], strict=True)) for row in rows)
    exports = tuple(entry for entry in read_exports(view.storage) if request_id in entry.request_ids)
    return Story(request_id, records, met, exports)


def _read(view: StoreView, request_id: str, selection: Selection) -> tuple[list[tuple[Any, ...]], list[str]]:
    # The record may lie outside of the time span, so every file is asked.
    timeless = replace(selection, since=None, until=None)
    conditions = view.conditions(selection, files_of=timeless)
    tests = "".join(f", coalesce({each.sql.text}, false)" for each in conditions)
    params = [param for each in conditions for param in each.sql.params]
    text = (
        f"SELECT {select_list(SELECT_COLUMNS)}{tests} FROM {view.relation(timeless, with_model=True)} "
        "WHERE request_id = ? ORDER BY source_uri, source_position"
    )
    rows = view.query(text, (*params, request_id), selection).all()
    return rows, [each.name for each in conditions]


def explain_status(status: str, details: str | None) -> list[str]:
    """The meaning of a status and of each word of its detail."""
    lines = [f"{status}: {STATUSES.get(status, 'a status of another version of logminer')}"]
    for word in (details or "").split():
        family, colon, value = word.partition(":")
        about = STATUS_DETAILS.get(family + colon, "a word of another version of logminer")
        lines.append(f"{word}: {about}" if not value else f"{word}: {about} ({value})")
    return lines
