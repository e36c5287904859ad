"""Drops pairs that are too short or too long, counted in tokens.

Bounds come from the options. Where an option sets no upper one, it comes from AWS's table for the student that is
named; where none is named either, from the students of the pair's own teacher, and then a pair is dropped only if
it is too long for all of them. How tokens are counted is told in `logminer.curation.tokens`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logminer.curation.options import RuleOptions
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.tokens import TokenCount, answer_tokens, prompt_tokens
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.models import parse_model_id
from logminer.pairs import PromptResponsePair
from logminer.teachers import find_teacher
from logminer.token_limits import TOKEN_LIMITS, TokenLimits, loosest_limits, token_limits_of

_NAME = "length"
_NO_BOUND = 0


@dataclass(frozen=True)
class _Bounds:
    """Fewest and most tokens of one part: prompt, answer or total."""

    part: str
    least: int
    most: int

    def judge(self, count: TokenCount, table_most: int | None) -> Fault | None:
        most = self.most or table_most or _NO_BOUND
        if count.tokens < self.least:
            return Fault(f"{self.part}_too_short", f"{count}, at least {self.least}")
        if most and count.tokens > most:
            return Fault(f"{self.part}_too_long", f"{count}, at most {most}")
        return None


def _read_bounds(options: RuleOptions, part: str) -> _Bounds:
    least = options.whole_number(f"min_{part}_tokens")
    most = options.whole_number(f"max_{part}_tokens")
    if _NO_BOUND < most < least:
        options.refuse(
            f"max_{part}_tokens", f"no less than min_{part}_tokens", fix=f"{_NO_BOUND} is for no bound."
        )
    return _Bounds(part, least, most)


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    given = RuleOptions(_NAME, options)
    of_prompt, of_answer, of_total = (_read_bounds(given, part) for part in ("prompt", "answer", "total"))
    student_limits = _limits_of_student(given)

    def judge(pair: PromptResponsePair) -> Fault | None:
        limits = student_limits or _limits_of_teacher(pair.model)
        prompt, answer = prompt_tokens(pair), answer_tokens(pair)
        total = TokenCount(prompt.tokens + answer.tokens, prompt.estimated or answer.estimated)
        fault = of_prompt.judge(prompt, limits.prompt)
        if fault is None and pair.response is not None:
            fault = of_answer.judge(answer, limits.answer)
        return fault or of_total.judge(total, limits.total)

    return pair_by_pair(judge)


def _limits_of_student(options: RuleOptions) -> TokenLimits | None:
    student = options.text("student")
    if not student:
        return None
    limits = token_limits_of(parse_model_id(student).model or student)
    if limits is None:
        options.refuse(
            "student",
            "a model whose token limits are known",
            fix=f"Known are those of {', '.join(TOKEN_LIMITS)}. For another model set max_total_tokens.",
        )
    return limits


@functools.lru_cache(maxsize=256)
def _limits_of_teacher(model: str | None) -> TokenLimits:
    teacher = find_teacher(model) if model is not None else None
    return loosest_limits(teacher.students) if teacher is not None else TokenLimits()


RULE = Rule(
    name=_NAME,
    about="drops pairs with too few or too many tokens; the most are those that the student takes, unless set",
    reasons={
        "prompt_too_short": "the prompt has fewer tokens than min_prompt_tokens",
        "prompt_too_long": "the prompt has more tokens than max_prompt_tokens, or than the student takes",
        "answer_too_short": "the answer has fewer tokens than min_answer_tokens",
        "answer_too_long": "the answer has more tokens than max_answer_tokens, or than the student takes",
        "total_too_short": "prompt and answer have fewer tokens than min_total_tokens",
        "total_too_long": "prompt and answer have more tokens than max_total_tokens, or than the student takes",
    },
    order=20,
    make=_make,
    options={
        "student": "",
        "min_prompt_tokens": _NO_BOUND,
        "max_prompt_tokens": _NO_BOUND,
        "min_answer_tokens": _NO_BOUND,
        "max_answer_tokens": _NO_BOUND,
        "min_total_tokens": _NO_BOUND,
        "max_total_tokens": _NO_BOUND,
    },
)
