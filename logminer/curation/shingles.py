"""Texts as sets of shingles: runs of words or characters, which two texts have in common as far as they are alike.

Words are compared without case and in Unicode's compatibility form; what stands between them does not count. Scripts
that put no space between words (Han, Kana, Thai and their neighbours) count each character as a word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

UNITS = ("words", "characters")

MOST_HASHES = 1 << 16
"""Of the shingles of a very long text only those with the smallest hashes are looked at, these many."""

# Longer texts are cut at fixed places, so that 100 MB do not become as many words at once.
_SLAB_CHARACTERS = 1 << 20
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_ASCII_WORDS = re.compile(r"\w+", re.ASCII)
_WORDS = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+")


@dataclass(frozen=True)
class Shingling:
    """Runs of `ngram` neighbouring units, of `UNITS`; a shorter text is one shingle as a whole."""

    ngram: int = 3
    unit: str = "words"

    def hashes(self, text: str) -> set[int]:
        """The 64-bit hashes of a text's shingles; the same in every process, none for a blank text."""
        found: set[int] = set()
        for start in range(0, len(text), _SLAB_CHARACTERS):
            found.update(_hash(self.shingles(text[start : start + _SLAB_CHARACTERS])))
            if len(found) > MOST_HASHES:
                found = set(sorted(found)[:MOST_HASHES])
        return found

    def shingles(self, text: str) -> list[str]:
        """The shingles themselves, some perhaps several times."""
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        pieces = _words(text) if self.unit == "words" else list(" ".join(text.casefold().split()))
        if not pieces:  # signs alone
            pieces = text.split()
        between = " " if self.unit == "words" else ""
        if len(pieces) <= self.ngram:
            return [between.join(pieces)] if pieces else []
        return list(map(between.join, zip(*(pieces[skip:] for skip in range(self.ngram)), strict=False)))


def _words(text: str) -> list[str]:
    pattern = _ASCII_WORDS if text.isascii() else _WORDS
    return pattern.findall(text.casefold())


def _hash(shingles: list[str]) -> list[int]:
    from rensa import RMinHash

    (hashes,) = RMinHash.hash_token_sets([shingles])
    return hashes  # type: ignore[no-any-return]
