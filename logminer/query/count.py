"""How many records a selection has, by a column or a metadata key, and what its filter leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logminer.filters import Sql, compile_lacks_key, metadata_value
from logminer.query.hints import filter_hints as filter_hints
from logminer.query.hints import key_hints
from logminer.query.selection import Condition, Selection, joined
from logminer.query.view import StoreView
from logminer.schema import COLUMNS

# Before a metadata key that is called like a column.
METADATA_PREFIX = "request_metadata."
_GROUP_COLUMNS = frozenset(
    column.name
    for column in COLUMNS
    if column.type != "metadata" and (not column.is_text or column.name == "identity_arn")
) | {"model"}


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
    """Count the selected records.

    `by` is a column that holds no text, or else a metadata key; `request_metadata.region` is the key and not the
    column.
    """
    conditions = view.conditions(selection)
    total, lacking = count_lacking(view, selection, conditions)
    groups = _groups(view, selection, by, conditions) if by is not None else None
    hints = () if total else filter_hints(view, selection)
    if by is not None and groups and groups.keys() == {None} and by not in _GROUP_COLUMNS:
        hints = key_hints(view, _metadata_key(by))
    return Count(total, groups, lacking, hints)


def count_lacking(
    view: StoreView, selection: Selection, conditions: Sequence[Condition]
) -> tuple[int, dict[str, int]]:
    """How many records meet the conditions, and how many of them lack each key that the filter has with `!=`.

    What Bedrock makes of such a record is not documented; here a lacking key differs from every value.
    """
    keys = selection.filter.negated_keys if selection.filter is not None else ()
    tests = [
        compile_lacks_key([key], view.promoted(selection), has_rest=view.may_have_rest(selection))
        for key in keys
    ]
    counts = "".join(f", count(*) FILTER ({test.text})" for test in tests)
    params = [param for test in tests for param in test.params]
    where = joined(conditions)
    text = f"SELECT count(*){counts} FROM {view.relation(selection)} WHERE {where.text}"
    total, *lacking = view.query(text, (*params, *where.params), selection).one()
    return total, dict(zip(keys, lacking, strict=True))


def read_lacking(view: StoreView, selection: Selection, conditions: Sequence[Condition]) -> dict[str, int]:
    """The second of `count_lacking` alone: nothing is asked where the filter has no `!=`."""
    if selection.filter is None or not selection.filter.negated_keys:
        return {}
    return count_lacking(view, selection, conditions)[1]


def _groups(
    view: StoreView, selection: Selection, by: str, conditions: Sequence[Condition]
) -> dict[str | None, int]:
    if by in _GROUP_COLUMNS:
        value = Sql(f"{by}::VARCHAR")
    else:
        promoted, has_rest = view.promoted(selection), view.may_have_rest(selection)
        value = metadata_value(_metadata_key(by), promoted, has_rest=has_rest)
    where = joined(conditions)
    text = (
        f"SELECT {value.text} AS value, count(*) AS n "
        f"FROM {view.relation(selection, with_model=by == 'model')} WHERE {where.text} "
        "GROUP BY value ORDER BY n DESC, value NULLS LAST"
    )
    return dict(view.query(text, (*value.params, *where.params), selection).all())


def _metadata_key(by: str) -> str:
    return by.removeprefix(METADATA_PREFIX)
