"""What stands in the place of a value: a numbered placeholder, or a stand-in of the same shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, Protocol

from logminer.redaction.detector import Detector
from logminer.redaction.draws import Draws

Mode = Literal["placeholder", "surrogate"]
"""`placeholder` writes `[EMAIL_1]`, `surrogate` another address."""

MODES: tuple[Mode, ...] = ("placeholder", "surrogate")

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]{1,30})_([0-9]{1,9})\]")
_ATTEMPTS = 64
"""Chance may draw the very value; of two letters once in a hundred times, so never as often in a row."""


class Replacing(Protocol):
    """Gives the text for a value."""

    @property
    def final(self) -> bool:
        """Whether no detector takes that text for a value again."""

    def __call__(self, detector: Detector, value: str, view: str) -> str:
        """`value` as it stands in the text, `view` as detectors see it, of equal length."""


class Placeholders:
    """Placeholders for the values of one pair: `[EMAIL_1]`, `[EMAIL_2]`, in the order of their first places.

    The same value gets the same number, however it is spelled. Numbers that the pair's own texts already use are
    left out, so that a pair redacted before keeps its meaning.
    """

    final = True

    def __init__(self, texts: Iterable[str]) -> None:
        self._used = {found.groups() for text in texts for found in _PLACEHOLDER.finditer(text)}
        self._given: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def __call__(self, detector: Detector, value: str, view: str) -> str:
        """The placeholder of a value."""
        key = detector.name, detector.normal(view)
        if key not in self._given:
            self._given[key] = self._next(detector.name.upper())
        return self._given[key]

    def _next(self, label: str) -> str:
        number = self._last.get(label, 0) + 1
        while (label, str(number)) in self._used:
            number += 1
        self._last[label] = number
        return f"[{label}_{number}]"


class StandIns:
    """Stand-ins, drawn from the value and a salt alone: one value has the same stand-in in all pairs and runs."""

    final = False

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def __call__(self, detector: Detector, value: str, view: str) -> str:
        """The stand-in of a value: another value, unless there is nothing in it to replace (a name like `Mr`)."""
        new = view
        for attempt in range(_ATTEMPTS):
            draws = Draws(self._salt, f"{detector.name} {attempt}", detector.normal(view))
            new = detector.stand_in(view, draws)
            if new != view:
                break
        return _with_marks_of(value, view, new) if value != view else new


def _with_marks_of(value: str, view: str, new: str) -> str:
    """`new` with the spaces, hyphens and escapes that `value` has where its view has plain ones."""
    if len(new) != len(value):
        return new
    return "".join(
        old if plain == drawn and not plain.isalnum() else drawn
        for old, plain, drawn in zip(value, view, new, strict=True)
    )
