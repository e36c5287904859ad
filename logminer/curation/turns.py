"""The prompt's turns as values: read from a pair's JSON, and written as JSON again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from logminer.json_text import encode_canonical_json, encode_json


class Turn(msgspec.Struct, frozen=True):
    """One Converse message. A block is an object with one key that says its kind, such as `text`."""

    role: str
    content: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """The text blocks, joined with line feeds."""
        return "\n".join(text_blocks(self.content))

    @property
    def other_blocks(self) -> list[dict[str, Any]]:
        """The blocks that are no text and no reasoning: tool calls and results, media without their bytes."""
        return [block for block in self.content if "reasoningContent" not in block and not _is_text(block)]


_decode_turns = msgspec.json.Decoder(list[Turn]).decode
_decode_blocks = msgspec.json.Decoder(list[dict[str, Any]]).decode


def read_turns(messages: str) -> list[Turn]:
    """The turns of a pair's `messages`, oldest first. What is no list of messages is one turn of an unknown block."""
    try:
        return _decode_turns(messages)
    except (msgspec.DecodeError, RecursionError):
        return [Turn("user", [{"unreadable": messages}])]


def read_blocks(blocks: str | None) -> list[dict[str, Any]]:
    """The blocks of a pair's `response_blocks`; none where it has none that can be read."""
    try:
        return _decode_blocks(blocks) if blocks is not None else []
    except (msgspec.DecodeError, RecursionError):
        return []


def write_turns(turns: Sequence[Turn]) -> str:
    """The turns as a pair's `messages`."""
    return encode_json(turns).decode()


def canonical_turns(turns: Sequence[Turn]) -> bytes:
    """The turns as canonical JSON: keys sorted, no white space between values."""
    return encode_canonical_json(turns)


def text_blocks(content: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of the text blocks."""
    return [block["text"] for block in content if _is_text(block)]


def all_text(messages: str) -> str:
    """Everything that the turns say, blocks that are no text as JSON, in one text."""
    lines = []
    for turn in read_turns(messages):
        lines += text_blocks(turn.content)
        lines += [encode_canonical_json(block).decode() for block in turn.other_blocks]
    return "\n".join(lines)


def _is_text(block: dict[str, Any]) -> bool:
    return isinstance(block.get("text"), str)
