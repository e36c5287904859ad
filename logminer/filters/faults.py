"""What can be wrong with a filter: the rules as messages state them, and a fault with its repair, if any."""

from __future__ import annotations

from dataclasses import dataclass

from logminer.filters.errors import Span
from logminer.printable import printable

ONE_OPERATOR = (
    "A filter has one operator, as a Bedrock job's has: one comparison, NOT before one,"
    " AND throughout, or OR throughout."
)
SHAPE = "A comparison is key=value or key!=value."
SIGNS = "The comparison signs are = (equals) and != (differs, or is missing)."
QUOTES = "A key or value of letters, digits and _ - . / : @ + $ # stands bare; any other needs quotes."
LIMITS = "A filter has 1 to 16 comparisons; a key has 1 to 256 characters, a value 0 to 256."
ENCODING = "A filter is Unicode text; requestMetadata cannot hold anything else."

_SHOWN_TERM = 40


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to the filter's text that repairs one fault."""

    span: Span
    replacement: str

    def apply(self, text: str) -> str:
        """`text` with the change made."""
        return text[: self.span.start] + self.replacement + text[self.span.end :]


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: where, what, the rule, what to write instead, and an edit where one is likely meant."""

    span: Span
    problem: str
    rule: str
    fix: str
    edit: Edit | None = None


def shown(text: str) -> str:
    """A piece of the filter as a message names it: on one line, cut when long."""
    text = printable(text)
    return text if len(text) <= _SHOWN_TERM else text[: _SHOWN_TERM - 1] + "…"
