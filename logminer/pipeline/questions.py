"""Questions to a store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logminer.config import DEFAULT_STORE
from logminer.pipeline.options import SelectionOptions, make_selection, open_view
from logminer.schema import JSON_COLUMNS

if TYPE_CHECKING:
    from typing import Unpack

    from logminer.query.count import Count
    from logminer.query.explain import Story
    from logminer.query.keys import Census
    from logminer.query.selection import Selection
    from logminer.query.stats import Stats


def select(
    store: str = DEFAULT_STORE,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Iterator[dict[str, Any]]:
    """The selected records, one dict each: column names to plain values, JSON columns parsed.

    They come in (timestamp, request_id, source_uri, source_position) order and are read as you go; the store is
    open from the first record to the last, or until the iterator is closed.
    """
    from logminer.query.rows import check_columns

    selection = make_selection(**options)
    return _select(store, selection, check_columns(columns), limit, aliases)


def _select(
    store: str,
    selection: Selection,
    columns: Sequence[str],
    limit: int | None,
    aliases: Mapping[str, str] | None,
) -> Iterator[dict[str, Any]]:
    from logminer.query.rows import select_records

    with open_view(store, aliases, selection.version) as view:
        records = select_records(view, selection, columns, limit)
        for row in records.rows:
            yield plain_record(records.columns, row)


def plain_record(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """A record with its JSON columns parsed."""
    return {
        name: json.loads(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in zip(columns, row, strict=True)
    }


def count(
    store: str = DEFAULT_STORE,
    *,
    by: str | None = None,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Count:
    """How many records a selection has; `by` a column, or a metadata key."""
    from logminer.query.count import count_records

    selection = make_selection(**options)
    with open_view(store, aliases, selection.version) as view:
        return count_records(view, selection, by)


def stats(
    store: str = DEFAULT_STORE,
    *,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Stats:
    """Readiness for distillation, per model."""
    from logminer.query.stats import read_stats

    selection = make_selection("all", **options)
    with open_view(store, aliases, selection.version) as view:
        return read_stats(view, selection)


def keys(
    store: str = DEFAULT_STORE,
    *,
    top: int = 5,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Census:
    """Which metadata keys there are, with their commonest values."""
    from logminer.query.keys import read_census

    selection = make_selection("all", **options)
    with open_view(store, aliases, selection.version) as view:
        return read_census(view, selection, top)


def explain(
    request_id: str,
    store: str = DEFAULT_STORE,
    *,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Story:
    """Everything that the store knows of one request."""
    from logminer.query.explain import explain_request

    selection = make_selection(**options)
    with open_view(store, aliases, selection.version) as view:
        return explain_request(view, request_id, selection)
