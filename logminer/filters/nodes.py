"""The parsed filter: comparisons of metadata keys with values, joined by one operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from logminer.filters.errors import Span

MAX_COMPARISONS = 16
"""RequestMetadataFiltersList takes 1 to 16 items:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_RequestMetadataFilters.html"""

MAX_TERM_CHARS = 256
"""Length limit of a key and of a value, from the same page; a key has at least one character."""


class Operator(Enum):
    """What joins the comparisons of a filter. NOT is no operator here: `NOT a=b` is parsed as `a!=b`."""

    SINGLE = "single"
    AND = "AND"
    OR = "OR"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`key=value`, or `key!=value` when `negated`.

    A record that lacks the key fails the first and passes the second. `span` is the place in the filter's
    text, or None for a filter that was not read from text; it does not count in comparing two nodes.
    """

    key: str
    value: str
    negated: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """One operator over 1 to 16 comparisons, in the order written; SINGLE has one, AND and OR have more.

    ValueError otherwise. `span` is that of the filter's text, as in `Comparison`.
    """

    operator: Operator
    comparisons: tuple[Comparison, ...]
    span: Span | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        count = len(self.comparisons)
        if not 1 <= count <= MAX_COMPARISONS or (self.operator is Operator.SINGLE) != (count == 1):
            raise ValueError(f"{self.operator.value} cannot have {count} comparisons")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the filter names, each once, in order."""
        return tuple(dict.fromkeys(comparison.key for comparison in self.comparisons))

    @property
    def negated_keys(self) -> tuple[str, ...]:
        """The keys compared with `!=`, each once: a record may be selected because it lacks one of these."""
        return tuple(dict.fromkeys(item.key for item in self.comparisons if item.negated))
