"""Draws for stand-ins: chance that depends on nothing but a salt and the value that is replaced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"
_HEX = "0123456789abcdef"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_IS_HEX = re.compile(r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{16,}")


class Draws:
    """An endless row of draws, always the same for the same salt, kind and value.

    Keyed BLAKE2b in counter mode: who does not know the salt cannot find the value by trying all values.
    """

    def __init__(self, salt: bytes, kind: str, value: str) -> None:
        self._salt, self._kind = salt, kind
        key = salt if len(salt) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(salt).digest()
        self._hash = hashlib.blake2b(f"{kind}\0{value}".encode("utf-8", "surrogatepass"), key=key)
        self._block, self._left = 0, 0
        self._number = 0

    def of_part(self, part: str) -> Draws:
        """Draws for a part of the value that shall have the same stand-in in other values too."""
        return Draws(self._salt, f"{self._kind} part", part)

    def below(self, bound: int) -> int:
        """A number from 0 up to `bound`, exclusive, which is far below a billion."""
        if self._left < 8:
            self._refill()
        self._left -= 1
        self._number, drawn = divmod(self._number, bound)
        return drawn

    def _refill(self) -> None:
        """Take the next 64 bytes as one number; 24 bits are spent on each of the next draws at least."""
        counted = self._hash.copy()
        counted.update(self._block.to_bytes(8, "big"))
        self._block += 1
        self._number, self._left = int.from_bytes(counted.digest(), "big"), 21

    def pick(self, choices: Sequence[str]) -> str:
        """One of `choices`."""
        return choices[self.below(len(choices))]

    def digits(self, count: int) -> str:
        """As many decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))

    def like(self, text: str) -> str:
        """`text` with a new letter for each letter, of its case, and a new digit for each digit."""
        if _IS_HEX.fullmatch(text):
            return "".join(self.pick(_HEX) for _ in text)
        return "".join(self._character_like(character) for character in text)

    def _character_like(self, character: str) -> str:
        if character.isdecimal():
            return str(self.below(10))
        if character.isalpha():
            return _in_case_of(character, self.pick(_LOWER))
        return character

    def word_like(self, word: str) -> str:
        """A word that can be pronounced, as long as `word` and with capitals at the same places."""
        vowel = bool(self.below(2))
        letters = []
        for character in word:
            letters.append(_in_case_of(character, self.pick(_VOWELS if vowel else _CONSONANTS)))
            vowel = not vowel
        return "".join(letters)


def _in_case_of(character: str, letter: str) -> str:
    return letter.upper() if character.isupper() else letter
