"""What a profile is: the rules that one reader of a dataset sets, and the two looks that check them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logminer.validation.quick import QuickPlan
from logminer.validation.report import Severity
from logminer.validation.rules import MAX_FILE_BYTES, RULES, Finding


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a file may hold; None sets no bound. `min_lines` counts valid lines, `max_lines` all."""

    min_lines: int | None = None
    max_lines: int | None = None
    max_file_bytes: int | None = MAX_FILE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A set of rules under a name.

    `severities` is the definition: a rule that is not in it is not checked. `inspect` yields all findings of a
    parsed line and `labelled` tells of one that has no error whether it ends with an answer; `quick` is the way to
    know of most lines that they have no finding. `bounds` are those of a training set, `held_out` those of the
    validation set of a job, None where a job takes none. `for_model` gives the rules of one model, by any form of
    its id, and raises UsageError for a model that it does not know. `unique_key` is a key at the top whose value no
    two lines may share, `mixed_note` what is to be said where only some lines are labelled.
    `splits_at_carriage_return` says where lines end, and `refuses_other_names`
    that a file which is not called .jsonl is not even opened.
    """

    name: str
    summary: str
    source: str
    severities: Mapping[str, Severity]
    inspect: Callable[[Any], Iterator[Finding]]
    bounds: Bounds
    held_out: Bounds | None = None
    quick: QuickPlan | None = None
    labelled: Callable[[Any], bool] = lambda value: True
    for_model: Callable[[str], Profile] | None = None
    unique_key: str | None = None
    mixed_note: str = ""
    splits_at_carriage_return: bool = False
    refuses_other_names: bool = False

    def __post_init__(self) -> None:
        unknown = set(self.severities) - set(RULES)
        assert not unknown, f"no such rules: {sorted(unknown)}"
