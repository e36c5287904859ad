"""Which texts of very many are alike, without comparing each with each.

Alike is measured by the Jaccard index of two texts' shingles: how many they have in common, of all that either has.
A text's MinHash signature (Broder 1997, here the one of the package rensa) is `SLOTS` numbers; two texts agree in a
share of them that is about their Jaccard index. Bands of these numbers are looked up: texts that agree in a whole
band are candidates (locality-sensitive hashing, Leskovec and others, "Mining of Massive Datasets", chapter 3), and
what the index says about a candidate decides. It is exact for texts of up to `KEPT` different shingles, and within
0.04 (two standard deviations) beyond.

Memory: for each pair about 600 bytes, eight more a band, and four for each shingle, of `KEPT` at most.
"""

from __future__ import annotations

import itertools
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from logminer.curation.places import Place

SLOTS = 256
KEPT = 512
"""The shingles of a text that are remembered: those with the smallest hashes, a fair sample of all."""

_SEED = 20260604
_SURENESS = 0.995
"""How likely a pair right at the threshold becomes a candidate; those above it are ever surer."""
_MARGINS = 4
"""Candidates whose signatures say less than the threshold by so many standard deviations are not compared."""
MOST_COMPARED = 32
"""Of more candidates only these many are compared, the nearest."""
_MOST_IN_BUCKET = 64

_BATCH_TEXTS, _BATCH_HASHES = 256, 1 << 18
_pack = struct.Struct(f"<{SLOTS}I").pack
_OTHER_PART = 0x9E3779B97F4A7C15
"""Keeps a shingle of the answer from being the same as one of the prompt."""


def banding(threshold: float) -> tuple[int, int]:
    """Numbers in a band, and bands: the longest bands that still find nearly all pairs at the threshold.

    Texts with the index s agree in a band of r numbers with probability s^r, in one of b bands with 1 - (1 - s^r)^b.
    """
    for rows in range(SLOTS, 1, -1):
        bands = SLOTS // rows
        if 1 - (1 - threshold**rows) ** bands >= _SURENESS:
            return rows, bands
    return 1, SLOTS


class _Samples:
    """For each text the upper halves of its smallest shingle hashes, in ascending order."""

    def __init__(self) -> None:
        self._values = array("I")
        self._ends = array("Q", [0])
        self._is_whole = bytearray()
        self._latest: tuple[int, set[int]] = (-1, set())

    def append(self, hashes: set[int]) -> None:
        self._values.extend([value >> 32 for value in sorted(hashes)[:KEPT]])
        self._ends.append(len(self._values))
        self._is_whole.append(len(hashes) <= KEPT)

    def jaccard(self, left: int, right: int) -> float:
        """The index of two texts; 1 for two without any shingle. Quickest with the same `left` again and again."""
        a, b = self._sample(left), self._sample(right)
        if self._is_whole[left] and self._is_whole[right]:
            return _index(self._set_of(left), b)
        # Above the last of a sample that goes no further, the other one has nothing to be compared with.
        last = min(sample[-1] for sample, text in ((a, left), (b, right)) if not self._is_whole[text])
        return _index(set(a[: bisect_right(a, last)]), b[: bisect_right(b, last)])

    def _set_of(self, text: int) -> set[int]:
        if self._latest[0] != text:
            self._latest = (text, set(self._sample(text)))
        return self._latest[1]

    def _sample(self, text: int) -> array[int]:
        return self._values[self._ends[text] : self._ends[text + 1]]


def _index(left: set[int], right: array[int]) -> float:
    common = len(left.intersection(right))
    return common / (len(left) + len(right) - common) if left or right else 1.0


