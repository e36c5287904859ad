"""Finds answers that begin with an apology and do not refuse.

It only reports unless it is asked to drop: "I'm sorry that your order is late" is how a service goes on to help.
What refuses, with an apology or without one, is for the rule `refusals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.openings import find_apology, find_refusal
from logminer.curation.refusal_phrases import LANGUAGES
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.verdicts import Fault, answer_by_answer


def judge_apology(answer: str) -> Fault | None:
    """The fault of an answer that begins with an apology, and with no refusal. The evidence is the phrase."""
    phrase = find_apology(answer)
    return Fault("apology", phrase) if phrase is not None and find_refusal(answer) is None else None


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    return answer_by_answer(judge_apology)


RULE = Rule(
    name="apologies",
    about="finds answers that begin with an apology, in "
    + ", ".join(language.name for language in LANGUAGES),
    reasons={"apology": "the answer begins with an apology, and does not refuse"},
    order=81,
    make=_make,
    options={},
    report_only=True,
)
