"""Selected records as plain values, in the order that everything uses: time, request id, source, position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from logminer.errors import UsageError
from logminer.filters import Sql
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import ROW_ORDER, StoreView, as_utc
from logminer.schema import COLUMN_NAMES

# Columns that hold JSON text; they are shown as what they are.
JSON_COLUMNS = frozenset({"messages", "response_blocks", "tools", "params"})
# `request_metadata` stands for both halves of the metadata; `model` is what `model_id` means.
SELECT_COLUMNS = (*(name for name in COLUMN_NAMES if name != "request_metadata_rest"), "model")

_BATCH_ROWS = 1_000
_EXPRESSIONS = {
    "request_metadata": "request_metadata, request_metadata_rest",
    "timestamp": "timestamp AT TIME ZONE 'UTC'",
    "ingested_at": "ingested_at AT TIME ZONE 'UTC'",
}


def select_list(columns: Sequence[str]) -> str:
    """SQL for reading columns of `SELECT_COLUMNS`; `read_row` makes values of what it gives."""
    return ", ".join(
        f"{_EXPRESSIONS.get(name, name)} AS {name}" if name != "request_metadata" else _EXPRESSIONS[name]
        for name in columns
    )


def read_row(columns: Sequence[str], row: Sequence[Any]) -> tuple[Any, ...]:
    """One row of `select_list`: metadata in one piece, instants in UTC."""
    values = iter(row)
    return tuple(
        merge_metadata(next(values), next(values))
        if name == "request_metadata"
        else as_utc(next(values))
        if name in _INSTANTS
        else next(values)
        for name in columns
    )


# `timestamp` in the order is the stored instant, not the selected one without its zone.
_ROW_ORDER = f"logs.{ROW_ORDER}"
_INSTANTS = frozenset({"timestamp", "ingested_at"})


@dataclass(frozen=True, slots=True)
class Records:
    """Selected records as they are read. Iterate once; values are as DuckDB gives them, JSON still text."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def select_records(
    view: StoreView, selection: Selection, columns: Sequence[str] | None = None, limit: int | None = None
) -> Records:
    """The selected records with the given columns (all by default), in the fixed order."""
    chosen = tuple(columns) if columns else SELECT_COLUMNS
    for name in chosen:
        if name not in SELECT_COLUMNS:
            raise UsageError(
                f"there is no column {name!r}",
                where="--columns",
                fix="Columns are: " + ", ".join(SELECT_COLUMNS),
            )
    where = joined(view.conditions(selection))
    relation = view.relation(selection, with_model="model" in chosen)
    text = f"SELECT {select_list(chosen)} FROM {relation} AS logs WHERE {where.text} ORDER BY {_ROW_ORDER}"
    if limit is not None:
        text += f" LIMIT {int(limit)}"
    cursor = view.query(Sql(text, where.params), selection)
    return Records(chosen, _rows(cursor, chosen))


def _rows(cursor: Any, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    while batch := cursor.fetchmany(_BATCH_ROWS):
        for row in batch:
            yield read_row(columns, row)


def merge_metadata(promoted: dict[str, str | None] | None, rest: str | None) -> dict[str, str] | None:
    """A record's metadata as it was sent, from both of its columns; None where it had none."""
    metadata = {decode_key(field): value for field, value in (promoted or {}).items() if value is not None}
    if rest is not None:
        metadata.update(msgspec.json.decode(rest, type=dict[str, str]))
    return metadata or None
