"""The same prompt with the same answer, again: the first one stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.digests import answer_digest, digest_of, prompt_digest
from logminer.curation.options import RuleOptions
from logminer.curation.places import Place, key_at, name_at, place_of
from logminer.curation.rule import Dropped, Pairs, Rule

_NAME = "exact_duplicates"


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    ignore_spaces = RuleOptions(_NAME, options).switch("ignore_spaces")

    def find(pairs: Pairs) -> Iterator[Dropped]:
        """Holds a digest and a place for each different pair."""
        firsts: dict[bytes, Place] = {}
        later: list[tuple[Place, bytes]] = []
        for pair in pairs():
            prompt = prompt_digest(pair, ignore_spaces=ignore_spaces)
            digest = digest_of(prompt, answer_digest(pair, ignore_spaces=ignore_spaces))
            place = place_of(pair)
            first = firsts.setdefault(digest, place)
            if first is not place:
                firsts[digest] = min(first, place)
                later.append((max(first, place), digest))
        for place, digest in later:
            yield Dropped(key_at(place), "exact_duplicate", f"the same as {name_at(firsts[digest])}")

    return find


RULE = Rule(
    name=_NAME,
    about="drops pairs with the system prompt, messages and answer of an earlier pair; the earliest stays",
    reasons={"exact_duplicate": "prompt and answer are those of an earlier pair"},
    order=100,
    make=_make,
    options={"ignore_spaces": False},
)
