"""What Anthropic's and Titan's old templates share: turns told by plain words at the beginning of a line.

The labels are words that people write too, so a string counts as a conversation only when the turns alternate
from the first label to an open assistant turn at the end. White space around every closed text is stripped:
callers pad these labels with spaces and line feeds as they like. A prefill that goes over a blank line is not
taken for one: the string is then more likely a text about a conversation, with the question at its end.
"""

from __future__ import annotations

import re

from logminer.conversations.parts import Prompt, Turn
from logminer.conversations.templates.cutting import close_prompt, is_blank


def parse_labelled(text: str, label: re.Pattern[str], user: str) -> Prompt | None:
    """The prompt that `text` holds; None where the turns do not alternate up to an open assistant turn.

    `label` matches a separator and a label, with the label's word as its one group; `user` is the word of the
    user's label. Text before the first label is system text. Of a prefill one leading space or line feed is
    taken off.
    """
    system, *pieces = label.split(text)
    words, texts = pieces[::2], pieces[1::2]
    if len(words) % 2 or set(words[::2]) != {user} or user in words[1::2]:
        return None
    prompt = Prompt()
    if not is_blank(system):
        prompt.system.append(system.strip())
    *closed, prefill = texts
    if "\n\n" in prefill.strip():
        return None
    for number, piece in enumerate(closed):
        prompt.turns.append(Turn("assistant" if number % 2 else "user", [piece.strip()]))
    return close_prompt(prompt, prefill[1:] if prefill.startswith((" ", "\n")) else prefill)
