"""A census of requestMetadata: which keys there are, on how many records, and what looks like a slip."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from logminer.filters import Sql, near_keys, refused_characters
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import StoreView

_MAX_KEYS = 1_000
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class KeyCensus:
    """One key. `values` are its commonest values with their counts.

    `look_alikes` are other keys that may be the same by mistake. `refused` are characters of the key, and of
    the shown values, that a filter of a Bedrock job cannot take.
    """

    key: str
    records: int
    distinct_values: int
    values: dict[str, int]
    look_alikes: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Census:
    """The keys, the most used first; `more_keys` beyond the first thousand are not listed.

    `untagged` records have no metadata at all.
    """

    records: int
    untagged: int
    keys: tuple[KeyCensus, ...]
    more_keys: int = 0


def read_census(view: StoreView, selection: Selection, top: int = 5) -> Census:
    """The metadata keys of the selected records, with the `top` values of each; all counts are exact."""
    where = joined(view.conditions(selection))
    text = (
        "SELECT count(*), count(*) FILTER (request_metadata IS NULL AND request_metadata_rest IS NULL) "
        f"FROM {view.relation(selection)} WHERE {where.text}"
    )
    records, untagged = view.query(text, where.params, selection).one()
    rows = _read_keys(view, selection, top)
    names = [row[0] for row in rows]
    keys = tuple(
        _census(key, count, distinct, {value: -rank for rank, value in values}, names)
        for key, count, distinct, values, _ in rows
    )
    more = rows[0][4] - len(rows) if rows else 0
    return Census(records, untagged, keys, more)


def commonest_keys(view: StoreView, selection: Selection, limit: int) -> list[str]:
    """The keys of the selected records, the most used first."""
    tags = _tags(view, selection)
    text = f"SELECT key FROM {tags.text} GROUP BY key ORDER BY count(*) DESC, key LIMIT {int(limit)}"
    return [key for (key,) in view.query(text, tags.params, selection)]


def _census(key: str, records: int, distinct: int, values: dict[str, int], keys: list[str]) -> KeyCensus:
    refused = dict.fromkeys(refused_characters(key))
    for value in values:
        refused.update(dict.fromkeys(refused_characters(value)))
    # Keys that differ in their numbers alone are a series, and no slip.
    others = [other for other in keys if _without_numbers(other) != _without_numbers(key)]
    return KeyCensus(key, records, distinct, values, near_keys(key, others), tuple(refused))


def _without_numbers(key: str) -> str:
    return _NUMBERS.sub("0", key)


def _read_keys(view: StoreView, selection: Selection, top: int) -> list[tuple[Any, ...]]:
    """Key, records, distinct values, the commonest values as (-count, value), and how many keys there are."""
    tags = _tags(view, selection)
    text = (
        f"WITH counted AS (SELECT key, value, count(*) AS n FROM {tags.text} GROUP BY key, value) "
        # The smallest by (-n, value) are the commonest, and of equally common ones the first.
        f"SELECT key, sum(n)::BIGINT AS records, count(*), min(row(-n, value), {int(top)}), "
        f"count(*) OVER () FROM counted GROUP BY key ORDER BY records DESC, key LIMIT {_MAX_KEYS}"
    )
    return view.query(text, tags.params, selection).all()


def _tags(view: StoreView, selection: Selection) -> Sql:
    """SQL for a relation (key, value) of the selected records' metadata, whichever half of it they are in."""
    where = joined(view.conditions(selection))
    fields = view.promoted(selection)
    promoted = ", ".join(f"{{'key': ?, 'value': request_metadata.\"{field}\"}}" for field in fields)
    rest = (
        "list_transform(json_keys(request_metadata_rest), lambda key: {'key': key, 'value': "
        "json_extract_string(request_metadata_rest, '/' || replace(replace(key, '~', '~0'), '/', '~1'))})"
    )
    text = (
        f"(SELECT tag.key, tag.value FROM (SELECT unnest(list_concat([{promoted}], coalesce({rest}, []))) AS tag "
        f"FROM {view.relation(selection)} WHERE {where.text}) WHERE tag.value IS NOT NULL)"
    )
    return Sql(text, (*map(decode_key, fields), *where.params))
