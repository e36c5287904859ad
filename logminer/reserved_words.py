"""Finds the words that Amazon Nova reserves, in any case and inside other words, as AWS's validator does.

The validator for Nova (aws-samples/amazon-nova-samples, customization/bedrock-finetuning) matches substrings,
so `Superuser:` counts. Its list misses `Thought:` and `[EOS]`, which the guide names; here both count.
"""

from __future__ import annotations

import re

from logminer.teachers import RESERVED_WORDS

_SPELLINGS = {word.lower().encode(): word for word in RESERVED_WORDS}


def _any_of(words: list[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(words), re.IGNORECASE)


# All labels end with a colon: a pattern that starts there is searched for several times faster.
_LABEL = _any_of([b":(?<=(%s))" % word for word in _SPELLINGS if word.endswith(b":")])
_TAG = _any_of([re.escape(word) for word in _SPELLINGS if word.startswith(b"<")])
_BRACKETED = _any_of([re.escape(word) for word in _SPELLINGS if word.startswith(b"[")])


def has_reserved_word(text: bytes) -> bool:
    """Whether the UTF-8 text holds a reserved word."""
    return _search(text) is not None


def find_reserved_word(text: bytes) -> str | None:
    """A reserved word in the UTF-8 text, as the guide spells it. Labels come before tags."""
    found = _search(text)
    if found is None:
        return None
    word = next((group for group in found.groups() if group), found.group())
    return _SPELLINGS[word.lower()]


def _search(text: bytes) -> re.Match[bytes] | None:
    # A search for one character takes next to no time and spares most texts the search for the words.
    return (
        (_LABEL.search(text) if b":" in text else None)
        or (_TAG.search(text) if b"<" in text else None)
        or (_BRACKETED.search(text) if b"[" in text else None)
    )
