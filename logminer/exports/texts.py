"""Pairs as plain text, for the formats that know nothing else."""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.json_text import json_value
from logminer.pairs import PromptResponsePair

NOT_TEXT = "holds tool calls, tool results or media, and this format takes text alone"


class TextTurn(msgspec.Struct, frozen=True, gc=False):
    """One turn of a conversation. `role` is user or assistant."""

    role: str
    text: str


class _TextBlock(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    text: str


class _Message(msgspec.Struct, gc=False):
    role: str
    content: list[_TextBlock]


_decode_messages = msgspec.json.Decoder(list[_Message]).decode


def text_turns(pair: PromptResponsePair) -> list[TextTurn] | None:
    """The turns of the prompt; None where one of them holds more than text."""
    try:
        messages = _decode_messages(pair.messages)
    except msgspec.ValidationError:
        return None
    return [
        TextTurn(message.role, "\n".join(block.text for block in message.content)) for message in messages
    ]


def refuse_more_than_text(pair: PromptResponsePair) -> str | None:
    """Why a pair does not fit where everything is text; None where it does."""
    return None if text_turns(pair) is not None and not calls_a_tool(pair) else NOT_TEXT


def calls_a_tool(pair: PromptResponsePair) -> bool:
    """Whether the answer holds a tool call."""
    # Most answers hold none, which their text tells sooner than their JSON.
    blocks = pair.response_blocks
    return (
        blocks is not None and '"toolUse"' in blocks and any("toolUse" in block for block in _blocks(blocks))
    )


def answer_blocks(pair: PromptResponsePair) -> list[dict[str, Any]]:
    """The answer as Converse blocks: reasoning, then text and tool calls in their order.

    `response` and `reasoning` are what counts: where the blocks say something else, as after a redaction, they
    are not used, but for their tool calls.
    """
    logged = [block for block in _blocks(pair.response_blocks or "[]") if "reasoningContent" not in block]
    if "".join(block["text"] for block in logged if "text" in block) != pair.response:
        text = [{"text": pair.response}] if pair.response else []
        logged = [*text, *(block for block in logged if "toolUse" in block)]
    if pair.reasoning:
        logged.insert(0, {"reasoningContent": {"reasoningText": {"text": pair.reasoning}}})
    return logged


def _blocks(text: str) -> list[dict[str, Any]]:
    blocks = json_value(text.encode())
    assert isinstance(blocks, list)
    return blocks


def sole_prompt(pair: PromptResponsePair) -> str:
    """System prompt and user turn as one text, a blank line between them; for pairs of a single text turn."""
    turns = text_turns(pair)
    assert turns is not None
    assert len(turns) == 1
    return turns[0].text if pair.system is None else f"{pair.system}\n\n{turns[0].text}"


def chat_messages(pair: PromptResponsePair) -> list[dict[str, Any]]:
    """Turns and answer as `{"role", "content"}` with plain strings, without the system prompt; text pairs alone."""
    turns = text_turns(pair)
    assert turns is not None
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    if pair.response is not None:
        messages.append({"role": "assistant", "content": pair.response})
    return messages
