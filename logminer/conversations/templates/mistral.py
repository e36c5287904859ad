"""Mistral: `<s>[INST] user [/INST] answer</s>[INST] ... [/INST]`.

Releases since Large 2411 put the system text in front, between `[SYSTEM_PROMPT]` and `[/SYSTEM_PROMPT]`;
before that it was part of the first instruction, and stays there. Prompts that offer or call tools with the
control tokens are left whole. What is stripped and why is said in `instructions`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import functools

from logminer.conversations.templates.instructions import (
    INSTRUCTION_TOKENS,
    instruction_cutter,
    parse_instructions,
)
from logminer.conversations.templates.template import PromptTemplate

_SYSTEM_TOKENS = ("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")
_TOOL_TOKENS = (
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
)
_CUTTER = instruction_cutter(_SYSTEM_TOKENS, "(?:SsI|I)A(?:IA)*")

TEMPLATE = PromptTemplate(
    name="mistral",
    rank=21,
    marker="[INST]",
    parse=functools.partial(parse_instructions, _CUTTER),
    special_tokens=(*INSTRUCTION_TOKENS, *_SYSTEM_TOKENS, *_TOOL_TOKENS),
)
