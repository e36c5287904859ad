"""What the templates of Llama 2 and Mistral share: the user's words between `[INST]` and `[/INST]`.

White space around every closed text is stripped: the templates put spaces and line feeds there in ways that
differ from release to release, so what the caller meant cannot be told from padding. Of a prefill only one
leading space is taken off. `<s>` and `</s>` are taken only where a turn begins or ends, since anywhere else
they may be HTML; they may be missing, for several libraries leave them to the service.
"""

from __future__ import annotations

from itertools import pairwise

from logminer.conversations.parts import Prompt, Turn
from logminer.conversations.templates.cutting import BEFORE_FIRST, TokenCutter, close_prompt, is_blank

INSTRUCTION_TOKENS = ("[INST]", "[/INST]")
INSTRUCTION, ANSWER, SYSTEM, AFTER_SYSTEM = "I", "A", "S", "s"


def instruction_cutter(system_tokens: tuple[str, str], layout: str) -> TokenCutter:
    """A cutter with the letters of this module; `system_tokens` enclose the system text."""
    tokens = (*INSTRUCTION_TOKENS, *system_tokens)
    return TokenCutter(dict(zip(tokens, (INSTRUCTION, ANSWER, SYSTEM, AFTER_SYSTEM), strict=True)), layout)


def parse_instructions(cutter: TokenCutter, text: str) -> Prompt | None:
    """The prompt that `text` holds; None where any part of it is out of place."""
    pieces = cutter.cut(text)
    if pieces is None:
        return None
    prompt = Prompt()
    for (letter, piece), (following, _) in pairwise(pieces):
        if letter == SYSTEM:
            prompt.system.append(piece.strip())
        elif following == ANSWER:
            prompt.turns.append(Turn("user", [piece.strip()]))
        elif letter == ANSWER:
            prompt.turns.append(Turn("assistant", [_closed_answer(piece)]))
        elif not (is_blank(piece) or (letter == BEFORE_FIRST and piece.strip() == "<s>")):
            return None
    _, prefill = pieces[-1]
    if prefill.rstrip().endswith("</s>"):
        return None
    return close_prompt(prompt, prefill.removeprefix(" "))


def _closed_answer(piece: str) -> str:
    return piece.strip().removesuffix("<s>").rstrip().removesuffix("</s>").strip()
