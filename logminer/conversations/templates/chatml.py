"""ChatML: `<|im_start|>role`, a line feed, the text, `<|im_end|>`. Imported Qwen models use it.

Only the line feed after the role is the template's; texts are given as they are. Qwen writes a call of a tool
as `<tool_call>` in an assistant turn and its result as `<tool_response>` in a user turn.
Source: https://qwen.readthedocs.io/en/latest/getting_started/concepts.html
"""

from __future__ import annotations

from logminer.conversations.parts import Block, Content, Prompt
from logminer.conversations.templates.role_lines import RoleLines
from logminer.conversations.templates.template import PromptTemplate

_LINES = RoleLines(
    start="<|im_start|>",
    end="<|im_end|>",
    roles={
        "system": "system",
        "developer": "system",
        "user": "user",
        "assistant": "assistant",
        "tool": "tool",
    },
)


def _parse(text: str) -> Prompt | None:
    prompt = _LINES.parse(text)
    if prompt is not None and ("<tool_call>" in text or "<tool_response>" in text):
        for turn in prompt.turns:
            turn.content = [_with_tools(turn.role, piece) for piece in turn.content]
    return prompt


def _with_tools(role: str, piece: Content) -> Content:
    """`piece`, as a block where it is a call or the result of a tool."""
    if not isinstance(piece, str):
        return piece
    if role == "assistant" and "<tool_call>" in piece:
        return Block("toolUse", {"input": piece})
    if role == "user" and piece.startswith("<tool_response>"):
        return Block("toolResult", {"content": [{"text": piece}]})
    return piece


TEMPLATE = PromptTemplate(
    name="chatml",
    rank=30,
    marker="<|im_start|>",
    parse=_parse,
    special_tokens=("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>"),
)
