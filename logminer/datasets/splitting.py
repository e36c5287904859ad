"""Train and held-out: whole groups on one side, and on the same side tomorrow.

The side of a group follows from a hash of its first member alone, so what comes later changes no side; only a record
that joins two groups can bring one of them to the side of the older one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b

from logminer.printable import counted

_SCALE = 1 << 64
LARGE = 0.2
"""Warn of a group or cluster that holds more than this share of all pairs, and `_FEW` of them at least."""
_FEW = 20


def held_out_groups(
    groups: Sequence[int], hashes: Sequence[str], held_out: float | int, *, in_training: Collection[int] = ()
) -> set[int]:
    """The groups of the held-out side.

    `groups` has the group of each pair, `hashes` its prompt's hash. A share below 1 takes the groups whose own
    number lies below it. A number of lines takes the smallest of the shares 1/2, 1/4, 1/8 ... that holds so many, so
    that sides change only when the logs have doubled. Groups of `in_training` are never held out.
    """
    numbers = {group: _number(hashes[group]) for group in dict.fromkeys(groups) if group not in in_training}
    share = held_out if held_out < 1 else _share_for(groups, numbers, int(held_out))
    return {group for group, number in numbers.items() if number < share}


def _share_for(groups: Sequence[int], numbers: dict[int, float], lines: int) -> float:
    at = sorted(numbers[group] for group in groups if group in numbers)
    share = 0.5
    while lines <= len(at) and at[lines - 1] < share / 2:
        share /= 2
    return share


def _number(prompt_hash: str) -> float:
    """A number from 0 up to 1 that follows from a hash, and not from the order that a choice takes pairs in."""
    digest = blake2b(prompt_hash.encode(), digest_size=8, person=b"held-out").digest()
    return int.from_bytes(digest) / _SCALE


def held_out_lines(held_out: float | int, train_lines: int | None) -> int | None:
    """How many lines the held-out file gets beside a training file of at most so many; None for all of its side."""
    if held_out >= 1:
        return int(held_out)
    if train_lines is None:
        return None
    return max(1, round(train_lines * held_out / (1 - held_out)))


def split_warnings(
    groups: Sequence[int], side: int, written: int, held_out: float | int, lines: int | None
) -> Iterator[str]:
    """What is odd about a split, in sentences.

    `groups` has the group of each pair, `side` counts the pairs on the held-out side, `written` those of them that
    are written, `lines` those that were to be.
    """
    most, number = largest(groups), len(groups)
    if most:
        yield (
            f"{most:,} of {number:,} pairs hang together, as near duplicates, conversations or a session, "
            "and are all on one side of the split."
        )
    if written == 0:
        yield "Nothing is held out: no group of pairs lies on that side."
    elif lines is not None and written < lines:
        yield f"Only {counted(written, 'line')} held out, not {lines:,}: that side has no more."
    elif held_out < 1 and _is_far(side, number * held_out):
        yield (
            f"{side:,} of {number:,} pairs ({side / number:.1%}) are on the held-out side, not {held_out:.1%}: "
            "groups go there as a whole."
        )


def largest(groups: Sequence[int | str]) -> int:
    """How many members the largest group has, where that is a large part of all; else 0."""
    most = max(Counter(groups).values(), default=0)
    return most if most > max(_FEW, LARGE * len(groups)) else 0


def _is_far(found: int, wanted: float) -> bool:
    """Whether chance alone hardly explains the difference."""
    return wanted >= _FEW and abs(found - wanted) > wanted / 2
