"""How a string is cut at a template's tokens, and how its open last turn ends a prompt.

Every token becomes one letter, and one regular expression over these letters says which orders are a
conversation. So the whole string is checked at once, no text can hide a token of its own template, and the
time is linear in the string: the expressions run over the letters and never over a caller's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from logminer.conversations.parts import Prompt, Turn

BEFORE_FIRST = "^"


class TokenCutter:
    """Cuts strings at the tokens of one template.

    `letters` gives each token its letter; tokens that mean the same share one. `layout` is the expression
    that the letters of a whole string have to match.
    """

    def __init__(self, letters: Mapping[str, str], layout: str) -> None:
        self._letters = dict(letters)
        self._token = re.compile("(" + "|".join(map(re.escape, self._letters)) + ")")
        self._layout = re.compile(layout)

    def cut(self, text: str) -> list[tuple[str, str]] | None:
        """The letters in order, each with the text from its token to the next; None where the order is wrong.

        The first pair is `BEFORE_FIRST` with the text before the first token.
        """
        pieces = self._token.split(text)
        letters = "".join([self._letters[token] for token in pieces[1::2]])
        if self._layout.fullmatch(letters) is None:
            return None
        return list(zip(BEFORE_FIRST + letters, pieces[::2], strict=True))


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space, as libraries put it between turns."""
    return not text or text.isspace()


def close_prompt(prompt: Prompt, prefill: str) -> Prompt | None:
    """The prompt with its open assistant turn, unless that follows nothing that the user said.

    After a closed turn of the assistant's it would be read as the end of that turn.
    """
    if not prompt.turns or prompt.turns[-1].role != "user":
        return None
    if not is_blank(prefill):
        prompt.turns.append(Turn("assistant", [prefill]))
    return prompt
