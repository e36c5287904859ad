"""Finds the words that Amazon Nova reserves, in any case and inside other words, as AWS's validator does.

The validator for Nova (aws-samples/amazon-nova-samples, customization/bedrock-finetuning) matches substrings,
so `Superuser:` counts. Its list misses `Thought:` and `[EOS]`, which the guide names; here both count.
"""

from __future__ import annotations

import re

from logminer.teachers import RESERVED_WORDS

_WORDS = tuple(word.lower().encode() for word in RESERVED_WORDS)


def _any_of(words: list[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(words), re.IGNORECASE)


# All labels end with a colon: a pattern that starts there is searched for several times faster.
_LABEL = _any_of([b":(?<=%s)" % word for word in _WORDS if word.endswith(b":")])
_TAG = _any_of([re.escape(word) for word in _WORDS if word.startswith(b"<")])
_BRACKETED = _any_of([re.escape(word) for word in _WORDS if word.startswith(b"[")])


def has_reserved_word(text: bytes) -> bool:
    """Whether the UTF-8 text holds a reserved word."""
    # A search for one character takes next to no time and spares most texts the search for the words.
    return bool(
        (b":" in text and _LABEL.search(text))
        or (b"<" in text and _TAG.search(text))
        or (b"[" in text and _BRACKETED.search(text))
    )
