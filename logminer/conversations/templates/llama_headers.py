"""What the templates of Llama 3 and Llama 4 share: a header with the role, the text, an end token.

White space around the text of a closed turn is stripped, for Meta's own templates trim every message and put
a blank line after the header, and the libraries that write these prompts vary: none, one or two line feeds
after the header, line feeds between turns. Of a prefill only that blank line is taken off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logminer.conversations.parts import Block, Content, Prompt, Turn
from logminer.conversations.templates.cutting import TokenCutter, close_prompt, is_blank

_ROLES = frozenset({"system", "user", "assistant", "ipython"})


@dataclass(frozen=True)
class HeaderTokens:
    """The spelling of one generation's tokens.

    `ends` close a turn; text after the first `call` token is a call of a tool. `image` stands where the
    picture of a multimodal prompt goes.
    """

    begin: str
    open_header: str
    close_header: str
    ends: tuple[str, ...]
    call: tuple[str, ...]
    image: str = "<|image|>"

    def all_tokens(self) -> tuple[str, ...]:
        """Every token of this generation."""
        return (self.begin, self.open_header, self.close_header, *self.ends, *self.call, self.image)


def header_parser(tokens: HeaderTokens) -> Callable[[str], Prompt | None]:
    """The parser for prompts that are written with these tokens. The begin token may be missing."""
    letters = {tokens.begin: "B", tokens.open_header: "H", tokens.close_header: "h"}
    letters.update(dict.fromkeys(tokens.ends, "E"))
    cutter = TokenCutter(letters, "B?(?:HhE)*Hh")

    def parse(text: str) -> Prompt | None:
        pieces = cutter.cut(text)
        return _read_pieces(pieces, tokens) if pieces is not None else None

    return parse


def _read_pieces(pieces: list[tuple[str, str]], tokens: HeaderTokens) -> Prompt | None:
    prompt = Prompt()
    role = ""
    _, prefill = pieces.pop()
    for letter, piece in pieces:
        if letter == "H":
            role = piece.strip()
            if role not in _ROLES:
                return None
        elif letter == "h":
            _add_turn(prompt, role, piece.strip(), tokens)
        elif not is_blank(piece):
            return None
    return close_prompt(prompt, _without_blank_line(prefill)) if role == "assistant" else None


def _add_turn(prompt: Prompt, role: str, text: str, tokens: HeaderTokens) -> None:
    if role == "system":
        prompt.system.append(text)
    elif role == "ipython":
        prompt.turns.append(Turn("user", [Block("toolResult", {"content": [{"text": text}]})]))
    elif role == "assistant" and text.startswith(tokens.call[0]):
        call = text.removeprefix(tokens.call[0]).removesuffix(tokens.call[-1]).strip()
        prompt.turns.append(Turn(role, [Block("toolUse", {"input": call})]))
    else:
        prompt.turns.append(Turn(role, _split_images(text, tokens.image)))


def _split_images(text: str, image: str) -> list[Content]:
    first, *others = text.split(image)
    content: list[Content] = [first.strip()] if first or not others else []
    for piece in others:
        content.append(Block("image", {}))
        if not is_blank(piece):
            content.append(piece.strip())
    return content


def _without_blank_line(prefill: str) -> str:
    return prefill.removeprefix("\n").removeprefix("\n")
