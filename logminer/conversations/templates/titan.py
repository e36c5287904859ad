r"""Titan Text: `User: ...\nBot:` in turn, most often a single turn. Plain text without labels is common too.

The string has to begin with `User:`, or with system text and a blank line before it, as LangChain writes it,
and to end with an open and empty `Bot:`. Titan has no prefill: text after the last label means that the
string is about a conversation. What is stripped and why is said in `labels`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
"""

from __future__ import annotations

import re

from logminer.conversations.parts import Prompt
from logminer.conversations.templates.labels import parse_labelled
from logminer.conversations.templates.template import PromptTemplate

_LABEL = re.compile(r"\n(User|Bot):")


def _parse(text: str) -> Prompt | None:
    if not text.rstrip().endswith("\nBot:"):
        return None
    start = text.lstrip()
    if start.startswith("User:"):
        return parse_labelled("\n" + start, _LABEL, user="User")
    first = text.find("\nUser:")
    return parse_labelled(text, _LABEL, user="User") if first > 0 and text[first - 1] == "\n" else None


TEMPLATE = PromptTemplate(name="titan", rank=61, marker="\nBot:", parse=_parse)
