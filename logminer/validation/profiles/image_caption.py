"""Images in S3 with captions: Titan Image Generator, and Titan Multimodal Embeddings.

    {"image-ref": "s3://bucket/folder/0001.png", "caption": "..."}

Without a model, what both take is asked for in captions, and the Image Generator's number of lines. The images
themselves are not looked at. Jobs take no validation set.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from logminer.validation.media import check_uri
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, wrong_type
from logminer.validation.variants import variant_of

_ENDINGS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class _Captions:
    """How many characters a caption may have."""

    fewest: int
    most: int


_GENERATOR = _Captions(3, 1_024), Bounds(5, 10_000)
_EMBEDDINGS = _Captions(0, 2_560), Bounds(1_000, 500_000)
_MODELS = {"amazon.titan-image-generator": _GENERATOR, "amazon.titan-embed-image": _EMBEDDINGS}


def _inspect(captions: _Captions, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("image-ref", "caption"))
    if "image-ref" in value:
        yield from check_uri(value["image-ref"], "$.image-ref")
        yield from _ending(value["image-ref"])
    if "caption" in value:
        yield from _caption(captions, value["caption"])


def _ending(reference: Any) -> Iterator[Finding]:
    if isinstance(reference, str) and not reference.lower().endswith(_ENDINGS):
        yield Finding("media_format", "$.image-ref", f"ends in none of {', '.join(_ENDINGS)}")


def _caption(captions: _Captions, caption: Any) -> Iterator[Finding]:
    if not isinstance(caption, str):
        yield wrong_type("$.caption", caption, "a string")
    elif not captions.fewest <= len(caption) <= captions.most:
        problem = f"has {len(caption):,} characters, must have {captions.fewest} to {captions.most:,}"
        yield Finding("text_length", "$.caption", problem)
    elif captions.fewest and not caption.strip():
        yield Finding("blank_text", "$.caption", "blank text")


def _for_model(model: str) -> Profile:
    captions, bounds = variant_of(model, _MODELS, PROFILE.name)
    return replace(PROFILE, inspect=partial(_inspect, captions), bounds=bounds)


PROFILE = Profile(
    name="image-caption",
    summary="images with captions: Titan Image, Multimodal Embeddings",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    severities=severities("unknown_key", "blank_text", "text_length", "media_uri", "media_format"),
    inspect=partial(_inspect, _GENERATOR[0]),
    bounds=_GENERATOR[1],
    for_model=_for_model,
)
