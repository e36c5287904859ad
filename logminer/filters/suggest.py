"""Keys and values that may have been meant, for a filter that selects nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

from logminer.filters.nodes import MAX_TERM_CHARS

_MAX_KNOWN = 10_000  # a value census may be far longer; comparing with all of it would take seconds
_MAX_SUGGESTED = 3
_CUTOFF = 0.7
_SEPARATORS = re.compile(r"[\s_\-./:]+")


def near_keys(key: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of `known` that look like `key`, nearest first; `key` itself is never among them.

    Spellings that differ in case, spaces, dashes and the like come before those with other letters. Looks at
    the first 10,000 of `known` only.
    """
    plain = _plain(key)
    by_plain: dict[str, list[str]] = {}
    for candidate in islice(known, _MAX_KNOWN):
        if candidate != key and len(candidate) <= MAX_TERM_CHARS:
            by_plain.setdefault(_plain(candidate), []).append(candidate)
    near = get_close_matches(plain, by_plain, _MAX_SUGGESTED, _CUTOFF)
    return tuple(name for match in near for name in sorted(by_plain[match]))[:_MAX_SUGGESTED]


def near_values(value: str, known: Iterable[str]) -> tuple[str, ...]:
    """At most three of the `known` values of a key that look like `value`, by the rules of `near_keys`."""
    return near_keys(value, known)


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.casefold())
