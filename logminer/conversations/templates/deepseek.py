"""DeepSeek: `<｜begin▁of▁sentence｜>system<｜User｜>...<｜Assistant｜>...<｜end▁of▁sentence｜><｜User｜>...`.

The real tokens have fullwidth bars and U+2581 for the spaces; people and libraries also type `|` and `_`, and
LangChain writes the system text after a `<|System|>` of its own. The begin token may be missing. The template
pads nothing, so nothing is stripped. The prompt may end with `<think>`, the beginning of the answer's
reasoning: that is a prefill.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html
"""

from __future__ import annotations

from itertools import product

from logminer.conversations.parts import Prompt, Turn
from logminer.conversations.templates.cutting import TokenCutter, close_prompt, is_blank
from logminer.conversations.templates.template import PromptTemplate

_NAMES = {"begin▁of▁sentence": "B", "System": "S", "User": "U", "Assistant": "A", "end▁of▁sentence": "E"}
_TOOL_TOKENS = tuple(
    f"<｜tool▁{name}｜>"
    for name in (
        "calls▁begin",
        "calls▁end",
        "call▁begin",
        "call▁end",
        "sep",
        "outputs▁begin",
        "outputs▁end",
        "output▁begin",
        "output▁end",
    )
)
_LETTERS = {
    f"<{bar}{name.replace('▁', space)}{bar}>": letter
    for (name, letter), bar, space in product(_NAMES.items(), "｜|", "▁_")
}
_CUTTER = TokenCutter(_LETTERS, "B?S?(?:UAE?)*UA")


def _parse(text: str) -> Prompt | None:
    pieces = _CUTTER.cut(text)
    if pieces is None or (pieces[1][0] == "B" and not is_blank(pieces[0][1])):
        return None
    prompt = Prompt()
    _, prefill = pieces.pop()
    for letter, piece in pieces:
        if letter == "U":
            prompt.turns.append(Turn("user", [piece]))
        elif letter == "A":
            prompt.turns.append(Turn("assistant", [piece]))
        elif not is_blank(piece):
            if letter == "E" or prompt.system:
                return None
            prompt.system.append(piece)
    return close_prompt(prompt, prefill)


TEMPLATE = PromptTemplate(
    name="deepseek",
    rank=40,
    marker="Assistant",
    parse=_parse,
    special_tokens=(*_LETTERS, *_TOOL_TOKENS),
)
