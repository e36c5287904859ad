"""Harmony, the format of gpt-oss: `<|start|>role<|channel|>name<|message|>...<|end|>`.

Assistant messages have a channel: `final` is the answer, `commentary` is text for the user or, with a
recipient (`to=functions.name`), the call of a tool, and `analysis` is reasoning, which is not part of the
conversation and is left out. A tool's message is addressed `to=assistant`. The template pads nothing, so
nothing is stripped. A prompt that ends inside an open `analysis` is left whole: what the model wrote next is
reasoning and no answer.
Source: https://cookbook.openai.com/articles/openai-harmony
"""

from __future__ import annotations

from dataclasses import dataclass, field

from logminer.conversations.parts import Block, Prompt, Turn
from logminer.conversations.templates.cutting import TokenCutter, close_prompt, is_blank
from logminer.conversations.templates.template import PromptTemplate

_LETTERS = {
    "<|start|>": "S",
    "<|channel|>": "C",
    "<|constrain|>": "K",
    "<|message|>": "M",
    "<|end|>": "E",
    "<|return|>": "E",
    "<|call|>": "E",
}
_CUTTER = TokenCutter(_LETTERS, "(?:SC?K?ME)*S(?:C?M)?")
_RECIPIENT = "to="


@dataclass
class _Message:
    """One message while its pieces are read, by the letter of the token before each piece."""

    pieces: dict[str, str] = field(default_factory=dict)

    def words(self) -> tuple[str, str, str] | None:
        """Role, channel and recipient, each "" where it is absent; None where there are other words too."""
        header = self.pieces.get("S", "").split()
        channel = self.pieces.get("C", "").split()
        recipients = [word for word in (*header, *channel) if word.startswith(_RECIPIENT)]
        roles = [word for word in header if not word.startswith(_RECIPIENT)]
        channels = [word for word in channel if not word.startswith(_RECIPIENT)]
        if max(len(recipients), len(roles), len(channels)) > 1:
            return None
        return "".join(roles), "".join(channels), "".join(recipients).removeprefix(_RECIPIENT)


def _parse(text: str) -> Prompt | None:
    pieces = _CUTTER.cut(text)
    if pieces is None or not is_blank(pieces[0][1]):
        return None
    prompt = Prompt()
    message = _Message()
    for letter, piece in pieces[1:]:
        if letter == "S":
            message = _Message()
        if letter != "E":
            message.pieces[letter] = piece
        elif not is_blank(piece) or not _add_message(prompt, message):
            return None
    if message.words() not in (("assistant", "", ""), ("assistant", "final", "")):
        return None
    return close_prompt(prompt, message.pieces.get("M", ""))


def _add_message(prompt: Prompt, message: _Message) -> bool:
    """Add a closed message; False where it is none of those that the format knows."""
    text = message.pieces["M"]
    match message.words():
        case ("system" | "developer", "", ""):
            prompt.system.append(text)
        case ("user", "", ""):
            prompt.turns.append(Turn("user", [text]))
        case ("assistant", "analysis", ""):
            pass
        case ("assistant", "" | "final" | "commentary", ""):
            prompt.turns.append(Turn("assistant", [text]))
        case ("assistant", _, recipient) if recipient:
            prompt.turns.append(Turn("assistant", [Block("toolUse", {"name": recipient, "input": text})]))
        case (_, _, "assistant"):
            prompt.turns.append(Turn("user", [Block("toolResult", {"content": [{"text": text}]})]))
        case _:
            return False
    return True


TEMPLATE = PromptTemplate(
    name="harmony",
    rank=41,
    marker="<|start|>assistant",
    parse=_parse,
    special_tokens=tuple(_LETTERS),
)
