"""Fine-tuning of Llama 3.2 and 3.3: conversations, with images for the models that see.

AWS's script lets keys beside the format pass and does not look at the order of roles; here the former warn and
the latter is an error. Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html
and custom-models/bedrock-fine-tuning/meta-llama/dataset_validation of aws-samples/amazon-bedrock-samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from logminer.token_limits import TOKEN_LIMITS
from logminer.validation.conversation import (
    check_exchange,
    check_one_item,
    check_version,
    contents_of,
)
from logminer.validation.media import check_loose_image
from logminer.validation.plans import conversation_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import (
    check_keys,
    check_text,
    check_tokens,
    items_of,
    surely_within,
    wrong_type,
)
from logminer.validation.variants import variant_of

_BOUNDS = Bounds(100, 10_000)
_HELD_OUT = Bounds(None, 1_000)
_MODELS = {name: name for name in ("meta.llama3-2", "meta.llama3-2-90b", "meta.llama3-3")}


def _inspect(max_tokens: int, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("messages",), ("schemaVersion", "system"))
    if "schemaVersion" in value:
        yield from check_version(value["schemaVersion"])
    if "system" in value:
        yield from check_one_item(value["system"], "$.system", "system_items")
    messages = value.get("messages")
    if "messages" in value:
        yield from check_exchange(messages, _content, _TWO)
    texts = list(_texts(value.get("system"), "$.system"))
    for content in contents_of(messages):
        texts.extend(_texts(content, ""))
    yield from check_tokens(texts, max_tokens)


_TWO = "Give the user's message and the assistant's answer."


def _content(role: Any, items: Any, path: str) -> Iterator[Finding]:
    if not isinstance(items, list):
        yield wrong_type(path, items, "a list")
        return
    if not items:
        yield Finding("content_items", path, "has no items", "Give the text.")
    for place, item in items_of(items, path):
        if not isinstance(item, dict):
            yield wrong_type(place, item, "an object")
            continue
        yield from check_keys(item, place, (), ("text", "image"))
        if not item.keys() & {"text", "image"}:
            yield Finding("content_items", place, "has neither a text nor an image", "Give one of them.")
        if "text" in item:
            yield from check_text(item["text"], f"{place}.text")
        if "image" in item:
            if role == "assistant":
                yield Finding("media_place", f"{place}.image", "stands in an assistant message")
            yield from check_loose_image(item["image"], f"{place}.image")


def _texts(items: Any, path: str) -> Iterator[Any]:
    return (item.get("text") for _, item in items_of(items, path) if isinstance(item, dict))


def _for_model(model: str) -> Profile:
    return _with_tokens(TOKEN_LIMITS[variant_of(model, _MODELS, "llama-conversation")].total or 0)


def _with_tokens(most: int) -> Profile:
    return replace(
        PROFILE,
        inspect=partial(_inspect, most),
        quick=conversation_plan(max_line_bytes=surely_within(most)),
    )


_MAX_TOKENS = 16_000

PROFILE = Profile(
    name="llama-conversation",
    summary="fine-tuning of Llama 3.2 and 3.3, with images",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    severities=severities(
        *("schema_version", "system_items", "message_count", "content_items", "unknown_role", "role_order"),
        *("last_role", "blank_text", "media_place", "media_uri"),
        unknown_key="warning",  # the script lets them pass
        too_many_tokens="warning",  # an estimate
    ),
    inspect=partial(_inspect, _MAX_TOKENS),
    quick=conversation_plan(max_line_bytes=surely_within(_MAX_TOKENS)),
    bounds=_BOUNDS,
    held_out=_HELD_OUT,
    for_model=_for_model,
)
