"""Filter text -> `Filter`, or a `FilterError` that shows the place, the rule and the nearest valid form."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from logminer.filters.canonical import format_filter, unquote_term
from logminer.filters.diagnosis import MAX_REPAIRED_CHARS, diagnose
from logminer.filters.errors import FilterError, Span
from logminer.filters.faults import ENCODING, LIMITS, SHAPE, Fault
from logminer.filters.nodes import MAX_COMPARISONS, MAX_TERM_CHARS, Comparison, Filter, Operator

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_TEXT_CHARS = 64 * 1024
"""Sixteen comparisons with every character quoted and escaped stay far below this."""

_MAX_REPAIRS = 40
_TERM_TYPES = ("WORD", "STRING")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_filter(text: str) -> Filter:
    """Parse one filter expression; grammar/filter.lark is the language.

    Raises `FilterError` for any text that is not a filter, whatever it holds.
    """
    result = _read(text)
    if isinstance(result, Filter):
        return result
    suggestion = _repaired(text, result)
    raise FilterError(
        text, result.span, result.problem, rule=result.rule, fix=result.fix, suggestion=suggestion
    )


def _read(text: str) -> Filter | Fault:
    """The filter that `text` says, or what is wrong with it."""
    fault = _text_fault(text)
    if fault is not None:
        return fault
    tokens = _tokens(text)
    return tokens if isinstance(tokens, Fault) else _filter(tokens)


def _text_fault(text: str) -> Fault | None:
    """What is wrong with the text before any syntax: its length, or characters that no metadata can hold."""
    if len(text) > MAX_TEXT_CHARS:
        problem = f"the filter is longer than {MAX_TEXT_CHARS} characters"
        return Fault(Span(MAX_TEXT_CHARS, len(text)), problem, LIMITS, "shorten it")
    surrogate = _SURROGATE.search(text)
    if surrogate is None:
        return None
    span = Span(surrogate.start(), surrogate.end())
    return Fault(span, "the filter is not valid Unicode here", ENCODING, "write the character in UTF-8")


def _tokens(text: str) -> list[Token] | Fault:
    """The tokens of a text that the grammar accepts, in order, or the reason why it does not."""
    from lark import UnexpectedInput

    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        at = min(max(error.pos_in_stream or 0, 0), len(text))
        unexplained = Fault(Span(at, at), "the filter cannot be read here", SHAPE, "write: key=value")
        return diagnose(text) or unexplained
    return list(tree.scan_values(lambda leaf: True))


@cache
def _grammar() -> Lark:
    """The parser of the grammar file. Made at the first filter, since lark takes a while to import."""
    from lark import Lark

    # The basic lexer, not the contextual one: a keyword is a keyword wherever it stands.
    return Lark(grammar_text(), parser="lalr", lexer="basic")


def grammar_text() -> str:
    """The grammar file: inside the package once installed, at the top of the source tree in a checkout."""
    installed = resources.files("logminer") / "grammar" / "filter.lark"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    checkout = Path(__file__).resolve().parents[2] / "grammar" / "filter.lark"
    return checkout.read_text(encoding="utf-8")


def _filter(tokens: list[Token]) -> Filter | Fault:
    """The nodes of a filter whose syntax is valid, or the limit that it breaks."""
    terms = [token for token in tokens if token.type in _TERM_TYPES]
    fault = next(filter(None, map(_term_fault, terms[::2], terms[1::2])), None)
    if fault is not None:
        return fault
    signs = [token for token in tokens if token.type in ("EQUAL", "NOT_EQUAL")]
    is_denied = tokens[0].type == "NOT"
    comparisons = tuple(
        Comparison(_term(key), _term(value), is_denied or sign.type == "NOT_EQUAL", _span(key, value))
        for key, sign, value in zip(terms[::2], signs, terms[1::2], strict=True)
    )
    if len(comparisons) > MAX_COMPARISONS:
        return _too_many(_span(terms[2 * MAX_COMPARISONS], terms[-1]), len(comparisons))
    return Filter(_operator(tokens), comparisons, _span(tokens[0], tokens[-1]))


def _operator(tokens: list[Token]) -> Operator:
    """The operator of the filter; the grammar lets only one kind through."""
    joints = {token.type for token in tokens} & {"AND", "OR"}
    return Operator[joints.pop()] if joints else Operator.SINGLE


def _term_fault(key: Token, value: Token) -> Fault | None:
    """What is wrong with the lengths of one comparison."""
    if not _term(key):
        return Fault(_span(key, key), "the key is empty", LIMITS, "write: key=value")
    for role, token in (("key", key), ("value", value)):
        length = len(_term(token))
        if length > MAX_TERM_CHARS:
            problem = f"the {role} has {length} characters"
            return Fault(_span(token, token), problem, LIMITS, f"shorten it to {MAX_TERM_CHARS}")
    return None


def _too_many(span: Span, count: int) -> Fault:
    fix = f"keep {MAX_COMPARISONS} of them, run several filters, or write the condition in SQL with --where"
    return Fault(span, f"the filter has {count} comparisons", LIMITS, fix)


def _term(token: Token) -> str:
    return unquote_term(token) if token.type == "STRING" else str(token)


def _span(first: Token, last: Token) -> Span:
    assert first.start_pos is not None
    assert last.end_pos is not None
    return Span(first.start_pos, last.end_pos)


def _repaired(text: str, fault: Fault) -> str:
    """The canonical filter that is left when every fault is repaired; "" when one of them cannot be."""
    for _ in range(_MAX_REPAIRS):
        if fault.edit is None or len(text) > MAX_REPAIRED_CHARS:
            return ""
        text = fault.edit.apply(text)
        result = _read(text)
        if isinstance(result, Filter):
            return _if_printable(format_filter(result))
        fault = result
    return ""


def _if_printable(suggestion: str) -> str:
    """No suggestion rather than one whose control characters a message would have to alter."""
    return suggestion if suggestion.isprintable() else ""
