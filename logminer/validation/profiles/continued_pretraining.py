"""Continued pre-training on unlabelled text: `{"input"}`, for Amazon Nova `{"text"}`.

AWS publishes no number of lines for it. Sources:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html and the validator of
aws-samples/amazon-nova-samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from logminer.validation.plans import flat_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, check_text, wrong_type
from logminer.validation.variants import variant_of

_KEYS = {"amazon.titan-text": "input", "amazon.nova": "text"}


def _inspect(key: str, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", (key,))
    if key in value:
        yield from check_text(value[key], f"$.{key}")


def _for_model(model: str) -> Profile:
    key = variant_of(model, _KEYS, PROFILE.name)
    return replace(PROFILE, inspect=partial(_inspect, key), quick=flat_plan(key))


PROFILE = Profile(
    name="continued-pretraining",
    summary="continued pre-training on plain text",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    severities=severities("unknown_key", "blank_text"),
    inspect=partial(_inspect, "input"),
    quick=flat_plan("input"),
    bounds=Bounds(1),
    held_out=Bounds(1),
    for_model=_for_model,
)
