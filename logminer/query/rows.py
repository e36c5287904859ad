"""Selected records as plain values, in the order that everything uses: time, request id, source, position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from logminer.errors import UsageError
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import ROW_ORDER, StoreView, as_utc
from logminer.schema import COLUMN_NAMES

# `request_metadata` stands for both halves of the metadata; `model` is what `model_id` means.
SELECT_COLUMNS = (*(name for name in COLUMN_NAMES if name != "request_metadata_rest"), "model")

_INSTANTS = frozenset({"timestamp", "ingested_at"})


@dataclass(frozen=True, slots=True)
class Records:
    """Selected records as they are read. Iterate once; instants are UTC, metadata a dict, JSON still text."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def select_records(
    view: StoreView, selection: Selection, columns: Sequence[str] | None = None, limit: int | None = None
) -> Records:
    """The selected records with the given columns (all by default), in the fixed order.

    They are read date by date, so that memory grows with a day and not with the store. Raises UsageError at once
    for what cannot be meant; reading can raise StorageError.
    """
    chosen = check_columns(columns)
    if limit is not None and limit < 0:
        raise UsageError(
            "cannot be negative", where="--limit", fix="Give the number of records, or leave it out."
        )
    view.conditions(selection)  # complains here rather than at the first row
    return Records(chosen, _rows(view, selection, chosen, limit))


def check_columns(columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns to select; all where none are given. Raises UsageError."""
    for name in columns or ():
        if name not in SELECT_COLUMNS:
            raise UsageError(
                f"there is no column {name!r}",
                where="--columns",
                fix=f"Columns are: {', '.join(SELECT_COLUMNS)}",
            )
    return tuple(columns or SELECT_COLUMNS)


def _rows(
    view: StoreView, selection: Selection, columns: tuple[str, ...], limit: int | None
) -> Iterator[tuple[Any, ...]]:
    left = limit
    for day in view.days(selection):
        if left == 0:
            return
        count = 0
        for row in _rows_of_day(view, selection.within(day), columns, left):
            count += 1
            yield row
        left = left - count if left is not None else None


def _rows_of_day(
    view: StoreView, selection: Selection, columns: tuple[str, ...], limit: int | None
) -> Iterator[tuple[Any, ...]]:
    where = joined(view.conditions(selection))
    relation = view.relation(selection, with_model="model" in columns)
    text = f"SELECT {select_list(columns)} FROM {relation} WHERE {where.text} ORDER BY {ROW_ORDER}"
    if limit is not None:
        text += f" LIMIT {int(limit)}"
    for row in view.query(text, where.params, selection):
        yield read_row(columns, row)


def select_list(columns: Sequence[str]) -> str:
    """SQL for reading columns of `SELECT_COLUMNS`; `read_row` makes values of what it gives."""
    return ", ".join(_expression(name) for name in columns)


def _expression(column: str) -> str:
    if column == "request_metadata":
        return "request_metadata, request_metadata_rest"
    # An alias would hide the stored instant from the conditions and the order.
    return f"{column} AT TIME ZONE 'UTC'" if column in _INSTANTS else column


def read_row(columns: Sequence[str], row: Sequence[Any]) -> tuple[Any, ...]:
    """One row of `select_list`: metadata in one piece, instants in UTC."""
    values = iter(row)
    return tuple(_value(name, values) for name in columns)


def _value(column: str, values: Iterator[Any]) -> Any:
    if column == "request_metadata":
        return merge_metadata(next(values), next(values))
    return as_utc(next(values)) if column in _INSTANTS else next(values)


def merge_metadata(promoted: dict[str, str | None] | None, rest: str | None) -> dict[str, str] | None:
    """A record's metadata from both of its columns, sorted by key; None where it had none.

    Files have their fields in orders of their own, and what is shown or exported must not depend on that.
    """
    metadata = {decode_key(field): value for field, value in (promoted or {}).items() if value is not None}
    if rest is not None:
        metadata.update(msgspec.json.decode(rest, type=dict[str, str]))
    return dict(sorted(metadata.items())) or None
