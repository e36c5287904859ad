"""Whole answers, a line each, that refuse and that do not: `openings/refusals.txt` and `openings/answers.txt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from logminer.curation.openings import find_refusal

LINES = [
    (path.stem, line)
    for path in sorted((Path(__file__).parent / "openings").glob("*.txt"))
    for line in path.read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("kind", "answer"), LINES)
def test_what_refuses_is_told_from_what_does_not(kind, answer):
    assert (find_refusal(answer) is not None) == (kind == "refusals")


@pytest.mark.parametrize(
    "around", ["Hello!\n\n{}", "Dear Ms. Smith,\n{}", "> {}", '"{}"', "Thank you for asking. {}"]
)
def test_a_refusal_is_found_behind_a_greeting_and_within_marks(around):
    refusals = [answer for kind, answer in LINES if kind == "refusals"]
    assert [answer for answer in refusals if find_refusal(around.format(answer)) is None] == []


def test_a_refusal_of_another_voice_or_far_behind_is_none():
    for kind, answer in LINES:
        if kind == "refusals":
            assert (
                find_refusal("Here is what he wrote to the shop on that day, word by word. " * 4 + answer)
                is None
            )
