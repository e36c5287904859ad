"""What a detector is: it finds the values of one kind in a text, and makes a stand-in of the same shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from logminer.redaction.draws import Draws

Span = tuple[int, int]
"""Where a value begins, and where it has ended."""


@dataclass(frozen=True)
class Detector:
    """One kind of value that must not leave with a dataset.

    `about` is the rule that decides, in a sentence for people. `find` gives the places of values, in order and
    without overlap, in time linear in the text. Where values of two detectors overlap, the one of the smaller
    `rank` stays. With `repeats`, what was found by the words around it is a value wherever else the pair says it.
    `normal` maps the spellings of one value to one text. `stand_in` is given a value as it stands
    and draws another of its kind, in the same shape; from equal draws it makes equal stand-ins.
    """

    name: str
    about: str
    rank: int
    find: Callable[[str], Iterable[Span]]
    normal: Callable[[str], str]
    stand_in: Callable[[str, Draws], str]
    repeats: bool = False


_DIGITS = re.compile(r"[0-9(+][0-9 ./()+-]{5,}")


def accepted(
    pattern: re.Pattern[str], text: str, accept: Callable[[re.Match[str]], Span | None]
) -> Iterator[Span]:
    """The places that `accept` makes of the matches of `pattern`, None for a match that is no value.

    After a refused match the search goes on at the next character, so that a number right before a value does
    not hide it. A pattern must therefore bound the length of what it matches.
    """
    at = 0
    while match := pattern.search(text, at):
        span = accept(match)
        if span:
            yield span
        at = span[1] if span else match.start() + 1


def accepted_in_runs(
    pattern: re.Pattern[str], text: str, accept: Callable[[re.Match[str]], Span | None]
) -> Iterator[Span]:
    """As `accepted`, for a pattern of digits and what stands between them: only where there are many of them.

    Most text has no such place, and to find that out is far quicker than any pattern with a condition in front.
    """
    end = 0
    for run in _DIGITS.finditer(text):
        # The pattern may look at three characters after the run, and at any before it.
        at, stop = max(end, run.start()), run.end() + 3
        while match := pattern.search(text, at, stop):
            span = accept(match)
            if span:
                yield span
                end = span[1]
            at = span[1] if span else match.start() + 1


def follows(pattern: re.Pattern[str], text: str, start: int, reach: int = 40) -> bool:
    """Whether `pattern`, which ends with `$`, fits the text right before `start`, of which it sees `reach`."""
    return pattern.search(text[max(0, start - reach) : start]) is not None


def without_separators(value: str) -> str:
    """Letters and digits alone, in capitals."""
    return "".join(filter(str.isalnum, value)).upper()


def refill(shape: str, characters: str) -> str:
    """`shape` with its letters and digits replaced by `characters`, one after the other; of equal number."""
    new = iter(characters)
    return "".join(next(new) if character.isalnum() else character for character in shape)
