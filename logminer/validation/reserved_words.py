"""Finds the words that Amazon Nova reserves, in any case and inside other words, as AWS's validator does.

The validator for Nova (aws-samples/amazon-nova-samples, customization/bedrock-finetuning) matches substrings,
so `Superuser:` counts. Its list misses `Thought:` and `[EOS]`, which the guide names; here both count.
"""

from __future__ import annotations

import re

from logminer.teachers import RESERVED_WORDS

_WORDS = tuple(word.lower().encode() for word in RESERVED_WORDS)
_LABELS = tuple(word for word in _WORDS if word.endswith(b":"))
_LONGEST_LABEL = max(map(len, _LABELS))
_COLONS_TRIED = 8


def _any_of(words: list[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(words), re.IGNORECASE)


_LABEL = _any_of([b":(?<=%s)" % word for word in _LABELS])
_TAG = _any_of([re.escape(word) for word in _WORDS if word.startswith(b"<")])
_BRACKETED = _any_of([re.escape(word) for word in _WORDS if word.startswith(b"[")])


def has_reserved_word(text: bytes) -> bool:
    """Whether the UTF-8 text holds a reserved word."""
    # A search for one character takes next to no time and spares most texts the search for the words.
    if (b"<" in text and _TAG.search(text)) or (b"[" in text and _BRACKETED.search(text)):
        return True
    return b":" in text and _has_label(text)


def _has_label(text: bytes) -> bool:
    # Prose has few colons, and looking at each is faster than one pass of the regex; code has many.
    colon = text.find(b":")
    for _ in range(_COLONS_TRIED):
        if colon < 0:
            return False
        start = max(colon + 1 - _LONGEST_LABEL, 0)
        if text[start : colon + 1].lower().endswith(_LABELS):
            return True
        colon = text.find(b":", colon + 1)
    return colon >= 0 and _LABEL.search(text, colon) is not None
