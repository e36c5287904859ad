"""Prompt templates: raw prompt strings unpacked into system text and turns.

One module per template, each with a `TEMPLATE`. A string is unpacked only when the whole of it parses, from
its first character to an open assistant turn at its end; else it is one user turn, and special tokens that
stay in it make the record `bad_turns`, for they would teach the student to write them.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
import re

from logminer.conversations.parts import Prompt, Turn
from logminer.conversations.templates.template import PromptTemplate


@functools.cache
def prompt_templates() -> tuple[PromptTemplate, ...]:
    """All templates, in the order in which they are tried. Two of one name are refused."""
    found: dict[str, PromptTemplate] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        template = getattr(importlib.import_module(module.name), "TEMPLATE", None)
        if template is None:
            continue
        if template.name in found:
            raise RuntimeError(f"two prompt templates are called {template.name!r}")
        found[template.name] = template
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


def holds_special_token(text: str) -> bool:
    """Whether any template's special token stands in `text`."""
    # Looking for a character is many times faster than any search for words, and most texts have none.
    return any(first in text for first in _first_characters()) and _special_token().search(text) is not None


@functools.cache
def _first_characters() -> tuple[str, ...]:
    return tuple(sorted({token[0] for token in special_tokens()}))


@functools.cache
def _special_token() -> re.Pattern[str]:
    # Alternatives that share two characters are tried together: three to seven times as fast on HTML.
    groups = itertools.groupby(special_tokens(), key=lambda token: token[:2])
    return re.compile("|".join(_alternatives(start, list(tokens)) for start, tokens in groups))


def _alternatives(start: str, tokens: list[str]) -> str:
    return re.escape(start) + "(?:" + "|".join(re.escape(token[len(start) :]) for token in tokens) + ")"


def _keeps_special_token(prompt: Prompt) -> bool:
    texts = [piece for turn in prompt.turns for piece in turn.content if isinstance(piece, str)]
    return any(holds_special_token(text) for text in (*prompt.system, *texts))
