"""Amazon Nova requests through InvokeModel, where they differ from Converse.

Nova takes Converse's messages, says so with `schemaVersion: "messages-v1"`, and spells some limits in its own
way. Its answers and stream events are Converse's.
Source: https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.families.converse import (
    ConverseRequest,
    InferenceConfig,
    accepts_request,
    read_request,
)
from logminer.conversations.params import collect_params
from logminer.conversations.parts import Prompt
from logminer.conversations.shapes import BodyShape, RequestShape


class _InferenceConfig(InferenceConfig, gc=False):
    """Limits in the spellings that Converse does not have; `max_new_tokens` stems from the first releases."""

    max_new_tokens: int | float | None = msgspec.field(default=None, name="max_new_tokens")
    top_p: int | float | None = msgspec.field(default=None, name="top_p")
    top_k: int | float | None = msgspec.field(default=None, name="top_k")
    nova_top_k: int | float | None = msgspec.field(default=None, name="topK")


class _Request(ConverseRequest, gc=False):
    schema_version: str | None = msgspec.field(default=None, name="schemaVersion")
    inference_config: _InferenceConfig | None = msgspec.field(default=None, name="inferenceConfig")


def _accepts(body: _Request) -> bool:
    if body.messages is None:
        return False
    config = body.inference_config
    is_nova = body.schema_version is not None or (
        config is not None
        and (config.max_new_tokens, config.top_p, config.top_k, config.nova_top_k) != (None, None, None, None)
    )
    return is_nova and accepts_request(body)


def _read(body: _Request) -> Prompt:
    prompt = read_request(body)
    config = body.inference_config
    if config is not None:
        prompt.params |= collect_params(
            max_tokens=config.max_new_tokens,
            top_p=config.top_p,
            top_k=config.top_k if config.top_k is not None else config.nova_top_k,
        )
    return prompt


SHAPE = BodyShape(
    name="nova",
    source="https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html",
    rank=15,
    models=("amazon.nova-pro-v1:0", "amazon.nova-lite-v1:0", "amazon.nova-micro-v1:0"),
    request=RequestShape(_Request, _accepts, _read),
)
