"""Drops pairs that say nothing: no letter and no digit in what the user asked last, or in the answer.

Letters and digits are those of Unicode, of any script; so an answer that is one emoji, or one tick, says nothing
here. Whoever trains on such answers leaves the rule out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.turns import read_turns
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.pairs import PromptResponsePair

# \w is what str.isalnum calls a letter or digit, by Unicode's categories, and the underscore. The four Hangul
# fillers are letters to Unicode, and nothing to the eye.
_SAYS_SOMETHING = re.compile("[^\\W_\u115f\u1160\u3164\uffa0]")


def find_blank(pair: PromptResponsePair) -> Fault | None:
    """The fault of a blank pair. A last turn with an image or a document in it is not blank."""
    turns = read_turns(pair.messages)
    if not turns or not turns[-1].other_blocks:
        asked = turns[-1].text if turns else ""
        if _SAYS_SOMETHING.search(asked) is None:
            return Fault("blank_prompt", _describe(asked))
    if pair.response is not None and _SAYS_SOMETHING.search(pair.response) is None:
        return Fault("blank_answer", _describe(pair.response))
    return None


def _describe(text: str) -> str:
    if not text or text.isspace():
        return "nothing but white space"
    return (
        f"{len(text)} signs, no letter and no digit" if len(text) > 1 else "one sign, no letter and no digit"
    )


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    return pair_by_pair(find_blank)


RULE = Rule(
    name="blank",
    about="drops pairs whose last question or whose answer has no letter and no digit",
    reasons={
        "blank_prompt": "the user's last turn has no letter and no digit",
        "blank_answer": "the answer has no letter and no digit",
    },
    order=10,
    make=_make,
    options={},
)
