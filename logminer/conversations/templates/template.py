"""What a prompt template is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logminer.conversations.parts import Prompt


@dataclass(frozen=True)
class PromptTemplate:
    """A template by which callers write a whole conversation into one string.

    `marker` is a string that every prompt of this template contains; `parse` gives the prompt, or None where
    any part of the text does not fit. A non-empty open assistant turn at the end (a prefill) is the prompt's
    last turn; an empty one is no turn. `special_tokens` are tokens that mean something to the model and are
    never a person's words (so not `<s>`, which is HTML too). `rank` decides the order of trying.
    """

    name: str
    rank: int
    marker: str
    parse: Callable[[str], Prompt | None]
    special_tokens: tuple[str, ...] = ()
