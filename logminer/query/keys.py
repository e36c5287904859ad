"""A census of requestMetadata: which keys there are, how many records have them, and what looks like a slip."""

from __future__ import annotations

from dataclasses import dataclass

from logminer.filters import Sql, near_keys, refused_characters
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import StoreView

_MAX_REST_KEYS = 1_000


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
    """All keys, the most used first. `untagged` records have no metadata at all."""

    records: int
    untagged: int
    keys: tuple[KeyCensus, ...]


def read_census(view: StoreView, selection: Selection, top: int = 5) -> Census:
    """The metadata keys of the selected records, with the `top` values of each."""
    where = joined(view.conditions(selection))
    relation = view.relation(selection)
    fields = list(view.promoted(selection))
    counts = "".join(
        f', count(request_metadata."{name}"), count(DISTINCT request_metadata."{name}")' for name in fields
    )
    text = (
        "SELECT count(*), count(*) FILTER (request_metadata IS NULL AND request_metadata_rest IS NULL)"
        f"{counts} FROM {relation} WHERE {where.text}"
    )
    row = view.query(Sql(text, where.params), selection).fetchone()
    assert row is not None
    found: dict[str, tuple[int, int, dict[str, int]]] = {}
    rest = _rest_keys(view, selection, relation, where, top)
    for name, records, distinct in zip(fields, row[2::2], row[3::2], strict=True):
        key = decode_key(name)
        if not records:
            continue
        values = _top_values(view, selection, relation, where, name, top)
        found[key] = (records, distinct, values)
    for key, (records, distinct, values) in rest.items():
        known = found.get(key)
        found[key] = (
            (records, distinct, values) if known is None else _both(known, (records, distinct, values), top)
        )
    ordered = sorted(found, key=lambda key: (-found[key][0], key))
    return Census(row[0], row[1], tuple(_census(key, *found[key], ordered) for key in ordered))


def _census(key: str, records: int, distinct: int, values: dict[str, int], keys: list[str]) -> KeyCensus:
    refused = dict.fromkeys(refused_characters(key))
    for value in values:
        refused.update(dict.fromkeys(refused_characters(value)))
    others = [other for other in keys if other != key]
    return KeyCensus(key, records, distinct, values, near_keys(key, others), tuple(refused))


def _top_values(
    view: StoreView, selection: Selection, relation: str, where: Sql, field: str, top: int
) -> dict[str, int]:
    text = (
        f'SELECT request_metadata."{field}" AS value, count(*) AS n FROM {relation} '
        f"WHERE {where.text} AND value IS NOT NULL GROUP BY value ORDER BY n DESC, value LIMIT {int(top)}"
    )
    return dict(view.query(Sql(text, where.params), selection).fetchall())


def _rest_keys(
    view: StoreView, selection: Selection, relation: str, where: Sql, top: int
) -> dict[str, tuple[int, int, dict[str, int]]]:
    """The keys that are not promoted, the commonest thousand."""
    text = (
        "WITH pairs AS (SELECT key, json_extract_string(request_metadata_rest, "
        "'/' || replace(replace(key, '~', '~0'), '/', '~1')) AS value FROM "
        f"(SELECT request_metadata_rest, unnest(json_keys(request_metadata_rest)) AS key FROM {relation} "
        f"WHERE {where.text} AND request_metadata_rest IS NOT NULL)), "
        "counted AS (SELECT key, value, count(*) AS n FROM pairs GROUP BY key, value) "
        "SELECT key, sum(n)::BIGINT AS records, count(*), "
        f"list(value ORDER BY n DESC, value)[1:{int(top)}], list(n ORDER BY n DESC, value)[1:{int(top)}] "
        f"FROM counted GROUP BY key ORDER BY records DESC, key LIMIT {_MAX_REST_KEYS}"
    )
    rows = view.query(Sql(text, where.params), selection).fetchall()
    return {
        key: (records, distinct, dict(zip(values, counts, strict=True)))
        for key, records, distinct, values, counts in rows
    }


_Counts = tuple[int, int, dict[str, int]]


def _both(promoted: _Counts, rest: _Counts, top: int) -> _Counts:
    """The counts of a key that some files promoted and others did not.

    How many values the two halves share is not known beyond the shown ones, so `distinct_values` can be
    too high where a key is in both.
    """
    values = dict(promoted[2])
    for value, count in rest[2].items():
        values[value] = values.get(value, 0) + count
    ordered = dict(sorted(values.items(), key=lambda item: (-item[1], item[0]))[:top])
    shared = len(promoted[2].keys() & rest[2].keys())
    return promoted[0] + rest[0], promoted[1] + rest[1] - shared, ordered
