"""Golden cases of the rules that judge each pair by itself: `one_pair/RULE.toml`.

Each `[[pair]]` is a pair in the form of `chats.chat`, with `options` of the rule, and with the `drop` (a reason) and
perhaps the `evidence` that are expected; one without `drop` is kept. An answer may be long: `text` names a text that
stands before it, `repeat` is repeated `times` before it, and `numbered` is repeated with numbers.
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from logminer.curation import curation_rules
from logminer.pairs import PromptResponsePair

from .chats import chat, drops

FOLDER = Path(__file__).parent / "one_pair"
TEXTS = {
    "sentences": (
        "Distillation trains a small model on the answers of a large one. The small model is cheaper to run. It is "
        "also faster, which matters to people who wait for an answer. The data has to be chosen with care, since "
        "the student learns faults as well as virtues. A thousand good pairs may be better than ten thousand that "
        "nobody looked at. Many of them are copies of each other, and some end before they have said all."
    )
}
MADE_HERE = ("about", "options", "drop", "evidence", "text", "repeat", "times", "numbered", "said", "answer")


@dataclasses.dataclass(frozen=True)
class Case:
    rule: str
    number: int
    values: dict[str, Any]

    @property
    def options(self) -> dict[str, Any]:
        return self.values.get("options", {})

    @property
    def pair(self) -> PromptResponsePair:
        values = {name: value for name, value in self.values.items() if name not in MADE_HERE}
        for name in ("input_tokens", "output_tokens"):
            if values.pop(f"drop_{name}", False):
                values[name] = None
        answer = None if values.pop("response", "") == "none" else self.answer
        return chat(self.number, *self.values.get("said", ["How are you?"]), answer=answer, **values)

    @property
    def answer(self) -> str:
        values = self.values
        parts = [
            TEXTS[values["text"]] if "text" in values else "",
            values.get("repeat", "") * values.get("times", 1),
            "".join(values.get("numbered", "").replace("{n}", str(number)) for number in range(1, 40)),
        ]
        return "".join(parts) + values.get("answer", "" if any(parts) else "I am well.")


def cases() -> list[Case]:
    return [
        Case(path.stem, number, values)
        for path in sorted(FOLDER.glob("*.toml"))
        for number, values in enumerate(tomllib.loads(path.read_text("utf-8"))["pair"], start=1)
    ]


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.number}")
def test_pair(case):
    found = drops(case.rule, [case.pair], **case.options)
    assert [each.reason for each in found] == ([case.values["drop"]] if "drop" in case.values else [])
    assert [each.key for each in found] == [case.pair.key for _ in found]
    if "evidence" in case.values:
        assert found[0].evidence == case.values["evidence"]


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_each_pair_is_judged_by_itself(rule):
    few = [case for case in CASES if case.rule == rule and not case.options]
    pairs = [case.pair for case in few]
    found = drops(rule, pairs)
    assert [each.key[1] for each in found] == [case.number for case in few if "drop" in case.values]
    assert set(drops(rule, pairs[::-1])) == set(found)


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_the_cases_show_each_reason_and_pairs_that_stay(rule):
    few = [case for case in CASES if case.rule == rule]
    assert {case.values["drop"] for case in few if "drop" in case.values} == set(
        curation_rules()[rule].reasons
    )
    assert any("drop" not in case.values for case in few)
