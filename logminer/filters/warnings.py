"""Filters that are valid and yet hardly meant: they select nothing, everything, or say a thing twice."""

from __future__ import annotations

from itertools import combinations

from logminer.filters.canonical import format_comparison
from logminer.filters.nodes import Comparison, Filter, Operator
from logminer.printable import printable


def warnings_for(node: Filter) -> tuple[str, ...]:
    """A sentence if nothing can match, or everything does, then one for each repeated comparison."""
    pairs = [(one, other) for one, other in combinations(node.comparisons, 2) if one.key == other.key]
    settled = [pair for pair in pairs if _settles(node.operator, *pair)]
    repeated = dict.fromkeys(f"{_shown(one)} is given twice" for one, other in pairs if one == other)
    return (*(_verdict(node.operator, *pair) for pair in settled[:1]), *repeated)


def _settles(operator: Operator, one: Comparison, other: Comparison) -> bool:
    """Whether two comparisons of one key decide an AND or an OR for every record.

    A value demanded and denied does, in both. So do two different values: demanded, an AND; denied, an OR.
    """
    if one.negated != other.negated:
        return one.value == other.value
    return one.value != other.value and one.negated == (operator is Operator.OR)


def _verdict(operator: Operator, one: Comparison, other: Comparison) -> str:
    fate = "every record matches" if operator is Operator.OR else "no record can match"
    return f"{fate}: {_shown(one)} {operator.value} {_shown(other)}"


def _shown(node: Comparison) -> str:
    return printable(format_comparison(node))
