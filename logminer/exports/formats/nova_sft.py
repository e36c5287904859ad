"""Supervised fine-tuning of Amazon Nova: conversations with their tools, tool calls and reasoning.

Reasoning fits Nova 2 Lite alone. Tool calls and results keep the members that AWS's validator knows
(aws-samples/amazon-nova-samples, customization/bedrock-finetuning/understanding/dataset_validation).
"""

from __future__ import annotations

from typing import Any

from logminer.exports.converse_request import tool_specs
from logminer.exports.format import ExportFormat
from logminer.exports.texts import answer_blocks
from logminer.json_text import encode_json, json_value
from logminer.pairs import PromptResponsePair
from logminer.reserved_words import find_reserved_word

_TEXT_OR_TOOLS = "holds media or other content, and this format takes text, tool calls and tool results alone"


def _write_line(pair: PromptResponsePair) -> bytes:
    line: dict[str, Any] = {"schemaVersion": "bedrock-conversation-2024"}
    if pair.system is not None:
        line["system"] = [{"text": pair.system}]
    tools = tool_specs(pair)
    if tools:
        line["toolConfig"] = {"tools": tools}
    answer = {"role": "assistant", "content": [_kept(block) for block in answer_blocks(pair)]}
    line["messages"] = [*_prompt(pair), answer]
    return encode_json(line) + b"\n"


def _prompt(pair: PromptResponsePair) -> list[dict[str, Any]]:
    return [
        {"role": message["role"], "content": [_kept(block) for block in message["content"]]}
        for message in json_value(pair.messages.encode())
    ]


def _kept(block: dict[str, Any]) -> dict[str, Any]:
    """A block without the members that only the service's own answers have."""
    if "toolUse" in block:
        return {"toolUse": {key: block["toolUse"].get(key) for key in ("toolUseId", "name", "input")}}
    if "toolResult" in block:
        return {"toolResult": {key: block["toolResult"].get(key) for key in ("toolUseId", "content")}}
    return block


def _refuse(pair: PromptResponsePair) -> str | None:
    messages = [message["content"] for message in json_value(pair.messages.encode())]
    blocks = [*(block for content in messages for block in content), *answer_blocks(pair)]
    if not all(_fits(block) for block in blocks):
        return _TEXT_OR_TOOLS
    texts = (pair.system or "", pair.messages, pair.response or "", pair.reasoning or "")
    for text in texts:
        word = find_reserved_word(text.encode())
        if word is not None:
            return f"holds {word!r}, which Amazon Nova keeps for itself"
    return None


def _fits(block: dict[str, Any]) -> bool:
    if "toolResult" in block:
        items = block["toolResult"].get("content")
        return isinstance(items, list) and all(item.keys() in ({"text"}, {"json"}) for item in items)
    return not block.keys().isdisjoint({"text", "toolUse", "reasoningContent"})


FORMAT = ExportFormat(
    name="nova-sft",
    about="fine-tuning of Amazon Nova, with tools and reasoning (which Nova 2 Lite alone takes)",
    source="https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html",
    profile="nova-sft",
    write_line=_write_line,
    refuse=_refuse,
    routes=("fine-tuning",),
)
