"""One prompt that was answered differently: a student cannot learn both answers.

Pairs with the answer that stays all stay; that they are the same is a matter for exact_duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from logminer.curation.digests import answer_digest, prompt_digest
from logminer.curation.options import RuleOptions
from logminer.curation.places import Place, name_at, place_of
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.pairs import PromptResponsePair

_NAME = "conflicting_answers"
_COMPARED = {"newest": "newer", "longest": "longer"}
_KEEP = (*_COMPARED, "drop")


class _Answer(NamedTuple):
    """An answer to a prompt; the greatest stays. `length` is 0 where only time counts."""

    length: int
    place: Place
    digest: bytes


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    keep = RuleOptions(_NAME, options).one_of("keep", _KEEP)

    def find(pairs: Pairs) -> Iterator[Dropped]:
        """Goes through the pairs twice; holds two digests and a place for each different prompt."""
        staying = _staying_answers(pairs, by_length=keep == "longest")
        for pair in _answered(pairs):
            stays = staying.get(prompt_digest(pair))
            if stays is None:
                continue
            if keep == "drop":
                yield Dropped(pair.key, "conflicting_answer", "its prompt has several answers")
            elif answer_digest(pair) != stays.digest:
                evidence = f"a {_COMPARED[keep]} answer is in {name_at(stays.place)}"
                yield Dropped(pair.key, "conflicting_answer", evidence)

    return find


def _answered(pairs: Pairs) -> Iterator[PromptResponsePair]:
    return (pair for pair in pairs() if pair.response is not None)


def _staying_answers(pairs: Pairs, *, by_length: bool) -> dict[bytes, _Answer]:
    """The greatest answer to each prompt that has several different ones, by the prompt's digest."""
    greatest: dict[bytes, _Answer] = {}
    contested: set[bytes] = set()
    for pair in _answered(pairs):
        prompt = prompt_digest(pair)
        length = len(pair.response or "") if by_length else 0
        answer = _Answer(length, place_of(pair), answer_digest(pair))
        before = greatest.setdefault(prompt, answer)
        if before.digest != answer.digest:
            contested.add(prompt)
        greatest[prompt] = max(before, answer)
    return {prompt: greatest[prompt] for prompt in contested}


RULE = Rule(
    name=_NAME,
    about="drops other answers to the same system prompt and messages; the newest stays, or the longest, or none",
    reasons={"conflicting_answer": "the same prompt has a different answer that stays, or none of them does"},
    order=110,
    make=_make,
    options={"keep": "newest"},
)
