"""Which pairs are written where not all are: by hashes, so that the choice of yesterday stays while logs grow.

Within a stratum the pairs with the smallest hashes are taken; to be diverse, first one of each cluster of near
duplicates, then the second ones, and so on. Strata get shares in proportion to their size (largest remainders), and
each at least one line. More logs change a choice where a new pair has a smaller hash than one that was chosen, or
where the proportions of the strata shift.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from logminer.datasets.spool import PairSet
from logminer.errors import UsageError
from logminer.pairs import PromptResponsePair
from logminer.query.count import METADATA_PREFIX

_TEXT_COLUMNS = (
    "account_id", "region", "operation", "identity_arn", "model_id", "model", "stop_reason", "turns",
)  # fmt: skip
_COUNTED = ("input_tokens", "output_tokens")
LENGTH = "length"
"""Prompt and answer together, in powers of two of tokens (logged), or else of characters by four."""

Stratum = tuple[str | int | None, ...]


def strata_of(pairs: PairSet, keys: Sequence[str]) -> list[Stratum]:
    """The stratum of each pair: a value for each column or metadata key.

    Counts of tokens, and `length`, are taken in powers of two. `request_metadata.region` is the key and not the
    column. Raises UsageError for a key that no pair has, with one that looks alike.
    """
    read = [_reader(key) for key in keys]
    strata = pairs.each(lambda pair: tuple(value(pair) for value in read))
    for number, key in enumerate(keys):
        if strata and all(stratum[number] is None for stratum in strata):
            raise no_values(pairs, key, "--stratify", (*_TEXT_COLUMNS, *_COUNTED, LENGTH))
    return strata


def _reader(key: str) -> Callable[[PromptResponsePair], str | int | None]:
    if key == LENGTH:
        return _length
    if key in _COUNTED:
        return lambda pair: _power(getattr(pair, key))
    if key in _TEXT_COLUMNS:
        return lambda pair: getattr(pair, key)
    name = key.removeprefix(METADATA_PREFIX)
    return lambda pair: pair.request_metadata.get(name)


def _power(count: int | None) -> int | None:
    return None if count is None else max(count, 0).bit_length()


def _length(pair: PromptResponsePair) -> int | None:
    if pair.input_tokens is not None and pair.output_tokens is not None:
        return _power(pair.input_tokens + pair.output_tokens)
    return _power((len(pair.system or "") + len(pair.messages) + len(pair.response or "")) // 4)


def no_values(pairs: PairSet, key: str, option: str, columns: Sequence[str] = ()) -> UsageError:
    """What to say about a metadata key, or a column, that no pair has; with one that looks alike."""
    known = {name for pair in pairs for name in pair.request_metadata} | set(columns)
    near = difflib.get_close_matches(key, sorted(known), n=1)
    fix = f"Did you mean {near[0]!r}?" if near else "Keys are listed by: logminer keys"
    return UsageError(f"no pair has a value of {key!r}", where=option, fix=fix)


def choose_places(
    hashes: Sequence[str],
    size: int | None,
    *,
    strata: Sequence[Stratum] | None = None,
    clusters: Sequence[Hashable] | None = None,
) -> list[int]:
    """The numbers of the chosen ones of the pairs whose hashes are given, in ascending order.

    `size` None chooses all. `strata` and `clusters` have a value for each pair.
    """
    if size is None or size >= len(hashes):
        return list(range(len(hashes)))
    members: dict[Stratum, list[int]] = defaultdict(list)
    for number in range(len(hashes)):
        members[strata[number] if strata is not None else ()].append(number)
    shares = allocate({stratum: len(numbers) for stratum, numbers in members.items()}, size)
    chosen: list[int] = []
    for stratum, numbers in members.items():
        chosen += _in_order(numbers, hashes, clusters)[: shares[stratum]]
    return sorted(chosen)


def _in_order(
    numbers: Sequence[int], hashes: Sequence[str], clusters: Sequence[Hashable] | None
) -> list[int]:
    by_hash = sorted(numbers, key=lambda number: (hashes[number], number))
    if clusters is None:
        return by_hash
    taken: Counter[Hashable] = Counter()
    rounds: dict[int, int] = {}
    for number in by_hash:
        rounds[number] = taken[clusters[number]]
        taken[clusters[number]] += 1
    return sorted(by_hash, key=rounds.__getitem__)


def allocate(sizes: Mapping[Stratum, int], lines: int) -> dict[Stratum, int]:
    """How many lines each stratum gets, of `lines` in all, which are no more than there are members.

    In proportion, rounded by largest remainders, with at least one each as long as there are enough: the larger
    ones first, and of equally large ones the first by value.
    """
    total = sum(sizes.values())
    order = sorted(sizes, key=lambda stratum: (-sizes[stratum], _sortable(stratum)))
    if lines <= len(order):
        return {stratum: int(number < lines) for number, stratum in enumerate(order)}
    exact = {stratum: sizes[stratum] * lines / total for stratum in order}
    shares = {stratum: max(1, math.floor(exact[stratum])) for stratum in order}
    left = lines - sum(shares.values())
    # What small strata got too much is taken from those that have most beyond their due, the larger ones first.
    step = 1 if left > 0 else -1
    while left:
        for stratum in sorted(order, key=lambda stratum: step * (shares[stratum] - exact[stratum])):
            if left and 1 <= shares[stratum] + step <= sizes[stratum]:
                shares[stratum] += step
                left -= step
    return shares


def _sortable(stratum: Stratum) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, str(value)) for value in stratum)
