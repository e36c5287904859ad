"""What a profile is: the rules that one reader of a dataset sets, and the two looks that check them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logminer.validation.report import Severity
from logminer.validation.rules import RULES, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A set of rules under a name.

    `severities` is the definition: a rule that is not in it is not checked. `scan` is the quick look: it
    tells of a line surely without any finding whether it is labelled (ends with an answer), and None
    when in doubt. `inspect` yields all findings of a parsed line and `labelled` tells the same as `scan`
    of one that has no error. `min_lines` counts valid lines, `max_lines` all; None sets no bound.
    `splits_at_carriage_return` says where lines end, and `refuses_other_names` that a file which is
    not called .jsonl is not even opened.
    """

    name: str
    summary: str
    source: str
    severities: Mapping[str, Severity]
    scan: Callable[[bytes], bool | None]
    inspect: Callable[[Any], Iterator[Finding]]
    labelled: Callable[[Any], bool]
    min_lines: int | None
    max_lines: int | None
    splits_at_carriage_return: bool = False
    refuses_other_names: bool = False

    def __post_init__(self) -> None:
        unknown = set(self.severities) - set(RULES)
        assert not unknown, f"no such rules: {sorted(unknown)}"
