"""Things that belong together because others do: disjoint sets of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable


class Groups:
    """A group number for each of some things that are numbered from 0 on; the number is that of its first member."""

    def __init__(self, size: int) -> None:
        self._parents = array("Q", range(size))

    def find(self, number: int) -> int:
        """The group of a thing."""
        parents = self._parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first

    def join_equal(self, keys: Iterable[Hashable]) -> None:
        """Join the things that have equal keys; None is equal to nothing."""
        seen: dict[Hashable, int] = {}
        for number, key in enumerate(keys):
            if key is not None and (first := seen.setdefault(key, number)) != number:
                self.join(first, number)
