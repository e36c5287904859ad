"""Private keys in PEM and OpenPGP armour (RFC 7468, RFC 4880): the whole block, or what there is of a block cut off.

A block counts if a line of key material is in it; text that merely speaks of the first and the last line stays.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span
from logminer.redaction.draws import Draws

_BORDER = re.compile(r"-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{32}")
_LINES = re.compile(r"[A-Za-z0-9+/=\s]*")
# Borders and escapes of line ends in JSON text stay as they are.
_REDRAWN = re.compile(r"(-----[A-Z0-9 ]{3,90}-----|\\[nrt])|[A-Za-z0-9+/]+")


def _find(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" not in text:
        return
    borders = list(_BORDER.finditer(text))
    for border, after in itertools.zip_longest(borders, borders[1:]):
        if border[1] == "END":
            continue
        if after and after[1] == "END":
            body, end = (border.end(), after.start()), after.end()
        else:
            end = _end_of_lines(text, border.end())
            body = (border.end(), end)
        if _MATERIAL.search(text, *body):
            yield border.start(), end


def _end_of_lines(text: str, start: int) -> int:
    """Where key material ends that no last line follows."""
    lines = _LINES.match(text, start)
    assert lines is not None, "no line at all is a match too"
    return start + len(lines[0].rstrip())


def _stand_in(value: str, draws: Draws) -> str:
    """The same lines with other key material."""
    return _REDRAWN.sub(lambda part: part[1] or draws.like(part[0]), value)


DETECTOR = Detector(
    name="private_key",
    about="from a line BEGIN … PRIVATE KEY to its END, with a line of base64 between them",
    rank=10,
    find=_find,
    normal=str,
    stand_in=_stand_in,
)
