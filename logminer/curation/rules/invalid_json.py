"""Drops answers that are to be JSON and are not.

An answer is to be JSON where the request had a response schema: then it is one JSON value and nothing else. It is
also where the whole answer is a code block that calls itself JSON; and where it begins as JSON and the prompt
speaks of JSON. The last is how a prefill shows: a pair's response has its prefill in it, and a caller who begins
the answer with `{` says what for. Text after the value is then no fault, nor is a second value, and an answer that
a stop sequence of the caller's may have cut is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.fences import only_block
from logminer.curation.json_answers import asks_for_json, begins_as_json, find_broken_value, find_json_fault
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.stopping import may_be_cut_by_caller
from logminer.curation.texts import params_of, prompt_texts
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.pairs import PromptResponsePair

_SPEAKS_OF_JSON = re.compile("json", re.IGNORECASE)
_SPEAKS_OF_CODE = re.compile(r"python|javascript|\bdict", re.IGNORECASE)
# How models miss JSON most; and how Python writes what JSON may be turned into.
_SINGLE_QUOTE = re.compile(r"\s*+\{\s*+'")


def find_invalid_json(pair: PromptResponsePair) -> Fault | None:
    """The fault of an answer that should be JSON and is not."""
    answer = pair.response
    if answer is None:
        return None
    if asks_for_json(params_of(pair).get("response_schema")):
        return _fault("not_by_schema", find_json_fault(answer, values=1), answer)
    if may_be_cut_by_caller(pair):
        return None
    block = only_block(answer)
    if block is not None and block[0] == "json":
        return _fault("broken_block", find_json_fault(block[1], values=None), block[1])
    if (begins_as_json(answer) and _prompt_speaks(pair, _SPEAKS_OF_JSON)) or _is_meant_as_json(answer, pair):
        return _fault("broken_value", find_broken_value(answer), answer)
    return None


def _is_meant_as_json(answer: str, pair: PromptResponsePair) -> bool:
    """Whether a key in single quotes was to be JSON: the prompt speaks of JSON, and of no language that has them."""
    return (
        _SINGLE_QUOTE.match(answer) is not None
        and _prompt_speaks(pair, _SPEAKS_OF_JSON)
        and not _prompt_speaks(pair, _SPEAKS_OF_CODE)
    )


def _prompt_speaks(pair: PromptResponsePair, of: re.Pattern[str]) -> bool:
    return any(of.search(placed.text) is not None for placed in prompt_texts(pair))


def _fault(reason: str, at: int | None, text: str) -> Fault | None:
    if at is None:
        return None
    if not text.strip():
        return Fault(reason, "nothing but white space")
    if at >= len(text.rstrip()):
        return Fault(reason, f"ends within a value, after {len(text)} characters")
    return Fault(reason, f"no JSON from character {at + 1} of {len(text)} on")


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    return pair_by_pair(find_invalid_json)


RULE = Rule(
    name="invalid_json",
    about="drops answers that should be JSON, by a response schema, a prefill or a code block, and are not",
    reasons={
        "not_by_schema": "the request had a response schema for JSON, and the answer is not one JSON value",
        "broken_block": "the answer is one code block of JSON, and that is not valid",
        "broken_value": "the prompt speaks of JSON and the answer begins as JSON, and breaks",
    },
    order=50,
    make=_make,
    options={},
)
