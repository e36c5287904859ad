"""Rules that judge each pair by itself: one look at a pair, one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from logminer.curation.rule import Dropped, Pairs
from logminer.pairs import PromptResponsePair


class Fault(NamedTuple):
    """Why a rule drops a pair; as in `Dropped`."""

    reason: str
    evidence: str


Judge = Callable[[PromptResponsePair], Fault | None]


def pair_by_pair(judge: Judge) -> Callable[[Pairs], Iterator[Dropped]]:
    """What finds the pairs that `judge` has a fault for, in one pass and in their order."""

    def find_drops(pairs: Pairs) -> Iterator[Dropped]:
        for pair in pairs():
            fault = judge(pair)
            if fault is not None:
                yield Dropped(pair.key, fault.reason, fault.evidence)

    return find_drops


def answer_by_answer(judge: Callable[[str], Fault | None]) -> Callable[[Pairs], Iterator[Dropped]]:
    """The same for what looks at the answer's text alone; a prompt without an answer has no fault."""
    return pair_by_pair(lambda pair: judge(pair.response) if pair.response is not None else None)
