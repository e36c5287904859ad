"""From the curated pairs to those of each file: labelled examples joined in, sides parted, lines chosen."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from logminer.datasets.choosing import choose_places, no_values, strata_of
from logminer.datasets.curating import Draft
from logminer.datasets.funnel import Funnel, Stage, counted, reject
from logminer.datasets.grouping import cluster_pairs, conversation_key, group_pairs
from logminer.datasets.settings import DatasetSettings
from logminer.datasets.splitting import held_out_groups, held_out_lines, largest, split_warnings
from logminer.datasets.spool import PairSet, Spool
from logminer.errors import UsageError
from logminer.pairs import PromptResponsePair


@dataclass(frozen=True)
class Parted:
    """The pairs of the training file, and of the held-out file where there is one; `warnings` are sentences."""

    train: PairSet
    held_out: PairSet | None = None
    warnings: tuple[str, ...] = ()


def add_gold(draft: Draft, gold: Sequence[PromptResponsePair], folder: str, funnel: Funnel) -> Draft:
    """The draft with the labelled examples at its end; pairs of the log with the same prompt make room for them."""
    entered = len(draft.pairs)
    labelled = {_prompt(pair) for pair in gold}
    replaced = []
    for place, pair in draft.pairs.numbered():
        if _prompt(pair) in labelled:
            replaced.append(place)
            funnel.put(reject(pair, "gold", "prompt_of_gold", "a labelled example has the same prompt"))
    kept = draft.without(replaced)
    conversations = [kept.conversations[place] for place in kept.pairs.places]

    def joined() -> Iterator[PromptResponsePair]:
        yield from kept.pairs
        yield from gold

    spool = Spool(folder, joined())
    draft.pairs.spool.delete()
    dropped = {"prompt_of_gold": len(replaced)} if replaced else {}
    funnel.add(Stage("gold", entered, len(spool), dropped=dropped, made=len(gold)))
    return Draft(PairSet(spool), conversations + [conversation_key(pair) for pair in gold])


def _prompt(pair: PromptResponsePair) -> tuple[str | None, str]:
    return pair.system, pair.messages


def part(draft: Draft, settings: DatasetSettings, gold: int, funnel: Funnel) -> Parted:
    """Choose the pairs of each file. The last `gold` ones of the draft are labelled, and always in the training file."""
    pairs = draft.pairs
    if settings.max_lines is not None and gold > settings.max_lines:
        raise UsageError(
            f"there are {gold:,} labelled examples alone",
            where=f"--max {settings.max_lines}",
            fix="Raise it.",
        )
    facts = _facts(draft, settings)
    first_gold = len(pairs) - gold
    groups = _groups(draft, settings, facts)
    held = _held_out(pairs, settings, groups, range(first_gold, len(pairs)))
    free = [number for number in range(first_gold) if number not in held]
    size = None if settings.max_lines is None else settings.max_lines - gold
    train = [*facts.choose(free, size), *range(first_gold, len(pairs))]
    warnings = _cluster_warnings(facts)
    if settings.held_out is None:
        return _report(pairs, funnel, train, None, held, warnings)
    lines = held_out_lines(settings.held_out, settings.max_lines)
    held_out = facts.choose(sorted(held), lines)
    warnings += split_warnings(groups, len(held), len(held_out), settings.held_out, lines)
    return _report(pairs, funnel, train, held_out, held, warnings)


@dataclass(frozen=True)
class _Facts:
    """What a choice asks of each pair, by its number in the draft."""

    hashes: list[str]
    clusters: list[str] | None
    strata: list[tuple[str | int | None, ...]] | None
    diverse: bool

    def choose(self, numbers: Sequence[int], size: int | None) -> list[int]:
        chosen = choose_places(
            [self.hashes[number] for number in numbers],
            size,
            strata=[self.strata[number] for number in numbers] if self.strata is not None else None,
            clusters=[self.clusters[number] for number in numbers]
            if self.clusters is not None and self.diverse
            else None,
        )
        return [numbers[each] for each in chosen]


def _facts(draft: Draft, settings: DatasetSettings) -> _Facts:
    pairs = draft.pairs
    needs_clusters = settings.diverse or settings.held_out is not None
    return _Facts(
        hashes=pairs.each(lambda pair: pair.pair_hash or pair.prompt_hash),
        clusters=cluster_pairs(pairs) if needs_clusters else None,
        strata=strata_of(pairs, settings.stratify) if settings.stratify else None,
        diverse=settings.diverse,
    )


def _cluster_warnings(facts: _Facts) -> list[str]:
    most = largest(facts.clusters) if facts.clusters is not None and facts.diverse else 0
    if not most:
        return []
    cluster = f"{most:,} of {len(facts.hashes):,} prompts are one cluster of similar ones"
    return [f"{cluster}, of which --diverse takes few; instructions that users' turns repeat count."]


def _groups(draft: Draft, settings: DatasetSettings, facts: _Facts) -> list[int]:
    """The group of each pair, where a split asks for it. Raises UsageError for a session key that no pair has."""
    if settings.held_out is None:
        return []
    assert facts.clusters is not None
    session = settings.session
    if session is not None and not any(session in pair.request_metadata for pair in draft.pairs):
        raise no_values(draft.pairs, session, "--session")
    conversations = [draft.conversations[place] for place in draft.pairs.places]
    return group_pairs(draft.pairs, facts.clusters, conversations, session)


def _held_out(pairs: PairSet, settings: DatasetSettings, groups: list[int], gold: range) -> set[int]:
    """The numbers of the pairs on the held-out side."""
    if settings.held_out is None:
        return set()
    hashes = pairs.each(lambda pair: pair.prompt_hash)
    in_training = {groups[number] for number in gold}
    held = held_out_groups(groups, hashes, settings.held_out, in_training=in_training)
    return {number for number, group in enumerate(groups) if group in held}


def _report(
    pairs: PairSet,
    funnel: Funnel,
    train: list[int],
    held_out: list[int] | None,
    side: set[int],
    warnings: Sequence[str],
) -> Parted:
    """Tell the funnel which pairs are in no file."""
    written = {*train, *(held_out or ())}
    reasons: Counter[str] = Counter()
    if len(written) < len(pairs):
        for number, pair in enumerate(pairs):
            if number not in written:
                reason = "beyond_held_out" if number in side else "beyond_max"
                reasons[reason] += 1
                funnel.put(reject(pair, "choice", reason, ""))
    funnel.add(Stage("choice", len(pairs), len(written), dropped=counted(reasons)))
    held = _subset(pairs, held_out) if held_out is not None else None
    return Parted(_subset(pairs, train), held, tuple(warnings))


def _subset(pairs: PairSet, numbers: Sequence[int]) -> PairSet:
    return PairSet(pairs.spool, array("I", (pairs.places[number] for number in numbers)))
