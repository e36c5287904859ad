"""Which pairs belong together, so that a split leaks nothing and a choice spreads.

Pairs of one group have the same prompt, or are near duplicates, or belong to one conversation, or have the same value
of a session key, or are joined by others that do.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from logminer.curation.clusters import cluster_of
from logminer.curation.groups import Groups
from logminer.datasets.spool import PairSet
from logminer.pairs import PromptResponsePair

_decode_turns = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def conversation_key(pair: PromptResponsePair) -> bytes | None:
    """What all records of one conversation share: its first question and the first answer to it.

    A chat is logged again at each turn with all that was said before. None for a prompt that nobody answered.
    """
    turns = _decode_turns(pair.messages)
    digest = blake2b(turns[0]["content"], digest_size=16)
    if len(turns) > 1:
        answer = bytes(turns[1]["content"])
    elif pair.response is not None:
        answer = msgspec.json.encode([{"text": pair.response}])
    else:
        return None
    digest.update(b"\0" + answer)
    return digest.digest()


def group_pairs(
    pairs: PairSet, clusters: Sequence[str], conversations: Sequence[bytes | None], session: str | None
) -> list[int]:
    """The group of each pair, as the number of the pair that comes first in it.

    `clusters` and `conversations` have a value for each pair.
    """
    groups = Groups(len(pairs))
    groups.join_equal(clusters)
    groups.join_equal(conversations)
    groups.join_equal(pairs.each(lambda pair: pair.prompt_hash))
    if session is not None:
        groups.join_equal(pairs.each(lambda pair: pair.request_metadata.get(session)))
    return [groups.find(number) for number in range(len(pairs))]


def cluster_pairs(pairs: PairSet) -> list[str]:
    """The cluster of near duplicates of each pair, by the smallest prompt hash in it."""
    found = cluster_of(lambda: pairs)
    return pairs.each(lambda pair: found[pair.key])
