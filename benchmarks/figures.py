"""What a benchmark gives: timings, the lines of its table, and the bounds that they are held against."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# With this many records in the first corpus every row has the size that its description names.
FULL_RECORDS = 60_000


class BenchmarkError(Exception):
    """Something that was to be measured failed, or two that should answer alike did not."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one contender took, round by round, and the most memory that it held with all its processes."""

    name: str
    seconds: tuple[float, ...]
    peak_bytes: int | None = None

    @property
    def best(self) -> float:
        """The quickest round."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The round in the middle."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure has to reach, and what it aims at: `more` or `less` is better."""

    better: Literal["more", "less"]
    must: float
    aim: float

    def verdict(self, value: float) -> str:
        """`aim`, `met` or `missed`."""
        sign = 1 if self.better == "more" else -1
        if sign * value >= sign * self.aim:
            return "aim"
        return "met" if sign * value >= sign * self.must else "missed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a figure, what it is, and the timings that it comes from, ours first.

    `spread` are the lowest and the highest figure of a single round.
    """

    row: str
    what: str
    value: float
    unit: str
    bound: Bound | None = None
    spread: tuple[float, float] | None = None
    timings: tuple[Timing, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a run is set up: `records` in the first corpus, from which all other sizes follow."""

    records: int
    rounds: int
    folder: Path
    seed: int = 1

    def scaled(self, full: int, least: int = 1) -> int:
        """The size of something that has `full` at the standard size."""
        return max(round(full * self.records / FULL_RECORDS), least)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name for `--rows`, what it is about, and what measures it."""

    name: str
    about: str
    measure: Callable[[Setting], Iterable[Line]]


def speed_line(row: str, what: str, ours: Timing, peer: Timing, bound: Bound, note: str = "") -> Line:
    """How many times as fast as a peer: the median of the rounds."""
    ratios = [their / our for our, their in zip(ours.seconds, peer.seconds, strict=True)]
    return _ratio_line(row, what, ratios, "x as fast", bound, (ours, peer), note)


def time_line(row: str, what: str, ours: Timing, peer: Timing, bound: Bound, note: str = "") -> Line:
    """How many times a peer's time: the median of the rounds."""
    ratios = [our / their for our, their in zip(ours.seconds, peer.seconds, strict=True)]
    return _ratio_line(row, what, ratios, "x its time", bound, (ours, peer), note)


def _ratio_line(
    row: str,
    what: str,
    ratios: Sequence[float],
    unit: str,
    bound: Bound,
    timings: tuple[Timing, ...],
    note: str,
) -> Line:
    middle = statistics.median(ratios)
    return Line(row, what, middle, unit, bound, (min(ratios), max(ratios)), timings, note)


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent k of seconds = c * size ** k, by least squares of the logarithms."""
    xs, ys = [math.log(size) for size in sizes], [math.log(each) for each in seconds]
    return statistics.linear_regression(xs, ys).slope
