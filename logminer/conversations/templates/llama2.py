"""Llama 2: `<s>[INST] <<SYS>>...<</SYS>> user [/INST] answer </s><s>[INST] ... [/INST]`.

The system text stands in the first instruction, or before it, as LangChain writes it. A prompt without
system text looks like Mistral's and is called so: both give the same turns. What is stripped and why is said
in `instructions`.
Source: https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-2/
"""

from __future__ import annotations

import functools

from logminer.conversations.templates.instructions import (
    INSTRUCTION_TOKENS,
    instruction_cutter,
    parse_instructions,
)
from logminer.conversations.templates.template import PromptTemplate

_SYSTEM_TOKENS = ("<<SYS>>", "<</SYS>>")
_CUTTER = instruction_cutter(_SYSTEM_TOKENS, "(?:SsI|ISs)A(?:IA)*")

TEMPLATE = PromptTemplate(
    name="llama2",
    rank=20,
    marker="<<SYS>>",
    parse=functools.partial(parse_instructions, _CUTTER),
    special_tokens=(*INSTRUCTION_TOKENS, *_SYSTEM_TOKENS),
)
