"""Values that a pair says again where nothing around them tells what they are: `the password s3cr3tX too`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span
from logminer.redaction.replacing import Replacing

_MOST = 100
"""Values of a kind and a pair; with more, time would grow with their number and that of the characters."""

_DIGIT_OR_SPACE = re.compile(r"[0-9]|\S\s\S")
_LEAST_CHARACTERS = 7


class Noting:
    """Replaces as another does, and notes values that are to be looked for in the whole pair."""

    def __init__(self, replacing: Replacing) -> None:
        self._replacing, self.final = replacing, replacing.final
        self._values: dict[Detector, dict[str, None]] = {}

    def __call__(self, detector: Detector, value: str, view: str) -> str:
        """What the other gives."""
        if detector.repeats and is_telling(view):
            self._values.setdefault(detector, {})[view] = None
        return self._replacing(detector, value, view)

    def echoes(self) -> Iterator[Detector]:
        """Detectors of the values that were noted, by themselves and as whole words."""
        for detector, values in self._values.items():
            yield _echo(detector, list(values)[:_MOST])


def is_telling(value: str) -> bool:
    """Whether a value is not by chance a word of the text, as the password `postgres` is or the name `May`."""
    return sum(map(str.isalnum, value)) >= _LEAST_CHARACTERS and _DIGIT_OR_SPACE.search(value) is not None


def _echo(detector: Detector, values: list[str]) -> Detector:
    longest_first = sorted(values, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    def find(text: str) -> Iterator[Span]:
        return (match.span() for match in pattern.finditer(text))

    return dataclasses.replace(detector, find=find)
