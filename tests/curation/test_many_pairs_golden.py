"""Golden cases of what compares pairs with each other: duplicates, conflicts, histories.

A case is `many_pairs/RULE/NAME.toml`, with `options` and `pairs`, or `histories/NAME.toml`, with `mode` and `pairs`;
what is expected stands beside it as JSON. `LOGMINER_REWRITE_GOLDENS=1` writes it anew; review the difference.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from logminer.curation import curation_rules
from logminer.pairs import PromptResponsePair

from .chats import chat, drops, with_history

HERE = Path(__file__).parent
RULES = sorted(HERE.glob("many_pairs/*/*.toml"))
HISTORIES = sorted(HERE.glob("histories/*.toml"))


def pairs_of(case: dict[str, Any]) -> list[PromptResponsePair]:
    return [
        chat(number, *pair.pop("said"), request_id=pair.pop("id", f"r{number}"), **pair)
        for number, pair in enumerate(case["pairs"], start=1)
    ]


def check(path: Path, found: Any) -> None:
    expectation = path.with_suffix(".json")
    if os.environ.get("LOGMINER_REWRITE_GOLDENS") == "1":
        expectation.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert found == json.loads(expectation.read_text("utf-8"))


@pytest.mark.parametrize("path", RULES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_rule(path):
    case = tomllib.loads(path.read_text("utf-8"))
    found = drops(path.parent.name, pairs_of(case), **case.get("options", {}))
    assert {each.reason for each in found} <= set(curation_rules()[path.parent.name].reasons)
    check(path, [[each.key[1], each.reason, each.evidence] for each in found])


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_history(path):
    case = tomllib.loads(path.read_text("utf-8"))
    left, dropped = with_history(pairs_of(case), case["mode"])
    check(path, {"left": [shown(pair) for pair in left], "dropped": [shown_drop(each) for each in dropped]})


def shown(pair: PromptResponsePair) -> dict[str, Any]:
    return {
        "key": f"{pair.source_uri.rpartition('/')[2]}:{pair.source_position}",
        "said": [[turn["role"], *turn["content"]] for turn in json.loads(pair.messages)],
        "answer": pair.response,
        "turns": pair.turns,
        "tokens": [pair.input_tokens, pair.output_tokens],
        "stop_reason": pair.stop_reason,
    }


def shown_drop(each: Any) -> list[str]:
    return [f"{each.key[0].rpartition('/')[2]}:{each.key[1]}", each.reason, each.evidence]


def test_every_rule_and_mode_has_a_case():
    names = {"exact_duplicates", "conflicting_answers", "near_duplicates"}
    assert {path.parent.name for path in RULES} == names
    assert {tomllib.loads(path.read_text("utf-8"))["mode"] for path in HISTORIES} == {
        "longest",
        "split",
        "fold",
    }
