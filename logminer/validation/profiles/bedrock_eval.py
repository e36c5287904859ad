"""Prompt datasets of model evaluation jobs, at most 1,000 lines each.

    {"prompt": "...", "referenceResponse": "...", "category": "...",
     "modelResponses": [{"response": "...", "modelIdentifier": "..."}]}

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-prompt-datasets-judge.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.validation.plans import flat_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, check_text, items_of, wrong_type


def _inspect(value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("prompt",), ("referenceResponse", "category", "modelResponses"))
    for key in ("prompt", "referenceResponse", "category"):
        if key in value:
            yield from check_text(value[key], f"$.{key}")
    if "modelResponses" in value:
        yield from _responses(value["modelResponses"])


def _responses(responses: Any) -> Iterator[Finding]:
    path = "$.modelResponses"
    if not isinstance(responses, list):
        yield wrong_type(path, responses, "a list")
    elif len(responses) != 1:
        yield Finding("content_items", path, f"has {len(responses)} items, must have 1", "Keep one response.")
    for place, item in items_of(responses, path):
        if not isinstance(item, dict):
            yield wrong_type(place, item, "an object")
            continue
        yield from check_keys(item, place, ("response", "modelIdentifier"))
        for key in item.keys() & {"response", "modelIdentifier"}:
            if not isinstance(item[key], str):
                yield wrong_type(f"{place}.{key}", item[key], "a string")


PROFILE = Profile(
    name="bedrock-eval",
    summary="prompts of a model evaluation job",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-prompt-datasets-judge.html",
    severities=severities("unknown_key", "blank_text", "content_items"),
    inspect=_inspect,
    quick=flat_plan("prompt", "referenceResponse"),
    bounds=Bounds(1, 1_000),
)
