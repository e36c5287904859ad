"""Supervised fine-tuning of Amazon Nova: text, media, tools and, for Nova 2 Lite, reasoning.

Without a model, what any of them takes is taken. The guide names 100 lines as the fewest, AWS's newer validator
8, and for Nova 2 Lite 200; the validator's numbers count here. Sources: see `logminer/validation/nova.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from logminer.reserved_words import has_reserved_word
from logminer.validation.nova import NovaModel, inspect_nova
from logminer.validation.plans import conversation_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.report import Severity
from logminer.validation.strict_rules import severities
from logminer.validation.values import surely_within
from logminer.validation.variants import variant_of

_ANY = NovaModel("Amazon Nova", reasoning=True)
_BOUNDS = Bounds(8, 20_000)

_MODELS: Mapping[str, tuple[NovaModel, Bounds, Bounds | None]] = {
    "amazon.nova-micro": (NovaModel("Nova Micro", (), (), ()), _BOUNDS, _BOUNDS),
    "amazon.nova-lite": (NovaModel("Nova Lite"), _BOUNDS, _BOUNDS),
    "amazon.nova-pro": (NovaModel("Nova Pro"), _BOUNDS, _BOUNDS),
    "amazon.nova-2-lite": (
        NovaModel("Nova 2 Lite", ("png", "jpeg", "gif"), ("mov", "mkv", "mp4"), reasoning=True),
        Bounds(200, 20_000),
        None,
    ),
}
_OTHER_NAMES = {"micro": "nova-micro", "lite": "nova-lite", "pro": "nova-pro", "lite-2.0": "nova-2-lite"}

_SEVERITIES: Mapping[str, Severity] = severities(
    *(
        "unknown_key",
        "system_items",
        "message_count",
        "content_items",
        "unknown_role",
        "role_order",
        "last_role",
    ),
    *("blank_text", "reserved_word", "media_format", "media_place", "media_count", "media_uri"),
    *("tool_place", "tool_id", "tool_name", "reasoning_place"),
    schema_version="warning",  # AWS's validators take any text for it, and none
    too_many_tokens="warning",  # an estimate
)


def _profile(model: NovaModel, bounds: Bounds, held_out: Bounds | None) -> Profile:
    return Profile(
        name="nova-sft",
        summary="fine-tuning of Amazon Nova: media, tools, reasoning",
        source="https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html",
        severities=_SEVERITIES,
        inspect=partial(inspect_nova, model),
        quick=conversation_plan(has_reserved_word, max_line_bytes=surely_within(model.max_tokens)),
        bounds=bounds,
        held_out=held_out,
        for_model=_for_model,
    )


def _for_model(model: str) -> Profile:
    found = variant_of(_OTHER_NAMES.get(model, model), _MODELS, "nova-sft")
    return _profile(*found)


PROFILE = _profile(_ANY, _BOUNDS, _BOUNDS)
