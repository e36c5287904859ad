"""Prompts that are alike, in groups: what a choice is spread over, and what a split must not part."""

from __future__ import annotations

from logminer.curation.groups import Groups
from logminer.curation.minhash import MOST_COMPARED, Buckets, Sketches
from logminer.curation.places import key_at, place_of
from logminer.curation.rule import Pairs
from logminer.curation.shingles import Shingling
from logminer.curation.turns import all_text


def cluster_of(pairs: Pairs, threshold: float = 0.7, ngram: int = 3) -> dict[tuple[str, int], str]:
    """The cluster of each pair: the `prompt_hash` of the cluster's earliest pair.

    Pairs whose prompts have a Jaccard index of `threshold` or more are in one cluster, and so are the neighbours of
    neighbours. System prompts are not compared. Pairs that come later make new clusters, join one, or join two to one;
    they change no other. A threshold so low that most pairs hang together gives a single cluster.
    """
    sketches, shingling = Sketches(threshold), Shingling(ngram)
    hashes: list[str] = []
    for pair in pairs():
        sketches.add(place_of(pair), [shingling.hashes(all_text(pair.messages))])
        hashes.append(pair.prompt_hash)
    groups = _joined(sketches)
    earliest: dict[int, str] = {}
    for text in sketches.in_order():
        earliest.setdefault(groups.find(text), hashes[text])
    return {key_at(place): earliest[groups.find(text)] for text, place in enumerate(sketches.places)}


def _joined(sketches: Sketches) -> Groups:
    groups, buckets = Groups(len(sketches)), Buckets(sketches)
    for text in sketches.in_order():
        own = buckets.of(text)
        if own:
            _join_alike(sketches, groups, text, buckets.members(own))
            buckets.put(text, own)
    return groups


def _join_alike(sketches: Sketches, groups: Groups, text: int, others: set[int]) -> None:
    """Join a text with those it is alike to; who belongs together already needs no comparison."""
    compared = 0
    for other in sketches.nearest(text, others):
        if groups.find(other) == groups.find(text):
            continue
        if sketches.similarity(text, other) >= sketches.threshold:
            groups.join(text, other)
        compared += 1
        if compared == MOST_COMPARED:
            break
