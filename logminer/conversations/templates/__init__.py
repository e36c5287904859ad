"""Prompt templates: raw prompt strings unpacked into system text and turns.

One module per template, each with a `TEMPLATE`. A string is unpacked only when the whole of it parses, from
its first character to an open assistant turn at its end; else it is one user turn, and special tokens that
stay in it make the record `bad_turns`, for they would teach the student to write them.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable

from logminer.conversations.parts import Prompt, Turn
from logminer.conversations.templates.template import PromptTemplate
from logminer.entries import collect_entries


@functools.cache
def prompt_templates() -> tuple[PromptTemplate, ...]:
    """All templates, in the order in which they are tried. Two of one name are refused."""
    found = collect_entries(__name__, "TEMPLATE", PromptTemplate)
    return tuple(sorted(found.values(), key=lambda template: (template.rank, template.name)))


def unpack_prompt(text: str) -> Prompt:
    """The prompt that a raw string holds: its turns where a template fits, else one user turn.

    A template does not fit where a special token, its own or another's, would stay in a text: then either
    somebody wrote about templates or tried to write a turn in another's name, and the string stays whole.
    """
    for template in prompt_templates():
        if template.marker in text:
            prompt = template.parse(text)
            if prompt is not None and not _keeps_special_token(prompt):
                prompt.template = template.name
                return prompt
    return Prompt(turns=[Turn("user", [text])])


@functools.cache
def special_tokens() -> tuple[str, ...]:
    """Tokens of all templates that have no place in the text of a turn."""
    return tuple(sorted({token for template in prompt_templates() for token in template.special_tokens}))


def find_special_token(text: str) -> str | None:
    """A special token of any template that stands in `text`; None where there is none."""
    for first, search in _token_searches():
        # Looking for a single character takes a fraction of the time that a pattern takes.
        found = search(text) if first in text else None
        if found is not None:
            return found.group()
    return None


def holds_special_token(text: str) -> bool:
    """Whether any template's special token stands in `text`."""
    return find_special_token(text) is not None


@functools.cache
def _token_searches() -> tuple[tuple[str, Callable[[str], re.Match[str] | None]], ...]:
    """A search for each character that special tokens begin with.

    A pattern that begins with one literal character is looked for at the speed of memchr; one that begins
    with a choice of two is tried at every place of the text.
    """
    groups = itertools.groupby(special_tokens(), key=lambda token: token[0])
    return tuple(
        (
            first,
            re.compile(
                re.escape(first) + "(?:" + "|".join(re.escape(token[1:]) for token in tokens) + ")"
            ).search,
        )
        for first, tokens in groups
    )


def _keeps_special_token(prompt: Prompt) -> bool:
    texts = [piece for turn in prompt.turns for piece in turn.content if isinstance(piece, str)]
    return any(holds_special_token(text) for text in (*prompt.system, *texts))
