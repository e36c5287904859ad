"""Tells what is wrong with a filter that the grammar refuses: the first fault in reading order.

A walk over the pieces of the text expects a key, a sign, a value and a joint in turn, as the grammar does. It
accepts what the grammar accepts, and where the text departs from that it knows the likely mistakes by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logminer.filters.canonical import quote_term
from logminer.filters.errors import Span
from logminer.filters.faults import ONE_OPERATOR, QUOTES, SHAPE, SIGNS, Edit, Fault, shown
from logminer.filters.pieces import Kind, Piece, scan
from logminer.printable import printable

MAX_REPAIRED_CHARS = 400
"""Repairs and alternatives are made for filters up to this length; a longer one gets the fault alone."""

_SIGN_REPAIRS = {"==": "=", "===": "=", "<>": "!=", "!==": "!=", "=!": "!="}
_WORD_REPAIRS = {"is": "=", "eq": "=", "equals": "=", "ne": "!="}
_WORD_SIGNS = frozenset(
    {"like", "ilike", "rlike", "in", "between", "contains", "matches", "regexp", "similar", "glob", "has"}
    | {"startswith", "endswith", "gt", "lt", "gte", "lte", "ge", "le", *_WORD_REPAIRS}
)
_JOINERS = {"&&": "AND", "||": "OR"}
_RUN = re.compile(r"(?:(?!&&|\|\|)[^ \t\r\n\f\v])+")
_NEXT_JOINT = re.compile(r"\s+(?:and|or)\s", re.IGNORECASE)


def diagnose(text: str) -> Fault | None:
    """The first fault of `text`, or None when its syntax is valid. Takes any text; linear in its length."""
    pieces = scan(text)
    odd_space = next((piece for piece in pieces if piece.kind is Kind.OTHER and piece.text.isspace()), None)
    return _odd_space(odd_space) if odd_space else _Walk(text, pieces).first_fault()


@dataclass
class _Walk:
    """The state of one walk: the pieces, and the NOT, AND or OR that the filter has shown so far."""

    text: str
    pieces: list[Piece]
    negation: Piece | None = field(default=None, init=False)
    operator: Piece | None = field(default=None, init=False)

    def first_fault(self) -> Fault | None:
        at = self._leading_not()
        while True:
            fault = self._key(at) or self._sign(at + 1) or self._value(at + 2) or self._joint(at + 3)
            if fault is not None or self.pieces[at + 3].kind is Kind.END:
                return fault
            at += 4

    def _leading_not(self) -> int:
        """Take a NOT at the start; the index of the first key."""
        first, second = self.pieces[0], self.pieces[min(1, len(self.pieces) - 1)]
        if first.is_keyword("NOT") and (second.kind is not Kind.SIGN or second.text == "!"):
            self.negation = first
            return 1
        return 0

    def _key(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if piece.is_term:
            return None
        if piece.kind is Kind.END:
            return self._nothing_follows(at)
        if piece.kind is Kind.KEYWORD:
            return self._keyword_for_key(at)
        if piece.kind is Kind.SIGN:
            return self._sign_for_key(at)
        if piece.kind in (Kind.JOINER, Kind.SEPARATOR):
            return self._stray_joint(at)
        return self._stray(at)

    def _nothing_follows(self, at: int) -> Fault:
        """The text ends where a key should be."""
        end = self.pieces[at].span
        if at == 0:
            return Fault(
                end, "the filter is empty", SHAPE, "write: key=value; leave the filter out to select all"
            )
        last = self.pieces[at - 1]
        edit = None if last.is_keyword("NOT") else Edit(last.span, " ")
        return Fault(
            end, f"the filter ends after {last.text.upper()}", SHAPE, "add a comparison: key=value", edit
        )

    def _keyword_for_key(self, at: int) -> Fault:
        piece = self.pieces[at]
        if self.pieces[at + 1].kind is Kind.SIGN:
            return _bare_keyword(piece, "key")
        if piece.is_keyword("NOT"):
            return self._not_in_group(at)
        return self._stray_joint(at)

    def _not_in_group(self, at: int) -> Fault:
        return Fault(
            self.pieces[at].span,
            "NOT stands alone before a single comparison; it cannot be part of a group",
            ONE_OPERATOR,
            "write key!=value for the comparison that NOT was to deny",
            self._denial(at),
        )

    def _denial(self, at: int) -> Edit | None:
        """Replace the NOT or `!` at `at` by turning the sign of the comparison that follows."""
        if not self.pieces[at + 1].is_term or self.pieces[at + 2].text not in ("=", "!="):
            return None
        key, sign = self.pieces[at + 1], self.pieces[at + 2]
        turned = "!=" if sign.text == "=" else "="
        return Edit(Span(self.pieces[at].start, sign.end), key.text + turned)

    def _sign_for_key(self, at: int) -> Fault:
        piece = self.pieces[at]
        if piece.text == "!":
            fix = "write key!=value"
            return Fault(piece.span, "! is not an operator", SIGNS, fix, self._denial(at))
        return Fault(piece.span, f"there is no key before {shown(piece.text)}", SHAPE, "write: key=value")

    def _stray_joint(self, at: int) -> Fault:
        """AND, OR, &&, || or a comma where a comparison should begin."""
        piece = self.pieces[at]
        word = _JOINERS.get(piece.text, piece.text.upper())
        repeats = at == 0 or piece.kind is Kind.SEPARATOR or self.pieces[at - 1].is_keyword(word)
        edit = Edit(piece.span, " ") if repeats else None
        fix = "put a comparison before it, or leave it out"
        return Fault(piece.span, f"there is no comparison before {shown(word)}", SHAPE, fix, edit)

    def _sign(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if piece.kind is Kind.SIGN:
            return self._checked_sign(at)
        if piece.kind is Kind.END or piece.is_keyword("AND", "OR") or piece.kind is Kind.JOINER:
            return self._lone_key(at)
        if piece.is_keyword("NOT") or self._is_word_sign(at):
            return self._word_sign(at)
        end = self._key_end(at)
        if end is not None:
            return self._unquoted(at - 1, end, "key")
        if piece.is_term:
            return self._missing_sign(at)
        return self._stray(at)

    def _checked_sign(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if piece.text == "!=" and self.negation is not None:
            fix = "write key=value: what does not differ is equal"
            return Fault(
                piece.span, "NOT and != deny the same comparison twice", SIGNS, fix, self._denial(at - 2)
            )
        if piece.text in ("=", "!="):
            return None
        edit = Edit(piece.span, _SIGN_REPAIRS[piece.text]) if piece.text in _SIGN_REPAIRS else None
        return Fault(piece.span, f"{shown(piece.text)} is not a comparison sign", SIGNS, _other_tests(), edit)

    def _lone_key(self, at: int) -> Fault:
        key, piece = self.pieces[at - 1], self.pieces[at]
        name, colon, _ = key.text.partition(":")
        edit = None
        if colon and key.kind is Kind.WORD:
            after = key.start + len(name)
            edit = Edit(Span(after, after + 1), "=")
        span = piece.span if piece.kind is Kind.END else key.span
        problem = f"{shown(key.text)} is compared with nothing"
        return Fault(span, problem, SHAPE, f"write: {shown(key.text)}=value", edit)

    def _is_word_sign(self, at: int) -> bool:
        piece = self.pieces[at]
        is_word = piece.kind is Kind.WORD and piece.text.lower() in _WORD_SIGNS
        return is_word and self.pieces[at + 1].kind is not Kind.SIGN

    def _word_sign(self, at: int) -> Fault:
        """LIKE, IN, NOT IN, IS and the like between key and value."""
        piece, after = self.pieces[at], self.pieces[at + 1]
        edit = None
        if piece.is_keyword("NOT") and after.text == "=":
            edit = Edit(Span(piece.start, after.end), "!=")
        elif piece.text.lower() in _WORD_REPAIRS and after.is_term and after.text.lower() != "null":
            edit = Edit(piece.span, _WORD_REPAIRS[piece.text.lower()])
        problem = f"{shown(piece.text.upper())} is not a comparison sign"
        return Fault(piece.span, problem, SIGNS, _other_tests(), edit)

    def _key_end(self, at: int) -> int | None:
        """The index of the last piece before the sign, when the pieces from `at` on seem more of the key."""
        last = at
        while self.pieces[last].kind in (Kind.WORD, Kind.OTHER, Kind.BRACKET, Kind.SEPARATOR):
            last += 1
        return last - 1 if last > at and self.pieces[last].kind is Kind.SIGN else None

    def _missing_sign(self, at: int) -> Fault:
        key, value = self.pieces[at - 1], self.pieces[at]
        closes = self.pieces[at + 1].kind is Kind.END or self.pieces[at + 1].is_keyword("AND", "OR")
        edit = Edit(Span(key.end, value.start), "=") if closes else None
        problem = f"there is no comparison sign between {shown(key.text)} and {shown(value.text)}"
        return Fault(value.span, problem, SHAPE, f"write: {shown(key.text)}=value", edit)

    def _value(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if piece.is_term:
            return None
        if piece.kind is Kind.END or (piece.is_keyword("AND", "OR") and self._starts_comparison(at + 1)):
            return self._missing_value(at)
        if piece.kind is Kind.KEYWORD:
            return _bare_keyword(piece, "value")
        if piece.kind is Kind.SIGN:
            return self._second_sign(at)
        if piece.kind in (Kind.UNCLOSED, Kind.TYPOGRAPHIC):
            return self._stray(at)
        return self._special_character(at, at)

    def _missing_value(self, at: int) -> Fault:
        after_sign = Span(self.pieces[at - 1].end, self.pieces[at - 1].end)
        fix = 'write key=value, or key="" for the empty value'
        problem = f"there is no value after {self.pieces[at - 1].text}"
        return Fault(after_sign, problem, SHAPE, fix, Edit(after_sign, '"" '))

    def _second_sign(self, at: int) -> Fault:
        piece, before = self.pieces[at], self.pieces[at - 1]
        edit = Edit(piece.span, " ") if piece.text == before.text else None
        problem = f"a second comparison sign, {shown(piece.text)}"
        return Fault(piece.span, problem, SHAPE, "put quotes around a value that holds it", edit)

    def _joint(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if piece.kind is Kind.END:
            return None
        if piece.is_keyword("AND", "OR"):
            return self._checked_operator(at)
        if piece.kind is Kind.JOINER:
            word = _JOINERS[piece.text]
            fix = f"write {word}"
            return Fault(
                piece.span,
                f"{piece.text} is not an operator",
                ONE_OPERATOR,
                fix,
                Edit(piece.span, f" {word} "),
            )
        if self._starts_comparison(at + (piece.kind is Kind.SEPARATOR)):
            return self._missing_operator(at)
        return self._rest_of_value(at)

    def _checked_operator(self, at: int) -> Fault | None:
        piece = self.pieces[at]
        if self.negation is not None:
            return self._not_in_group(0)
        if self.operator is None:
            self.operator = piece
        if piece.is_keyword(self.operator.text.upper()):
            return None
        return Fault(piece.span, "AND and OR are mixed in one filter", ONE_OPERATOR, self._alternatives())

    def _alternatives(self) -> str:
        """The remedy for AND mixed with OR: the filters to run one by one, where each is valid by itself."""
        cuts = [piece for piece in self.pieces if piece.is_keyword("OR")]
        starts = [0, *(piece.end for piece in cuts)]
        ends = [*(piece.start for piece in cuts), len(self.text)]
        parts = [self.text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        is_valid = len(self.text) <= MAX_REPAIRED_CHARS and all(diagnose(part) is None for part in parts)
        each = ": " + "; ".join(map(printable, parts)) if is_valid else ""
        return f"run one filter for each side of OR{each}; or write the condition in SQL with --where"

    def _starts_comparison(self, at: int) -> bool:
        """Whether a term and a sign stand at `at`, after a NOT or `!` or not."""
        if self.pieces[at].is_keyword("NOT") or self.pieces[at].text == "!":
            at += 1
        return self.pieces[at].is_term and self.pieces[at + 1].kind is Kind.SIGN

    def _missing_operator(self, at: int) -> Fault:
        """A comparison follows another without AND or OR, or with a comma."""
        piece = self.pieces[at]
        word = self.operator.text.upper() if self.operator else "AND"
        is_comma = piece.kind is Kind.SEPARATOR
        span = piece.span if is_comma else Span(piece.start, piece.start)
        problem = (
            f"{piece.text} does not join comparisons" if is_comma else "no operator joins these comparisons"
        )
        fix = f"write {word} between them"
        return Fault(piece.span, problem, ONE_OPERATOR, fix, Edit(span, f" {word} "))

    def _rest_of_value(self, at: int) -> Fault:
        """Something follows a value that is neither AND nor OR nor a comparison."""
        piece, value = self.pieces[at], self.pieces[at - 1]
        if piece.kind is Kind.SEPARATOR and self.pieces[at + 1].kind is Kind.END:
            fix = "leave it out, or put quotes around the value"
            return Fault(
                piece.span, f"nothing follows {piece.text}", ONE_OPERATOR, fix, Edit(piece.span, " ")
            )
        is_bracket = piece.kind is Kind.BRACKET and (piece.text in ")]}" or piece.start > value.end)
        is_quote = piece.kind in (Kind.UNCLOSED, Kind.TYPOGRAPHIC) and piece.start > value.end
        if is_bracket or is_quote:
            return self._stray(at)
        if piece.start == value.end and not piece.is_term and piece.kind is not Kind.SEPARATOR:
            return self._special_character(at - 1, at)
        if piece.kind is Kind.SIGN:
            return self._second_sign(at)
        return self._unquoted(at - 1, self._phrase_end(at), "value")

    def _phrase_end(self, at: int) -> int:
        """The index of the last piece before the next AND, OR, comparison, bracket or quote, or the end."""
        ending = (Kind.END, Kind.JOINER, Kind.BRACKET, Kind.UNCLOSED, Kind.TYPOGRAPHIC)
        last = at
        while True:
            following = self.pieces[last + 1]
            if (
                following.kind in ending
                or following.is_keyword("AND", "OR")
                or self._starts_comparison(last + 1)
            ):
                return last
            last += 1

    def _unquoted(self, first: int, last: int, role: str) -> Fault:
        """A key or value of several pieces that should be one quoted term."""
        span = Span(self.pieces[first].start, self.pieces[last].end)
        phrase = self.text[span.start : span.end]
        has_quotes = any(piece.kind is Kind.STRING for piece in self.pieces[first : last + 1])
        edit = None if has_quotes else Edit(span, quote_term(phrase))
        fix = "quote it as a whole; a backslash before a quote makes it part of the text"
        return Fault(span, f"this {role} has to stand in quotes", QUOTES, fix, edit)

    def _special_character(self, first: int, at: int) -> Fault:
        """The piece `at` cannot stand in a bare value; `first` is the piece where the value begins."""
        start, piece = self.pieces[first].start, self.pieces[at]
        char = piece.text[0]
        match = _RUN.match(self.text, start)
        run = match[0].rstrip(",;") if match else ""
        edit = None
        if len(run) > piece.start - start and self.pieces[first].kind is not Kind.STRING:
            edit = Edit(Span(start, start + len(run)), quote_term(run))
        span = Span(piece.start, piece.start + 1)
        return Fault(span, f"{shown(char)} cannot stand outside quotes", QUOTES, "put quotes around it", edit)

    def _stray(self, at: int) -> Fault:
        """A piece that no key, sign or value begins with."""
        piece = self.pieces[at]
        if piece.kind is Kind.UNCLOSED:
            return self._unclosed(piece)
        if piece.kind is Kind.TYPOGRAPHIC:
            fix = "use straight quotes"
            edit = Edit(piece.span, quote_term(piece.text[1:-1]))
            return Fault(piece.span, "these quotes are typographic", QUOTES, fix, edit)
        if piece.kind is Kind.BRACKET:
            return self._bracket(piece)
        return self._special_character(at, at)

    def _unclosed(self, piece: Piece) -> Fault:
        joint = _NEXT_JOINT.search(self.text, piece.start)
        end = joint.start() if joint else piece.end
        span = Span(piece.start, piece.start + 1)
        fix = "close it; a backslash before a quote makes it part of the text"
        return Fault(
            span,
            f"the quote {piece.text[0]} is never closed",
            QUOTES,
            fix,
            Edit(Span(end, end), piece.text[0]),
        )

    def _bracket(self, piece: Piece) -> Fault:
        """A bracket. It can go, unless it groups what a NOT denies: then the meaning would change."""
        denied = any(
            (before.is_keyword("NOT") or before.text == "!") and after.kind is Kind.BRACKET
            for before, after in zip(self.pieces, self.pieces[1:], strict=False)
        )
        edit = None if denied else Edit(piece.span, " ")
        fix = "write the comparisons without them; NOT (a=1 AND b=2) is a!=1 OR b!=2"
        return Fault(piece.span, "there are no parentheses in a filter", ONE_OPERATOR, fix, edit)


def _bare_keyword(piece: Piece, role: str) -> Fault:
    word = piece.text.upper()
    problem = f"{word} is a keyword and cannot be a bare {role}"
    rule = "A key or value that is AND, OR or NOT, in any case, needs quotes."
    return Fault(
        piece.span, problem, rule, f'write: "{piece.text}"', Edit(piece.span, quote_term(piece.text))
    )


def _odd_space(piece: Piece) -> Fault:
    problem = "this is white space, but not an ordinary space"
    return Fault(piece.span, problem, QUOTES, "use an ordinary space", Edit(piece.span, " "))


def _other_tests() -> str:
    several = "for one of several values: key=a OR key=b"
    return f"write key=value or key!=value ({several}), or another test in SQL with --where"
