"""Questions and answers that read like real traffic, composed by a small seeded grammar.

The texts are in `scenarios.toml`: with `[one|other]` choices and `{slots}`. Question and answer of one
exchange share their slots, so an order number in the question is the one in the answer. Names and
products are invented; mail addresses end in example.com.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Turn = tuple[str, str]
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


class Dice:
    """Random choices that no Python release changes: only `random()` is promised to stay the same."""

    def __init__(self, seed: str) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - sample data, not a secret

    def below(self, limit: int) -> int:
        """An integer from 0 to limit - 1."""
        return int(self._next() * limit)

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def chance(self, percent: float) -> bool:
        """True in so many of a hundred throws."""
        return self._next() * 100 < percent

    def digits(self, count: int) -> str:
        """A decimal number of fixed length without a leading zero."""
        return str(self.between(10 ** (count - 1), 10**count - 1))

    def hexadecimal(self, count: int) -> str:
        """Lowercase hexadecimal digits."""
        return "".join("0123456789abcdef"[self.below(16)] for _ in range(count))

    def uuid(self) -> str:
        """A version 4 UUID, as Bedrock's request ids are."""
        raw = self.hexadecimal(30)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[12:15]}-{'89ab'[self.below(4)]}{raw[15:18]}-{raw[18:30]}"

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A copy in random order."""
        keyed = [(self._next(), number) for number in range(len(items))]
        return [items[number] for _, number in sorted(keyed)]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and answered, before any model family's spelling.

    `turns` is the prompt: (role, text), oldest first, ending with the user's turn. The token counts are
    estimates (four characters a token) unless given.
    """

    system: str | None
    turns: tuple[Turn, ...]
    answer: str
    input_tokens: int
    output_tokens: int

    @property
    def question(self) -> str:
        """The last user turn."""
        return self.turns[-1][1]


def exchange(system: str | None, turns: Sequence[Turn], answer: str) -> Exchange:
    """An exchange with estimated token counts."""
    asked = len(system or "") + sum(len(text) for _, text in turns)
    return Exchange(system, tuple(turns), answer, 8 + asked // 4, max(1, len(answer) // 4))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request within a project; `then` and `more` continue the conversation."""

    ask: str
    reply: str
    then: str
    more: str


_TEXTS = tomllib.loads(Path(__file__).with_name("scenarios.toml").read_text("utf-8"))
WORDS: dict[str, list[str]] = _TEXTS["words"]
SYSTEMS: dict[str, str] = _TEXTS["systems"]
SCENARIOS: dict[str, list[Scenario]] = {
    project: [Scenario(**texts) for texts in entries] for project, entries in _TEXTS["scenarios"].items()
}
PROJECTS = tuple(SCENARIOS)


def draw_slots(dice: Dice) -> dict[str, str]:
    """One value for every slot that the scenarios name."""
    name, bare = dice.pick(WORDS["names"]), f"{dice.between(9, 640)}.{dice.between(10, 99)}"
    slots = {
        "name": name,
        "name2": dice.pick(WORDS["names"]),
        "first": name.split()[0],
        "email": f"{_ascii(name)}@example.com",
        "product": dice.pick(WORDS["products"]),
        "city": dice.pick(WORDS["cities"]),
        "street": f"{dice.between(2, 180)} {dice.pick(WORDS['streets'])}",
        "plan": dice.pick(WORDS["plans"]),
        "carrier": dice.pick(WORDS["carriers"]),
        "role": dice.pick(WORDS["roles"]),
        "amount": f"${bare}",
        "bare": bare,
        "amount2": f"${dice.between(5, 60)}.00",
        "days": str(dice.between(3, 21)),
        "months": str(dice.between(2, 23)),
        "times": str(dice.between(3, 9)),
    }
    slots |= _numbers(dice) | _dates(dice) | dice.pick(_TEXTS["functions"])
    complaint = dice.pick(_TEXTS["complaints"])
    return slots | {"label": complaint["label"], "complaint": complaint["text"].format_map(slots)}


def _numbers(dice: Dice) -> dict[str, str]:
    return {
        "order": f"HP-{dice.digits(5)}-{dice.digits(2)}",
        "invoice": f"INV-2026-{dice.digits(5)}",
        "invoice2": f"INV-2026-{dice.digits(5)}",
        "ticket": f"CS-{dice.digits(6)}",
        "serial": f"SN{dice.digits(8)}",
        "tracking": f"HX{dice.digits(9)}",
        "last4": dice.digits(4),
        "last2": dice.digits(2),
    }


def _dates(dice: Dice) -> dict[str, str]:
    """Three days of one month in order of time."""
    month, day = dice.pick(WORDS["months"]), dice.between(1, 18)
    later, latest = day + dice.between(2, 4), day + dice.between(6, 10)
    return {"date": f"{month} {day}", "date2": f"{month} {later}", "date3": f"{month} {latest}"}


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.lower().replace(" ", "."))
    return "".join(letter for letter in plain if letter.isascii())


def expand(text: str, slots: dict[str, str], dice: Dice) -> str:
    """`text` with every choice made, innermost first, and every slot filled."""
    while match := _CHOICE.search(text):
        chosen = dice.pick(match.group(1).split("|"))
        text = text[: match.start()] + chosen + text[match.end() :]
    return text.format_map(slots)


def compose(dice: Dice, project: str, *, user_turns: int = 1, system: bool = True) -> Exchange:
    """An exchange of a project; one or two user turns come from the scenario, a third closes it."""
    scenario, slots = dice.pick(SCENARIOS[project]), draw_slots(dice)
    texts = [scenario.ask, scenario.reply, scenario.then, scenario.more]
    texts += ["[Thank you|Perfect, thanks], that is all [for now|I needed].", _FAREWELL]
    said = [expand(text, slots, dice) for text in texts[: 2 * user_turns]]
    turns = [("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said[:-1])]
    return exchange(expand(SYSTEMS[project], slots, dice) if system else None, turns, said[-1])


_FAREWELL = (
    "[You are welcome, {first}.|My pleasure, {first}.] [If anything else comes up about this, just reply "
    "here|Write to us at any time], and [have a good day|we will pick it up from {ticket}]."
)
