"""What the rules of all formats are made of: looks at one JSON value, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.curation.tokens import BYTES_PER_TOKEN, estimate_tokens
from logminer.reserved_words import has_reserved_word
from logminer.validation.json_lines import member_path
from logminer.validation.rules import Finding

_TYPE_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def wrong_type(path: str, value: Any, expected: str) -> Finding:
    """A value is not what it must be; `expected` has its article: `a string`."""
    name = next((name for kind, name in _TYPE_NAMES.items() if isinstance(value, kind)), "a number")
    return Finding("wrong_type", path, f"is {name}, must be {expected}")


def check_keys(
    value: dict[str, Any], path: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """Keys that are missing, and keys beside the allowed ones."""
    for key in required:
        if key not in value:
            yield Finding("missing_key", path, f"the key `{key}` is missing")
    for key in value:
        if key not in required and key not in optional:
            yield Finding("unknown_key", member_path(path, key), "the key is not part of the format")


def is_blank(text: str) -> bool:
    """Whether a text is empty or nothing but white space."""
    return not text or text.isspace()


def check_text(text: Any, path: str) -> Iterator[Finding]:
    """A text must be a string, and not blank."""
    if not isinstance(text, str):
        yield wrong_type(path, text, "a string")
    elif is_blank(text):
        yield Finding("blank_text", path, "blank text")


def check_reserved(text: Any, path: str) -> Iterator[Finding]:
    """A text must not have a word of Amazon Nova's prompt template."""
    if isinstance(text, str) and has_reserved_word(text.encode(errors="surrogatepass")):
        yield Finding("reserved_word", path, "has a word that Amazon Nova reserves")


def check_tokens(texts: list[Any], most: int | None) -> Iterator[Finding]:
    """The texts of a line must not have more tokens together than a model takes; they are estimated."""
    tokens = sum(estimate_tokens(text) for text in texts if isinstance(text, str))
    if most is not None and tokens > most:
        problem = f"has about {tokens:,} tokens (estimated), the most is {most:,}"
        yield Finding("too_many_tokens", "$", problem)


def surely_within(most_tokens: int | None) -> int | None:
    """So many bytes of a line have no more tokens than that, by the estimate."""
    return None if most_tokens is None else most_tokens * BYTES_PER_TOKEN


def items_of(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The items of a list with their paths; nothing of what is no list."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield f"{path}[{index}]", item
