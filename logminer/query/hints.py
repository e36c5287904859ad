"""What a selection that matched nothing may have meant: models, keys and values of the store that look alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from logminer.filters import (
    Comparison,
    Filter,
    Operator,
    Sql,
    compile_duckdb,
    compile_has_key,
    metadata_value,
    near_keys,
    near_values,
)
from logminer.printable import printable
from logminer.query.keys import commonest_keys
from logminer.query.selection import Selection
from logminer.query.view import StoreView

_MAX_COMPARED = 10_000
_EVERYTHING = Selection(statuses=None)
_T = TypeVar("_T")


def filter_hints(view: StoreView, selection: Selection) -> tuple[str, ...]:
    """Sentences that name near models for a teacher without records, and near keys and values for the filter.

    The whole store counts, whatever else the selection asks. Keys and values are compared with the 10,000
    commonest.
    """
    compared = selection.filter.comparisons if selection.filter is not None else ()
    positive = [each for each in compared if not each.negated]
    asked = dict.fromkeys([*(each.key for each in positive), *selection.has_keys])
    unknown = _unmatched(view, asked, [compile_has_key([key], _promoted(view)) for key in asked])
    known = [each for each in positive if each.key not in unknown]
    hints = [*_teacher_hints(view, selection.teacher)] if selection.teacher is not None else []
    hints += _key_hints(view, unknown)
    hints += _value_hints(view, _unmatched(view, known, [_compile(view, each) for each in known]))
    return tuple(dict.fromkeys(hints))


def key_hints(view: StoreView, key: str) -> tuple[str, ...]:
    """A sentence that names near keys for one that no record has."""
    return tuple(_key_hints(view, _unmatched(view, [key], [compile_has_key([key], _promoted(view))])))


def _teacher_hints(view: StoreView, teacher: str) -> Iterator[str]:
    match = view.match_teacher(teacher)
    if match.candidates:
        return
    name = printable(teacher)
    hint = f"No record is of the model {name!r}."
    if match.near:
        hint += f" There is: {', '.join(map(printable, match.near))}."
    elif match.asked.model is None:
        hint += f' What it means can be said in logminer.toml: [models.aliases] "{name}" = "MODEL".'
    yield hint


def _key_hints(view: StoreView, unknown: Iterable[str]) -> Iterator[str]:
    for key in unknown:
        near = near_keys(key, commonest_keys(view, _EVERYTHING, _MAX_COMPARED))
        yield f"No record has the key {key!r}.{_there_is(near)}"


def _value_hints(view: StoreView, unmatched: Iterable[Comparison]) -> Iterator[str]:
    for comparison in unmatched:
        value = metadata_value(comparison.key, _promoted(view))
        rows = view.connection.ask(
            f"SELECT {value.text} AS value FROM {view.relation(_EVERYTHING)} WHERE value IS NOT NULL "
            f"GROUP BY value ORDER BY count(*) DESC, value LIMIT {_MAX_COMPARED}",
            value.params,
        )
        near = near_values(comparison.value, [text for (text,) in rows])
        yield f"No record has {comparison.key}={comparison.value!r}.{_there_is(near)}"


def _there_is(near: Sequence[str]) -> str:
    return f" There is: {', '.join(map(repr, near))}." if near else ""


def _promoted(view: StoreView) -> tuple[str, ...]:
    return view.promoted(_EVERYTHING)


def _compile(view: StoreView, comparison: Comparison) -> Sql:
    return compile_duckdb(Filter(Operator.SINGLE, (comparison,)), _promoted(view))


def _unmatched(view: StoreView, things: Iterable[_T], conditions: Sequence[Sql]) -> list[_T]:
    """Those of `things` whose condition no record of the store meets."""
    if not conditions:
        return []
    counts = ", ".join(f"count(*) FILTER ({condition.text})" for condition in conditions)
    params = [param for condition in conditions for param in condition.params]
    row = view.connection.ask(f"SELECT {counts} FROM {view.relation(_EVERYTHING)}", params).one()
    return [thing for thing, count in zip(things, row, strict=True) if not count]
