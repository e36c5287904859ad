"""Reads the options of a rule, and refuses values that cannot be meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from logminer.errors import UsageError


@dataclass(frozen=True)
class RuleOptions:
    """The options that a rule was given. Every method raises UsageError for a value that cannot be meant."""

    rule: str
    values: Mapping[str, Any]

    def whole_number(self, name: str, *, least: int = 0) -> int:
        """A whole number."""
        value = self.values[name]
        if type(value) is not int or value < least:
            self.refuse(name, f"a whole number from {least} on")
        return value

    def share(self, name: str) -> float:
        """A number from 0 to 1."""
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self.refuse(name, "a number from 0 to 1")
        return float(value)

    def switch(self, name: str) -> bool:
        """True or false."""
        value = self.values[name]
        if not isinstance(value, bool):
            self.refuse(name, "true or false")
        return value

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """One of the words in `choices`."""
        value = self.values[name]
        if value not in choices:
            self.refuse(name, " or ".join(choices))
        return str(value)

    def text(self, name: str) -> str:
        """Any text."""
        value = self.values[name]
        if not isinstance(value, str):
            self.refuse(name, "a text")
        return value

    def refuse(self, name: str, expected: str, fix: str = "") -> NoReturn:
        """Refuse the value of an option, saying what it should be."""
        raise UsageError(
            f"{name} is {self.values[name]!r}, expected {expected}", where=f"rule {self.rule}", fix=fix
        )
