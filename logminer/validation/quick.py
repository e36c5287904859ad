"""The quick look: many lines at once, which are surely without fault, or not surely.

Lines of one file are alike but for their texts. So of the first line of each kind, what stands around its texts is
looked at closely, with other texts in it, and kept. A typed pass of msgspec takes the texts out of the other lines; put into what was
kept, they must give these lines again, byte by byte. A key too many, twice or missing, another role or a strange
white space would show. What is left to be judged are the texts, all in one piece.

None is no verdict: then the slow look finds all the faults, or none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

Columns = Sequence[Sequence[Raw]]

_MAX_KINDS: Final = 64
_TRIED_LINES: Final = 4
_SOME_TEXT: Final = b'"some text"'

# What a JSON string starts with and certainly is not blank: one after a line feed, which no JSON string has inside.
# Of the characters past ASCII, those bytes are let out that a space can start with (NEL, NBSP, U+1680, U+2000 to
# U+205F, U+3000).
_MAYBE_BLANK: Final = re.compile(
    rb'\n(?!"(?:[!#-\[\]-\x7f\xc3-\xe0\xe4-\xf4]|\xc2[^\x85\xa0]|\xe1[^\x9a]|\xe2[^\x80\x81]|\xe3[^\x80]))'
)
# How a printable ASCII character may be hidden in an escape.
_ASCII_ESCAPE: Final = re.compile(rb"\\u00[2-7]")
_decode_text = msgspec.json.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class QuickPlan:
    """How the lines of a format are looked at quickly.

    `record` is the type of a line, with the texts as Raw; `shape` tells which records have their texts in the same
    places, and `columns` gives the texts of records of one shape, place by place. `forbidden` says of UTF-8 text
    whether it may have a word that is refused. `blanks` allows blank texts. Longer lines than `max_line_bytes` are
    left to the slow look.
    """

    record: type[Struct]
    shape: Callable[[Any], Hashable]
    columns: Callable[[list[Any]], Columns]
    forbidden: Callable[[bytes], bool] | None = None
    blanks: bool = False
    max_line_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What stands around the texts of a line: one piece more than there are texts. `order` are their columns."""

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]
    labelled: bool


class QuickLook:
    """The quick look at one file; it learns from lines that `look` finds without fault.

    `look` is the slow look at a line without its end: whether it is labelled, None where it has any finding.
    """

    def __init__(self, plan: QuickPlan, look: Callable[[bytes], bool | None]) -> None:
        self._plan = plan
        self._look = look
        self._decode = msgspec.json.Decoder(plan.record).decode
        self._kinds: dict[Hashable, _Kind] = {}

    def labelled(self, lines: list[bytes]) -> int | None:
        """How many of these lines, each with its line feed, are labelled; None where one may have a fault."""
        most = self._plan.max_line_bytes
        if most is not None and max(map(len, lines)) > most:
            return None
        try:
            records = list(map(self._decode, lines))
            b"".join(lines).decode()  # msgspec does not look at the bytes inside a Raw
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        groups: dict[Hashable, list[int]] = {}
        shapes = list(map(self._plan.shape, records))
        if shapes.count(shapes[0]) == len(shapes):
            return self._labelled_alike(shapes[0], lines, records)
        for index, shape in enumerate(shapes):
            groups.setdefault(shape, []).append(index)
        total = 0
        for shape, places in groups.items():
            count = self._labelled_alike(shape, [lines[i] for i in places], [records[i] for i in places])
            if count is None:
                return None
            total += count
        return total

    def _labelled_alike(self, shape: Hashable, lines: list[bytes], records: list[Any]) -> int | None:
        """The same for lines of one shape."""
        kind = self._kinds.get(shape) or self._learn(shape, lines, records)
        if kind is None:
            return None
        columns = self._plan.columns(records)
        if not _is_made_of(kind, columns, lines) or not self._texts_pass(columns):
            return None
        return len(lines) if kind.labelled else 0

    def _learn(self, shape: Hashable, lines: list[bytes], records: list[Any]) -> _Kind | None:
        for line, record in zip(lines[:_TRIED_LINES], records, strict=False):
            texts = [bytes(column[0]) for column in self._plan.columns([record])]
            if any(line.count(text) != 1 for text in texts):
                continue  # which of the places is the text's?
            pieces, order = _cut(line, texts)
            labelled = self._look(_SOME_TEXT.join(pieces).rstrip(b"\n"))
            if labelled is not None and len(self._kinds) < _MAX_KINDS:
                self._kinds[shape] = kind = _Kind(pieces, order, labelled)
                return kind
        return None

    def _texts_pass(self, columns: Columns) -> bool:
        """Whether all are strings, none blank and none with a forbidden word (as far as is seen at a glance)."""
        together = b"\n".join([b"", *chain.from_iterable(map(_distinct, columns))])
        for found in _MAYBE_BLANK.finditer(together):
            if not self._is_good_start(together, found.end()):
                return False
        forbidden = self._plan.forbidden
        if forbidden is None:
            return True
        if b"\\" in together and _ASCII_ESCAPE.search(together):  # it may hide a word
            together = "\n".join(map(_decode_text, together.split(b"\n")[1:])).encode()
        return not forbidden(together)

    def _is_good_start(self, together: bytes, start: int) -> bool:
        end = together.find(b"\n", start)
        text = together[start : end if end >= 0 else len(together)]
        if not text.startswith(b'"'):
            return False
        return self._plan.blanks or bool(_decode_text(text).strip())


def _distinct(column: Sequence[Raw]) -> Sequence[Raw | bytes]:
    """The texts of a column; one alone where all are the same, as system prompts mostly are."""
    first = bytes(column[0])
    is_constant = bytes(column[-1]) == first and b"".join(column) == first * len(column)
    return (first,) if is_constant else column


def _cut(line: bytes, texts: list[bytes]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """What stands around the texts of a line, and the columns of the texts in its order."""
    starts = [line.index(text) for text in texts]
    order = tuple(sorted(range(len(texts)), key=starts.__getitem__))
    pieces, at = [], 0
    for column in order:
        pieces.append(line[at : starts[column]])
        at = starts[column] + len(texts[column])
    return (*pieces, line[at:]), order


def _is_made_of(kind: _Kind, columns: Columns, lines: list[bytes]) -> bool:
    """Whether the lines are, byte for byte, the kind's pieces with these texts between them."""
    count, stride = len(lines), 2 * len(kind.order)
    head, *inner, tail = kind.pieces
    parts: list[bytes | Raw] = [tail + head] * (count * stride + 1)
    parts[0], parts[-1] = head, tail
    for place, piece in enumerate(inner, start=1):
        parts[2 * place : -1 : stride] = [piece] * count
    for place, column in enumerate(kind.order):
        parts[2 * place + 1 :: stride] = columns[column]
    return b"".join(parts) == b"".join(lines)
