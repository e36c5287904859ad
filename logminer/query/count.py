"""How many records a selection has, by a column or a metadata key, and what its filter leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field

from logminer.filters import Sql, compile_lacks_key, metadata_value, near_keys, near_values
from logminer.metadata_keys import decode_key
from logminer.query.selection import Selection, joined
from logminer.query.view import StoreView
from logminer.schema import COLUMN_NAMES

_TEXT_COLUMNS = frozenset(
    {"system", "messages", "response", "response_blocks", "reasoning", "tools", "params", "request_metadata"}
)
_MAX_SUGGESTED_FROM = 10_000
_EVERYTHING = Selection(statuses=None)


@dataclass(frozen=True)
class Count:
    """`by` gives the groups, commonest first; None is the group without a value.

    `lacking` says per key of a `!=` how many of the counted records lack it. `hints` suggest what may have
    been meant where nothing matched.
    """

    count: int
    by: dict[str | None, int] | None = None
    lacking: dict[str, int] = field(default_factory=dict)
    hints: tuple[str, ...] = ()


def count_records(view: StoreView, selection: Selection, by: str | None = None) -> Count:
    """Count the selected records; `by` is a column, or else a metadata key."""
    where = joined(view.conditions(selection))
    lacking = selection.filter.negated_keys if selection.filter is not None else ()
    tests = [compile_lacks_key([key], view.promoted(selection)) for key in lacking]
    counts = "".join(f", count(*) FILTER ({test.text})" for test in tests)
    params = tuple(param for test in tests for param in test.params)
    relation = view.relation(selection, with_model=by == "model")
    text = f"SELECT count(*){counts} FROM {relation} WHERE {where.text}"
    row = view.query(Sql(text, (*params, *where.params)), selection).fetchone()
    assert row is not None
    total = int(row[0])
    return Count(
        count=total,
        by=_groups(view, selection, by, relation, where) if by is not None else None,
        lacking=dict(zip(lacking, map(int, row[1:]), strict=True)),
        hints=() if total else filter_hints(view, selection),
    )


def _groups(
    view: StoreView, selection: Selection, by: str, relation: str, where: Sql
) -> dict[str | None, int]:
    if (by in COLUMN_NAMES or by == "model") and by not in _TEXT_COLUMNS:
        value = Sql(f"{by}::VARCHAR")
    else:
        value = metadata_value(by, view.promoted(selection))
    text = (
        f"SELECT {value.text} AS value, count(*) AS n FROM {relation} WHERE {where.text} "
        "GROUP BY 1 ORDER BY n DESC, value NULLS LAST"
    )
    return dict(view.query(Sql(text, (*value.params, *where.params)), selection).fetchall())


def filter_hints(view: StoreView, selection: Selection) -> tuple[str, ...]:
    """What a filter that matched nothing may have meant: keys and values of the store that look alike."""
    if selection.filter is None:
        return ()
    keys = _known_keys(view)
    hints: list[str] = []
    for comparison in selection.filter.comparisons:
        if comparison.negated:
            continue
        if comparison.key not in keys:
            near = near_keys(comparison.key, keys)
            hints.append(
                f"No record has the key {comparison.key!r}."
                + (f" There is: {', '.join(map(repr, near))}." if near else "")
            )
            continue
        values = _known_values(view, comparison.key)
        if comparison.value not in values:
            near = near_values(comparison.value, values)
            hints.append(
                f"No record has {comparison.key}={comparison.value!r}."
                + (f" There is: {', '.join(map(repr, near))}." if near else "")
            )
    return tuple(dict.fromkeys(hints))


def _known_keys(view: StoreView) -> list[str]:
    promoted = list(view.promoted(_EVERYTHING))
    counts = ", ".join(f'count(request_metadata."{name}")' for name in promoted)
    row = view.connection.execute(f"SELECT {counts} FROM {view.relation(_EVERYTHING)}").fetchone()
    assert row is not None
    found = [decode_key(name) for name, count in zip(promoted, row, strict=True) if count]
    rest = view.connection.execute(
        f"SELECT DISTINCT unnest(json_keys(request_metadata_rest)) FROM {view.relation(_EVERYTHING)} "
        f"WHERE request_metadata_rest IS NOT NULL LIMIT {_MAX_SUGGESTED_FROM}"
    ).fetchall()
    return sorted({*found, *(key for (key,) in rest)})


def _known_values(view: StoreView, key: str) -> list[str]:
    value = metadata_value(key, view.promoted(_EVERYTHING))
    rows = view.connection.execute(
        f"SELECT DISTINCT {value.text} AS value FROM {view.relation(_EVERYTHING)} "
        f"WHERE value IS NOT NULL LIMIT {_MAX_SUGGESTED_FROM}",
        list(value.params),
    ).fetchall()
    return sorted(text for (text,) in rows)
