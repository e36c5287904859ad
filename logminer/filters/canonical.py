"""A filter as text: the one canonical spelling, which parses back to the same filter."""

from __future__ import annotations

import re

from logminer.filters.nodes import Comparison, Filter

KEYWORDS = frozenset({"and", "or", "not"})

BARE_WORD = re.compile(r"[\w\-./:@+$#]+")
"""What needs no quotes, the grammar's WORD; a keyword needs them all the same."""

_QUOTED = re.compile(r'["\\]')
_UNQUOTED = re.compile(r'\\(["\'\\])')


def format_filter(node: Filter) -> str:
    """The canonical text of `node`: one space around AND and OR, none around `=`, quotes where needed."""
    return f" {node.operator.value} ".join(map(format_comparison, node.comparisons))


def format_comparison(node: Comparison) -> str:
    """`key=value` or `key!=value`, with what quotes they need."""
    sign = "!=" if node.negated else "="
    return f"{format_term(node.key)}{sign}{format_term(node.value)}"


def format_term(term: str) -> str:
    """A key or value as the filter language spells it."""
    is_plain = BARE_WORD.fullmatch(term) and term.lower() not in KEYWORDS
    return term if is_plain else quote_term(term)


def quote_term(term: str) -> str:
    """A key or value in double quotes."""
    return '"' + _QUOTED.sub(r"\\\g<0>", term) + '"'


def unquote_term(quoted: str) -> str:
    """What a quoted term stands for, the quotes included in `quoted`."""
    return _UNQUOTED.sub(r"\1", quoted[1:-1])
