"""Chat messages as OpenAI's fine-tuning and most trainers outside of Bedrock read them.

Source: https://platform.openai.com/docs/guides/supervised-fine-tuning
"""

from __future__ import annotations

from logminer.validation.chat import ends_with_assistant, inspect_openai
from logminer.validation.plans import chat_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.strict_rules import severities

PROFILE = Profile(
    name="openai-chat",
    summary="chat messages, for trainers outside of Bedrock",
    source="https://platform.openai.com/docs/guides/supervised-fine-tuning",
    severities=severities(
        *("message_count", "content_items", "unknown_role", "blank_text", "tool_id"),
        unknown_key="warning",  # readers differ in what else they take
        last_role="warning",  # prompts alone are of use too
    ),
    inspect=inspect_openai,
    labelled=ends_with_assistant,
    quick=chat_plan(),
    bounds=Bounds(10, None, None),
    held_out=Bounds(None, None, None),
    mixed_note="fine-tuning needs an answer in every line",
)
