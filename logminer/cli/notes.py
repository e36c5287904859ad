"""Remarks that several commands make about a selection's result, on stderr."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from logminer.cli.streams import say
from logminer.errors import CheckFailed
from logminer.printable import counted
from logminer.teachers import MAX_PAIRS, MIN_PAIRS


def say_lacking(lacking: Mapping[str, int], what: str) -> None:
    """Say how many of the result's records lack a key that the filter compares with `!=`."""
    for key, number in lacking.items():
        if number:
            say(
                f"{number:,} of these {what} lack the key {key!r}, which != lets pass; "
                f"leave them out with --has-key {shlex.quote(key)}"
            )


def say_hints(hints: Iterable[str]) -> None:
    """Say what may have been meant."""
    for hint in hints:
        say(hint)


def require_ready(pairs: int, whose: str = "") -> None:
    """Raise CheckFailed unless a distillation job takes so many pairs."""
    if MIN_PAIRS <= pairs <= MAX_PAIRS:
        return
    few = pairs < MIN_PAIRS
    raise CheckFailed(
        f"{counted(pairs, 'pair')}{whose}, {'fewer' if few else 'more'} than a distillation job takes "
        f"({MIN_PAIRS} to {MAX_PAIRS:,})",
        fix="Widen the filter or the time span." if few else f"Export them with --max {MAX_PAIRS}.",
    )
