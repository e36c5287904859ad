"""What a curation rule is: it looks at pairs and says which to drop, why, and what shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from logminer.pairs import PromptResponsePair


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A pair that a rule drops. `reason` is a word of the rule's list.

    `evidence` is short: which twin was kept, which phrase of the rule's own list was found, a number beside its
    limit; never more of the prompt or the response than that phrase.
    """

    key: tuple[str, int]
    reason: str
    evidence: str


# The pairs that are left, in the order of the store, as often as a rule asks.
Pairs = Callable[[], Iterable[PromptResponsePair]]


@dataclass(frozen=True)
class Rule:
    """One curation rule, made from its options and applied to all pairs.

    `options` are the names of what can be set with their defaults; `make` is given values for all of them (raises
    UsageError for bad ones) and returns what finds the pairs to drop. That function may go through the pairs several
    times, holds digests and no texts, and depends on nothing but the pairs. `order` says when it runs: rules run
    one after the other, smallest first, each on what those before have kept. A rule with `report_only` drops
    nothing unless it is asked to.
    """

    name: str
    about: str
    reasons: Mapping[str, str]
    order: int
    make: Callable[[Mapping[str, Any]], Callable[[Pairs], Iterator[Dropped]]]
    options: Mapping[str, Any]
    report_only: bool = False
