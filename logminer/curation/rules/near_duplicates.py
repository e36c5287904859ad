"""Pairs that say nearly what an earlier pair says already.

Pairs are looked at from the earliest on. One that is alike to a pair that stays is dropped, so what is logged later
changes nothing about the earlier ones. System prompts are not compared: they are mostly the same, or carry the date.
Instructions that users' turns repeat do count: where a long template surrounds a short case, raise the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.minhash import Buckets, Sketches
from logminer.curation.options import RuleOptions
from logminer.curation.places import key_at, name_at, place_of
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.shingles import UNITS, Shingling
from logminer.curation.turns import all_text
from logminer.pairs import PromptResponsePair

_NAME = "near_duplicates"
_COMPARE = ("both", "prompt", "response")
_MOST_NGRAM = 100


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    given = RuleOptions(_NAME, options)
    threshold = given.share("threshold")
    if threshold == 0:
        given.refuse("threshold", "a number above 0")
    shingling = Shingling(_ngram(given), given.one_of("unit", UNITS))
    compared = given.one_of("compare", _COMPARE)

    def find(pairs: Pairs) -> Iterator[Dropped]:
        sketches = Sketches(threshold, parts=2 if compared == "both" else 1)
        for pair in pairs():
            texts = _texts(pair, compared)
            if any(texts):
                sketches.add(place_of(pair), [shingling.hashes(text) for text in texts])
        for copy, twin, similarity in near_copies(sketches):
            evidence = f"{similarity:.2f} like {name_at(sketches.places[twin])}"
            yield Dropped(key_at(sketches.places[copy]), "near_duplicate", evidence)

    return find


def _ngram(given: RuleOptions) -> int:
    ngram = given.whole_number("ngram", least=1)
    if ngram > _MOST_NGRAM:
        given.refuse("ngram", f"a whole number up to {_MOST_NGRAM}")
    return ngram


def _texts(pair: PromptResponsePair, compared: str) -> list[str]:
    texts = {"prompt": all_text(pair.messages), "response": pair.response or ""}
    return list(texts.values()) if compared == "both" else [texts[compared]]


def near_copies(sketches: Sketches) -> Iterator[tuple[int, int, float]]:
    """Pairs to drop, the one that stays in place of each, and how much they are alike; the earliest first."""
    buckets = Buckets(sketches)
    for text in sketches.in_order():
        own = buckets.of(text)
        twin = sketches.most_alike(text, buckets.members(own)) if own else None
        if twin is None:
            buckets.put(text, own)
        else:
            yield text, *twin


RULE = Rule(
    name=_NAME,
    about="drops pairs with nearly the prompt and the answer of an earlier pair that stays, as MinHash finds them",
    reasons={"near_duplicate": "nearly the same as an earlier pair"},
    order=120,
    make=_make,
    options={"threshold": 0.8, "ngram": 3, "unit": "words", "compare": "both"},
)
