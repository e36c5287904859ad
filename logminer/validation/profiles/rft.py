"""Reinforcement fine-tuning: chat messages that end with the prompt, and a reference answer for the reward.

Other keys may stand beside: the reward function is given the whole line. Sources:
https://docs.aws.amazon.com/bedrock/latest/userguide/rft-prepare-data.html and the validator of
aws-samples/amazon-nova-samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.validation.chat import check_openai_messages, check_tool_list
from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, check_text, wrong_type


def _inspect(value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("messages", "reference_answer"), tuple(value))
    yield from check_openai_messages(value)
    yield from check_tool_list(value)
    answer = value.get("reference_answer", {})
    if not isinstance(answer, dict | list):
        yield from check_text(answer, "$.reference_answer")
    yield from _no_answer(value.get("messages"))


def _no_answer(messages: Any) -> Iterator[Finding]:
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") == "assistant":
        place = f"$.messages[{len(messages) - 1}].role"
        yield Finding("last_role", place, "ends with an answer, though the model is to give it", _END)


_END = "End with the user's message; the answer goes to reference_answer."

PROFILE = Profile(
    name="rft",
    summary="reinforcement fine-tuning with reference answers",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/rft-prepare-data.html",
    severities=severities(
        *("message_count", "content_items", "unknown_role", "blank_text", "tool_id", "last_role")
    ),
    inspect=_inspect,
    bounds=Bounds(100, 20_000),
    held_out=Bounds(None, 20_000),
)
