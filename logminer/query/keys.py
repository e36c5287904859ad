"""A census of requestMetadata: which keys there are, on how many records, and what looks like a slip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from logminer.errors import UsageError
from logminer.filters import Sql, near_keys, refused_characters
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import StoreView

_MAX_KEYS = 1_000
_MOST_VALUES = 999_999  # DuckDB's limit for the smallest of a column
# What tells keys of few values from others before they are counted.
_SAMPLED_RECORDS = 50_000
_FEW_VALUES = 20_000
_BATCH = 16
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
    """The metadata keys of the selected records, with the `top` values of each; all counts are exact.

    Raises UsageError.
    """
    if not 1 <= top <= _MOST_VALUES:
        raise UsageError(f"must be 1 to {_MOST_VALUES:,}", where="--top", fix="Give another number.")
    where = joined(view.conditions(selection))
    text = f"SELECT count(*) FROM {view.relation(selection)} WHERE {where.text}"
    (records,) = view.query(text, where.params, selection).one()
    if not records:
        return Census(0, 0, ())
    found, total, untagged = _read_keys(view, selection, top, records)
    listed = sorted(found, key=lambda each: (-each.records, each.key))[:_MAX_KEYS]
    names = [each.key for each in listed]
    return Census(records, untagged, tuple(_census(each, names) for each in listed), total - len(listed))


def commonest_keys(view: StoreView, selection: Selection, limit: int) -> list[str]:
    """The keys of the selected records, the most used first."""
    counts: Counter[str] = Counter()
    fields = view.promoted(selection)
    if fields:
        where = joined(view.conditions(selection))
        sums = ", ".join(f'count(request_metadata."{field}")' for field in fields)
        text = f"SELECT {sums} FROM {view.relation(selection)} WHERE {where.text}"
        row = view.query(text, where.params, selection).one()
        counts.update(dict(zip(map(decode_key, fields), row, strict=True)))
    if view.has_rest(selection):
        tags = _tags(view, selection, ())
        text = f"SELECT key, count(*) FROM {tags.text} GROUP BY key ORDER BY count(*) DESC, key LIMIT {int(limit)}"
        counts.update(dict(view.query(text, tags.params, selection).all()))
    return sorted((key for key in counts if counts[key]), key=lambda key: (-counts[key], key))[:limit]


@dataclass(frozen=True, slots=True)
class _Key:
    """A key as it is counted; `values` are the commonest."""

    key: str
    records: int
    distinct_values: int
    values: dict[str, int]


def _census(counted: _Key, keys: list[str]) -> KeyCensus:
    refused = dict.fromkeys(refused_characters(counted.key))
    for value in counted.values:
        refused.update(dict.fromkeys(refused_characters(value)))
    # Keys that differ in their numbers alone are a series, and no slip.
    others = [other for other in keys if _without_numbers(other) != _without_numbers(counted.key)]
    look_alikes = near_keys(counted.key, others)
    return KeyCensus(
        counted.key, counted.records, counted.distinct_values, counted.values, look_alikes, tuple(refused)
    )


def _without_numbers(key: str) -> str:
    return _NUMBERS.sub("0", key)


def _read_keys(view: StoreView, selection: Selection, top: int, records: int) -> tuple[list[_Key], int, int]:
    """The keys in no order, the thousand commonest among them; how many there are; how many records have none.

    A key that is promoted wherever it occurs is a column, and counted as such: over millions of rows that takes
    a tenth of the time of rows of keys and values, which the others need.
    """
    also_in_rest = _promoted_in_rest(view, selection) if view.has_rest(selection) else frozenset()
    mixed = [field for field in view.promoted(selection) if decode_key(field) in also_in_rest]
    batches = _batches(view, selection, [field for field in view.promoted(selection) if field not in mixed])
    counted: list[_Key] = []
    without: list[int] = []
    for batch in batches:
        neither = ("", _no_value([*batches[0][:1], *batch]))
        *keys, none = _read_columns(view, selection, [*batch, neither], top)
        counted += keys
        without.append(none.records)
    found = [key for key in counted if key.records]
    if view.has_rest(selection):
        others, number = _read_tags(view, selection, mixed, top)
        return [*found, *others], len(found) + number, _count_untagged(view, selection)
    if not counted:
        return [], 0, records
    # Of the records without the first key, each batch lacks all or some. Where all but one batch lack all of them, that
    # one says how many have no key; else all columns have to be looked at together, which takes as long again.
    lacking = records - counted[0].records
    if sum(number != lacking for number in without) <= 1:
        return found, len(found), min(without)
    return found, len(found), _count_untagged(view, selection)


def _count_untagged(view: StoreView, selection: Selection) -> int:
    """How many records have no metadata."""
    where = joined(view.conditions(selection))
    columns = [*map(_column, view.promoted(selection)), "request_metadata_rest"]
    text = (
        f"SELECT count(*) FROM {view.relation(selection)} "
        f"WHERE {' AND '.join(f'{column} IS NULL' for column in columns)} AND {where.text}"
    )
    (count,) = view.query(text, where.params, selection).one()
    return int(count)


def _promoted_in_rest(view: StoreView, selection: Selection) -> frozenset[str]:
    """The promoted keys that some selected record has in its rest all the same."""
    tags = _tags(view, selection, ())
    keys = [decode_key(field) for field in view.promoted(selection)]
    places = ", ".join("?" for _ in keys)
    text = f"SELECT DISTINCT key FROM {tags.text} WHERE key IN ({places})"
    return frozenset(key for (key,) in view.query(text, (*tags.params, *keys), selection))


# A key, and SQL for its value.
_KeyColumn = tuple[str, str]


def _batches(view: StoreView, selection: Selection, fields: list[str]) -> list[list[_KeyColumn]]:
    """Keys of few values in batches, the commonest first, as they seem from some records; then those of many, one by one.

    One pass can count several keys, but is slow where one of them has a value for each record.
    """
    if not fields:
        return []
    where = joined(view.conditions(selection))
    columns = {field: _column(field) for field in fields}
    numbers = ", ".join(f"[count({each}), approx_count_distinct({each})]" for each in columns.values())
    text = (
        f"SELECT {numbers} FROM (SELECT request_metadata FROM {view.relation(selection)} WHERE {where.text} "
        f"LIMIT {_SAMPLED_RECORDS})"
    )
    sampled = dict(zip(fields, view.query(text, where.params, selection).one(), strict=True))
    fields = sorted(fields, key=lambda field: (-sampled[field][0], sampled[field][1]))
    few = [field for field in fields if sampled[field][1] <= _FEW_VALUES]
    batches = [few[start : start + _BATCH] for start in range(0, len(few), _BATCH)]
    batches += [[field] for field in fields if sampled[field][1] > _FEW_VALUES]
    return [[(decode_key(field), columns[field]) for field in batch] for batch in batches]


def _column(field: str) -> str:
    return f'request_metadata."{field}"'


def _no_value(columns: Sequence[_KeyColumn]) -> str:
    """SQL for a column that has a value where none of these has."""
    tests = dict.fromkeys(f"{column} IS NULL" for _, column in columns)
    return f"CASE WHEN {' AND '.join(tests)} THEN '' END"


def _read_columns(
    view: StoreView, selection: Selection, columns: Sequence[_KeyColumn], top: int
) -> list[_Key]:
    """What some columns hold, in one pass over at least one record."""
    where = joined(view.conditions(selection))
    names = [f"value_{number}" for number in range(len(columns))]
    listed = ", ".join(f"{column} AS {name}" for (_, column), name in zip(columns, names, strict=True))
    text = (
        f"WITH counted AS (SELECT grouping({', '.join(names)}) AS others, coalesce({', '.join(names)}) AS value, "
        f"count(*) AS n FROM (SELECT {listed} FROM {view.relation(selection)} WHERE {where.text}) "
        f"GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in names)})) "
        # The smallest by (-n, value) are the commonest, and of equally common ones the first.
        "SELECT coalesce(sum(n) FILTER (value IS NOT NULL), 0)::BIGINT, count(value), "
        f"min(row(-n, value), {int(top)}) FILTER (value IS NOT NULL) "
        # The bits of `others` are the columns that a group is not of, the first one's the highest.
        "FROM counted GROUP BY others ORDER BY others"
    )
    rows = view.query(text, where.params, selection)
    return [
        _Key(key, records, distinct, {value: -rank for rank, value in commonest or ()})
        for (key, _), (records, distinct, commonest) in zip(columns, rows, strict=True)
    ]


def _read_tags(
    view: StoreView, selection: Selection, fields: Sequence[str], top: int
) -> tuple[list[_Key], int]:
    """The thousand commonest keys of the rests, with what of them is in `fields`; and how many keys there are."""
    tags = _tags(view, selection, fields)
    text = (
        f"WITH counted AS (SELECT key, value, count(*) AS n FROM {tags.text} GROUP BY key, value) "
        # The smallest by (-n, value) are the commonest, and of equally common ones the first.
        f"SELECT key, sum(n)::BIGINT AS records, count(*), min(row(-n, value), {int(top)}), "
        f"count(*) OVER () FROM counted GROUP BY key ORDER BY records DESC, key LIMIT {_MAX_KEYS}"
    )
    rows = view.query(text, tags.params, selection).all()
    keys = [
        _Key(key, records, distinct, {value: -rank for rank, value in values})
        for key, records, distinct, values, _ in rows
    ]
    return keys, rows[0][-1] if rows else 0


def _tags(view: StoreView, selection: Selection, fields: Sequence[str]) -> Sql:
    """SQL for a relation (key, value) of the selected records' rests, and of some promoted fields."""
    where = joined(view.conditions(selection))
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
