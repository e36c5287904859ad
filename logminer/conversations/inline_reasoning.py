"""Reasoning that some models write into their text, before the answer.

DeepSeek R1 ends it with `</think>`, and the opening tag may stand in the prompt's template and so be missing
from the answer. gpt-oss and Kimi write `<reasoning>...</reasoning>`.
"""

from __future__ import annotations

_TAGS = (("<think>", "</think>"), ("<reasoning>", "</reasoning>"))


def split_inline_reasoning(text: str) -> tuple[str, str]:
    """The reasoning and the rest of an answer; an answer that ended while reasoning has no rest.

    Only reasoning at the beginning counts. White space around the reasoning belongs to the tags.
    """
    if "<" not in text:  # as in nearly all; looking for one character takes next to no time
        return "", text
    for opening, closing in _TAGS:
        start = text.lstrip()
        has_opening = start.startswith(opening)
        if has_opening:
            start = start[len(opening) :]
        elif closing not in text or opening in text:
            continue
        reasoning, found, rest = start.partition(closing)
        if not found and not has_opening:
            continue
        return reasoning.strip(), rest.lstrip("\r\n")
    return "", text
