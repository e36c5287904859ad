"""What ChatML and Gemma share: a start token, the role on a line of its own, the text, an end token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logminer.conversations.parts import Block, Prompt, Turn
from logminer.conversations.templates.cutting import BEFORE_FIRST, TokenCutter, close_prompt, is_blank


@dataclass(frozen=True)
class RoleLines:
    """One template of this kind.

    `roles` maps the template's roles to system, user, assistant or tool. `begin` may stand before the first
    turn. With `trims`, closed texts are stripped, because the template strips what it is given.
    """

    start: str
    end: str
    roles: Mapping[str, str]
    begin: str = ""
    trims: bool = False
    _cutter: TokenCutter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cutter", TokenCutter({self.start: "S", self.end: "E"}, "(?:SE)*S"))

    def parse(self, text: str) -> Prompt | None:
        """The prompt that `text` holds; None where any part of it is out of place."""
        pieces = self._cutter.cut(text)
        if pieces is None:
            return None
        prompt = Prompt()
        _, last = pieces.pop()
        for letter, piece in pieces:
            if letter == "S":
                if not self._add_turn(prompt, piece):
                    return None
            elif not (is_blank(piece) or (letter == BEFORE_FIRST and piece.strip() == self.begin)):
                return None
        role, _, prefill = last.partition("\n")
        return close_prompt(prompt, prefill) if self.roles.get(role.strip()) == "assistant" else None

    def _add_turn(self, prompt: Prompt, piece: str) -> bool:
        """Add a closed turn; False where its first line is no role."""
        line, _, text = piece.partition("\n")
        role = self.roles.get(line.strip())
        if role is None:
            return False
        text = text.strip() if self.trims else text
        if role == "system":
            prompt.system.append(text)
        elif role == "tool":
            prompt.turns.append(Turn("user", [Block("toolResult", {"content": [{"text": text}]})]))
        else:
            prompt.turns.append(Turn(role, [text]))
        return True
