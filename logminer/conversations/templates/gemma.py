"""Gemma: `<start_of_turn>user`, a line feed, the text, `<end_of_turn>`; the assistant is called `model`.

Closed texts are stripped, because Gemma's own template strips every message. There is no system role: system
text is part of the first user turn, and stays there.
Source: https://ai.google.dev/gemma/docs/core/prompt-structure
"""

from __future__ import annotations

from logminer.conversations.templates.role_lines import RoleLines
from logminer.conversations.templates.template import PromptTemplate

_LINES = RoleLines(
    start="<start_of_turn>",
    end="<end_of_turn>",
    roles={"user": "user", "model": "assistant"},
    begin="<bos>",
    trims=True,
)

TEMPLATE = PromptTemplate(
    name="gemma",
    rank=31,
    marker="<start_of_turn>",
    parse=_LINES.parse,
    special_tokens=("<start_of_turn>", "<end_of_turn>"),
)
