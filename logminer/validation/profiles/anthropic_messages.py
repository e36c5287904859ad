r"""Fine-tuning of Claude 3 Haiku: messages whose content is a string.

AWS's script refuses texts with `\nHuman:` or `\nAssistant:`, and estimates three characters for a token.
Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html and
custom-models/bedrock-fine-tuning/claude-haiku/DataValidation of aws-samples/amazon-bedrock-samples.
"""

from __future__ import annotations

from functools import partial

from logminer.validation.chat import inspect_anthropic, may_be_forbidden_by_claude
from logminer.validation.plans import chat_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.strict_rules import severities
from logminer.validation.values import surely_within

_MAX_TOKENS = 32_000
_GIB = 1024**3

PROFILE = Profile(
    name="anthropic-messages",
    summary="fine-tuning of Claude 3 Haiku",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    severities=severities(
        *("unknown_key", "message_count", "unknown_role", "role_order", "last_role"),
        *("blank_text", "forbidden_text", "too_many_tokens"),
    ),
    inspect=partial(inspect_anthropic, _MAX_TOKENS),
    quick=chat_plan(may_be_forbidden_by_claude, max_line_bytes=surely_within(_MAX_TOKENS)),
    bounds=Bounds(32, 10_000, 10 * _GIB),
    held_out=Bounds(32, 1_000, 1 * _GIB),
)