class Sketches:
    """What is remembered of pairs, each by its number in the order they were added in.

    A pair has one or several parts, such as prompt and answer. Two pairs are alike where each part is.
    """

    def __init__(self, threshold: float, parts: int = 1) -> None:
        self.threshold = threshold
        self.places: list[Place] = []
        self._rows, bands = banding(threshold)
        self._band_keys = [array("q") for _ in range(bands)]
        self._low_bytes: list[int] = []
        self._parts = [_Samples() for _ in range(parts)]
        self._waiting: list[list[int]] = []
        self._waiting_hashes = 0
        deviation = (threshold * (1 - threshold) / SLOTS) ** 0.5
        # Two low bytes that are not the same differ in four of their eight bits.
        self._most_bits = round((1 - threshold + _MARGINS * deviation) * 4 * SLOTS)

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: Place, parts: Sequence[set[int]]) -> None:
        """Remember a pair by the shingle hashes of its parts."""
        self.places.append(place)
        for samples, hashes in zip(self._parts, parts, strict=True):
            samples.append(hashes)
        hashes_of_all = list(parts[0])
        for number, hashes in enumerate(parts[1:], start=1):
            hashes_of_all += [value ^ (number * _OTHER_PART) for value in hashes]
        self._waiting.append(hashes_of_all)
        self._waiting_hashes += len(hashes_of_all)
        if len(self._waiting) >= _BATCH_TEXTS or self._waiting_hashes >= _BATCH_HASHES:
            self._sign()

    def _sign(self) -> None:
        """Make the signatures of the pairs that wait for one."""
        from rensa import RMinHash

        rows = RMinHash.digest_matrix_from_token_hash_sets(self._waiting, SLOTS, _SEED).to_rows()
        width = 4 * self._rows
        for row in rows:
            packed = _pack(*row)
            self._low_bytes.append(int.from_bytes(packed[::4], "little"))
            for band, keys in enumerate(self._band_keys):
                keys.append(hash(packed[band * width : (band + 1) * width]))
        self._waiting, self._waiting_hashes = [], 0

    def in_order(self) -> list[int]:
        """All numbers in the order of the pairs' places, whatever order they were added in."""
        return sorted(range(len(self)), key=self.places.__getitem__)

    def buckets(self) -> tuple[list[array[int]], int]:
        """For each band the bucket that each pair is in, -1 where it is alone, and how many buckets there are.

        To be asked once, when all pairs are added.
        """
        if self._waiting:
            self._sign()
        numbers = itertools.count()
        columns = [_bucket_numbers(keys, numbers) for keys in self._band_keys]
        self._band_keys = []
        return columns, next(numbers)

    def similarity(self, left: int, right: int) -> float:
        """The Jaccard index of the part that is least alike."""
        return min(samples.jaccard(left, right) for samples in self._parts)

    def nearest(self, one: int, others: Iterable[int]) -> list[int]:
        """Those of the others whose signatures are near enough, the nearest first, then the earliest."""
        bits, low_bytes, most = self._low_bytes[one], self._low_bytes, self._most_bits
        near = [
            (differing, self.places[other], other)
            for other in others
            if (differing := (bits ^ low_bytes[other]).bit_count()) <= most
        ]
        return [other for _, _, other in sorted(near)]

    def most_alike(self, one: int, others: Iterable[int]) -> tuple[int, float] | None:
        """The nearest of the others that is alike, and how much; None where none of the `MOST_COMPARED` nearest is."""
        for other in self.nearest(one, others)[:MOST_COMPARED]:
            similarity = self.similarity(one, other)
            if similarity >= self.threshold:
                return other, similarity
        return None


def _bucket_numbers(keys: array[int], numbers: itertools.count[int]) -> array[int]:
    firsts: dict[int, int] = {}
    column = array("i", [-1]) * len(keys)
    for text, key in enumerate(keys):
        first = firsts.setdefault(key, text)
        if first != text:
            if column[first] < 0:
                column[first] = next(numbers)
            column[text] = column[first]
    return column


class Buckets:
    """Who is in which bucket, filled as one goes: of each only the first `_MOST_IN_BUCKET` members.

    A bucket with more that are not alike holds what most texts begin with or sign with, and tells nothing; those who
    are alike meet in other ones.
    """

    def __init__(self, sketches: Sketches) -> None:
        self._columns, count = sketches.buckets()
        self._members: list[list[int] | None] = [None] * count

    def of(self, text: int) -> list[int]:
        """The buckets of a text that has neighbours there."""
        return [column[text] for column in self._columns if column[text] >= 0]

    def members(self, buckets: Iterable[int]) -> set[int]:
        """All that were put into these buckets."""
        return set().union(*(self._members[bucket] or () for bucket in buckets))

    def put(self, text: int, buckets: Iterable[int]) -> None:
        """Put a text into the buckets that have room."""
        for bucket in buckets:
            members = self._members[bucket]
            if members is None:
                self._members[bucket] = [text]
            elif len(members) < _MOST_IN_BUCKET:
                members.append(text)
