"""Finds answers that begin with a refusal.

It only reports unless it is asked to drop, since a student may be wanted that refuses as its teacher does. An
apology is no refusal and has a rule of its own, `apologies`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.openings import find_refusal
from logminer.curation.refusal_phrases import LANGUAGES
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.verdicts import Fault, answer_by_answer


def judge_refusal(answer: str) -> Fault | None:
    """The fault of an answer that begins with a refusal. The evidence is the phrase."""
    phrase = find_refusal(answer)
    return Fault("refusal", phrase) if phrase is not None else None


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    return answer_by_answer(judge_refusal)


RULE = Rule(
    name="refusals",
    about="finds answers that begin with a refusal, in " + ", ".join(language.name for language in LANGUAGES),
    reasons={"refusal": "the answer begins with a refusal"},
    order=80,
    make=_make,
    options={},
    report_only=True,
)
