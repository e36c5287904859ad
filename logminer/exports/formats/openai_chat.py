"""`{"messages": [{"role", "content"}]}` as OpenAI's fine-tuning and most trainers outside of Bedrock read it.

Tools, tool calls and tool results are kept in OpenAI's form; reasoning is not.
Source: https://platform.openai.com/docs/guides/supervised-fine-tuning
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.exports.converse_request import tool_specs
from logminer.exports.format import ExportFormat
from logminer.exports.texts import answer_blocks
from logminer.json_text import encode_json, json_value
from logminer.pairs import PromptResponsePair

_TEXT_OR_TOOLS = "holds media, and this format takes text, tool calls and tool results alone"


def _write_line(pair: PromptResponsePair) -> bytes:
    line: dict[str, Any] = {"messages": list(openai_messages(pair))}
    tools = [_function(tool["toolSpec"]) for tool in tool_specs(pair)]
    if tools:
        line["tools"] = tools
    return encode_json(line) + b"\n"


def openai_messages(pair: PromptResponsePair, *, answer: bool = True) -> Iterator[dict[str, Any]]:
    """System prompt, turns and, if asked for, the answer as chat messages."""
    if pair.system is not None:
        yield {"role": "system", "content": pair.system}
    for message in json_value(pair.messages.encode()):
        yield from _turn(message["role"], message["content"])
    if answer and pair.response is not None:
        yield from _turn("assistant", answer_blocks(pair))


def _turn(role: str, blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The messages of one turn: tool results are messages of their own, and come first."""
    for block in blocks:
        if "toolResult" in block:
            result = block["toolResult"]
            yield {
                "role": "tool",
                "tool_call_id": result.get("toolUseId"),
                "content": _result_text(result.get("content") or []),
            }
    texts = [block["text"] for block in blocks if "text" in block]
    calls = [_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    text = ("\n" if role == "user" else "").join(texts)
    if calls:
        yield {"role": role, "content": text or None, "tool_calls": calls}
    elif texts:
        yield {"role": role, "content": text}


def _call(use: dict[str, Any]) -> dict[str, Any]:
    arguments = encode_json(use.get("input")).decode()
    return {
        "id": use.get("toolUseId"),
        "type": "function",
        "function": {"name": use.get("name"), "arguments": arguments},
    }


def _result_text(items: list[dict[str, Any]]) -> str:
    return "\n".join(item["text"] if "text" in item else encode_json(item["json"]).decode() for item in items)


def _function(spec: dict[str, Any]) -> dict[str, Any]:
    schema = spec.get("inputSchema")
    function = {
        "name": spec.get("name"),
        "description": spec.get("description"),
        "parameters": schema.get("json") if isinstance(schema, dict) else None,
    }
    return {
        "type": "function",
        "function": {key: value for key, value in function.items() if value is not None},
    }


def refuse_more_than_tools(pair: PromptResponsePair) -> str | None:
    """Why a pair does not fit into chat messages; None where it does."""
    for message in json_value(pair.messages.encode()):
        for block in message["content"]:
            if not _fits(block):
                return _TEXT_OR_TOOLS
    return None


def _fits(block: dict[str, Any]) -> bool:
    if "toolResult" in block:
        items = block["toolResult"].get("content")
        return isinstance(items, list) and all("text" in item or "json" in item for item in items)
    return "text" in block or "toolUse" in block


FORMAT = ExportFormat(
    name="openai-chat",
    about="OpenAI chat messages, with tools; for trainers outside of Bedrock",
    source="https://platform.openai.com/docs/guides/supervised-fine-tuning",
    profile="openai-chat",
    write_line=_write_line,
    prompts=True,
    refuse=refuse_more_than_tools,
    routes=("anywhere",),
)
