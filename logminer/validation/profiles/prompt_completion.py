"""Fine-tuning of text models that know no conversations: Titan Text, Cohere Command, Llama 3.1.

Without a model the strictest number of lines counts. Sources:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html and
custom-models/bedrock-fine-tuning/meta-llama/dataset_validation of aws-samples/amazon-bedrock-samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from logminer.token_limits import TOKEN_LIMITS, TokenLimits
from logminer.validation.plans import flat_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, check_text, check_tokens, surely_within, wrong_type
from logminer.validation.variants import variant_of

_GIB = 1024**3
_TITAN = Bounds(None, None, _GIB), Bounds(None, None, 100 * 1024**2)
_COHERE = Bounds(None, 10_000, _GIB), Bounds(None, 1_000, _GIB)
_LLAMA = Bounds(100, 10_000, _GIB), Bounds(None, 1_000, _GIB)

_BOUNDS = {
    "amazon.titan-text-express": _TITAN,
    "amazon.titan-text-lite": _TITAN,
    "amazon.titan-text-premier": _TITAN,
    "cohere.command-light-text": _COHERE,
    "cohere.command-text": _COHERE,
    "meta.llama3-1": _LLAMA,
}


def _inspect(limits: TokenLimits, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("prompt", "completion"))
    for key, most in (("prompt", limits.prompt), ("completion", limits.answer)):
        if key in value:
            yield from check_text(value[key], f"$.{key}")
            yield from check_tokens([value[key]], most)
    yield from check_tokens([value.get("prompt"), value.get("completion")], limits.total)


def _for_model(model: str) -> Profile:
    key = variant_of(model, {each: each for each in _BOUNDS}, PROFILE.name)
    limits = TOKEN_LIMITS[key]
    known = [each for each in (limits.prompt, limits.answer, limits.total) if each is not None]
    return replace(
        PROFILE,
        inspect=partial(_inspect, limits),
        bounds=_BOUNDS[key][0],
        held_out=_BOUNDS[key][1],
        quick=flat_plan("prompt", "completion", max_line_bytes=surely_within(min(known))),
    )


PROFILE = Profile(
    name="prompt-completion",
    summary="fine-tuning of Titan Text, Cohere Command, Llama 3.1",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    # The number of tokens is an estimate, so it is no reason to refuse a file.
    severities=severities("unknown_key", "blank_text", too_many_tokens="warning"),
    inspect=partial(_inspect, TokenLimits()),
    quick=flat_plan("prompt", "completion"),
    bounds=_LLAMA[0],
    held_out=_LLAMA[1],
    for_model=_for_model,
)
