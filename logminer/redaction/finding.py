r"""Finds the values of all detectors in a text, where they overlap those of the smaller rank.

Detectors see the text in a plain view of the same length: an escape of JSON (`\n`, `\u00e9`) becomes line feeds,
since prompts and answers often hold JSON as text and `\nann@acme.co` is not the address of one nann; spaces that do
not break, hyphens of typography and full-width digits become their ASCII twins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from logminer.redaction.detector import Detector

_ESCAPE = re.compile(r"\\(?:[bfnrt\"/\\]|u[0-9a-fA-F]{4})")
_SPACES = "\u00a0\u2007\u202f\u2009"
_HYPHENS = "\u2010\u2011\u2012\u2013"
_TWINS = str.maketrans(
    _SPACES + _HYPHENS + "\uff0b\uff20" + "".join(map(chr, range(0xFF10, 0xFF1A))),
    " " * len(_SPACES) + "-" * len(_HYPHENS) + "+@" + "0123456789",
)
_HAS_TWIN = re.compile("[" + "".join(map(chr, _TWINS)) + "]")


class Found(NamedTuple):
    """A value at `start` up to `end`, exclusive."""

    start: int
    end: int
    detector: Detector


def plain_view(text: str) -> str:
    """`text` as detectors see it, of the same length."""
    view = _ESCAPE.sub(lambda escape: "\n" * len(escape[0]), text) if "\\" in text else text
    return view.translate(_TWINS) if not view.isascii() and _HAS_TWIN.search(view) else view


def find_values(view: str, detectors: Sequence[Detector]) -> list[Found]:
    """All values in order, none overlapping another. `detectors` are in the order of their ranks."""
    found: list[Found] = []
    for detector in detectors:
        new = [Found(start, end, detector) for start, end in detector.find(view)]
        if new:
            found = list(_merge(found, new)) if found else new
    return found


def _merge(kept: list[Found], new: Iterable[Found]) -> Iterator[Found]:
    """Both in order, without those of `new` that overlap one of `kept`. Each list is free of overlap in itself."""
    place, end = 0, 0
    for value in new:
        while place < len(kept) and kept[place].start < value.end:
            yield kept[place]
            end = kept[place].end
            place += 1
        if value.start >= end:
            yield value
            end = value.end
    yield from kept[place:]
