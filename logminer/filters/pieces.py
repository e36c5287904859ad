"""Cuts any text into the pieces that a person would see in it, valid in the filter language or not.

The grammar knows the valid tokens alone and stops at the first other character. To tell what was meant, the
diagnosis of a refused filter also needs `==`, `&&`, parentheses, an unclosed quote and the like as pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from logminer.filters.canonical import BARE_WORD, KEYWORDS
from logminer.filters.errors import Span


class Kind(Enum):
    """What a piece looks like."""

    WORD = auto()
    KEYWORD = auto()
    STRING = auto()
    UNCLOSED = auto()  # a quote without its partner, and all that follows
    SIGN = auto()  # any run of = ! < > ~
    JOINER = auto()  # && and ||
    SEPARATOR = auto()
    BRACKET = auto()
    TYPOGRAPHIC = auto()  # text in the quotes of a word processor
    OTHER = auto()
    END = auto()  # empty, right after the last piece


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the text and where it stands."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after the last character."""
        return self.start + len(self.text)

    @property
    def span(self) -> Span:
        """The place in the filter's text."""
        return Span(self.start, self.end)

    @property
    def is_term(self) -> bool:
        """Whether it can be a key or a value as it stands."""
        return self.kind is Kind.WORD or self.kind is Kind.STRING

    def is_keyword(self, *words: str) -> bool:
        """Whether it is one of the keywords, given in upper case."""
        return self.kind is Kind.KEYWORD and self.text.upper() in words


_PIECE = re.compile(
    rf"""
      (?P<SPACE>[ \t\r\n\f\v]+)
    | (?P<WORD>{BARE_WORD.pattern})
    | (?P<STRING>"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')
    | (?P<UNCLOSED>["'].*)
    | (?P<SIGN>[=!<>~]+)
    | (?P<JOINER>&&|\|\|)
    | (?P<SEPARATOR>[,;])
    | (?P<BRACKET>[()\[\]{{}}])
    | (?P<TYPOGRAPHIC>[“”„][^“”„]*[“”]|[‘’‚][^‘’‚]*[‘’]|«[^«»]*»)
    | (?P<OTHER>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def scan(text: str) -> list[Piece]:
    """The pieces of `text` in order, white space left out; the last one is END. Never fails."""
    pieces = [_piece(match) for match in _PIECE.finditer(text) if match.lastgroup != "SPACE"]
    end = pieces[-1].end if pieces else 0
    return [*pieces, Piece(Kind.END, "", end)]


def _piece(match: re.Match[str]) -> Piece:
    kind = Kind[match.lastgroup or "OTHER"]
    if kind is Kind.WORD and match[0].lower() in KEYWORDS:
        kind = Kind.KEYWORD
    return Piece(kind, match[0], match.start())
