r"""Anthropic's text completions: optional system text, then `\n\nHuman: ...\n\nAssistant:` in turn.

The first label may stand at the very beginning without its line feeds. What is stripped and why is said in
`labels`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html
"""

from __future__ import annotations

import re

from logminer.conversations.parts import Prompt
from logminer.conversations.templates.labels import parse_labelled
from logminer.conversations.templates.template import PromptTemplate

_LABEL = re.compile(r"\n\n(Human|Assistant):")


def _parse(text: str) -> Prompt | None:
    start = text.lstrip()
    if start.startswith("Human:"):
        text = "\n\n" + start
    return parse_labelled(text, _LABEL, user="Human")


TEMPLATE = PromptTemplate(name="anthropic_legacy", rank=60, marker="\n\nAssistant:", parse=_parse)
