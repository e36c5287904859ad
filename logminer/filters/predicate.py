"""A filter as a Python function: the plain meaning that the other targets have to agree with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from logminer.filters.nodes import Comparison, Filter, Operator


def compile_predicate(node: Filter) -> Callable[[Mapping[str, str]], bool]:
    """Whether a record with the given metadata is selected."""
    combine = any if node.operator is Operator.OR else all
    return lambda metadata: combine(_holds(item, metadata) for item in node.comparisons)


def _holds(node: Comparison, metadata: Mapping[str, str]) -> bool:
    """A lacking key equals no value, the empty one included."""
    return (metadata.get(node.key) == node.value) != node.negated
