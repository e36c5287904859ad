"""Anthropic Claude through InvokeModel: the Messages API.

A request says `anthropic_version`; blocks say their `type`. A stream is a list of events, in which `index`
tells the blocks apart. The stop sequence that was hit is cut off the text, so an answer may end in mid-word.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.conversations.families.converse import streamed_tool_input
from logminer.conversations.params import collect_params, raw_value, tool_spec
from logminer.conversations.parts import Answer, Block, BlockKind, Content, Prompt, Turn, Usage, tool_details
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape

# The service runs tools of these two types by itself, so their results stand in the answer too.
_SERVER_TOOL_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
_TOOL_CALLS = _SERVER_TOOL_CALLS | {"tool_use"}
_TOOL_RESULT = "tool_result"  # and web_search_tool_result, mcp_tool_result, ...
_MEDIA: dict[str, BlockKind] = {"image": "image", "document": "document", "container_upload": "document"}
# Types that OpenAI's content parts do not have; with them a body is known even without a version.
_OWN_TYPES = _TOOL_CALLS | _MEDIA.keys() | {_TOOL_RESULT, "redacted_thinking", "search_result"}
_FORMATS = {"plain": "txt", "markdown": "md"}
# Base64, and ciphertext of the service's own.
_BYTES = frozenset({"data", "encrypted_content", "encrypted_index", "signature"})


class _Source(msgspec.Struct, gc=False):
    type: str | None = None
    media_type: str | None = None
    data: msgspec.Raw | None = None
    content: msgspec.Raw | None = None


class AnthropicBlock(msgspec.Struct, gc=False):
    """A content block of any type; `type` says which members count."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    source: str | _Source | None = None
    title: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw | None = None
    tool_use_id: str | None = None
    content: msgspec.Raw | None = None
    is_error: bool | None = None


class _Message(msgspec.Struct, gc=False):
    role: str | None = None
    content: str | list[AnthropicBlock] | None = None


class _Request(msgspec.Struct, gc=False):
    anthropic_version: str | None = None
    messages: list[_Message] | None = None
    system: str | list[AnthropicBlock] | None = None
    max_tokens: int | float | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | float | None = None
    stop_sequences: list[str] | None = None
    tools: msgspec.Raw | None = None
    tool_choice: msgspec.Raw | None = None
    output_config: msgspec.Raw | None = None
    output_format: msgspec.Raw | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Response(msgspec.Struct, gc=False):
    type: str | None = None
    content: list[AnthropicBlock] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _StartedMessage(msgspec.Struct, gc=False):
    usage: _Usage | None = None


class _Chunk(msgspec.Struct, gc=False):
    type: str | None = None
    index: int | None = None
    message: _StartedMessage | None = None
    content_block: AnthropicBlock | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


# --- blocks -------------------------------------------------------------------------------------------------


def _read_blocks(blocks: list[AnthropicBlock]) -> tuple[list[Content], list[str]]:
    """The content of blocks, and their reasoning apart. Redacted thinking is neither."""
    content: list[Content] = []
    reasoning: list[str] = []
    for block in blocks:
        if block.type == "text" or (block.type is None and block.text is not None):
            content.append(block.text or "")
        elif block.type == "thinking":
            if isinstance(block.thinking, str) and block.thinking:
                reasoning.append(block.thinking)
        elif block.type != "redacted_thinking":
            content.append(_read_other_block(block, block.type or ""))
    return content, reasoning


def _read_other_block(block: AnthropicBlock, kind: str) -> Block:
    if kind in _TOOL_CALLS:
        return _tool_use(block, raw_value(block.input))
    if kind.endswith(_TOOL_RESULT):
        value: dict[str, Any] = {"toolUseId": block.tool_use_id}
        value["content"] = _result_content(raw_value(block.content))
        if block.is_error:
            value["status"] = "error"
        return Block("toolResult", value)
    if kind in _MEDIA:
        return Block(_MEDIA[kind], _media(block))
    if kind == "search_result":
        found = {"source": block.source if isinstance(block.source, str) else None, "title": block.title}
        return Block("searchResult", {**found, "content": _result_content(raw_value(block.content))})
    return Block("unknown", {})


def _tool_use(block: AnthropicBlock, tool_input: Any) -> Block:
    value: dict[str, Any] = {"toolUseId": block.id, "name": block.name}
    value["input"] = tool_input if tool_input is not None else {}
    if block.type in _SERVER_TOOL_CALLS:
        value["type"] = "server_tool_use"
    return Block("toolUse", value)


def _media(block: AnthropicBlock) -> dict[str, Any]:
    value: dict[str, Any] = {}
    source = block.source
    if isinstance(source, str) or source is None:
        return value
    if source.media_type is not None:
        subtype = source.media_type.rpartition("/")[2]
        value["format"] = _FORMATS.get(subtype, subtype)
    if block.title is not None:
        value["name"] = block.title
    if source.type == "text":
        value["source"] = {"text": raw_value(source.data)}
    elif source.type == "content":
        value["source"] = {"content": _result_content(raw_value(source.content))}
    return value


def _result_content(content: Any) -> list[dict[str, Any]]:
    """What a tool or search gave, as the items of a Converse tool result; bytes are left out."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"text": content}]
    return [_result_item(item) for item in (content if isinstance(content, list) else [content])]


def _result_item(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        if item.get("type") == "text" and isinstance(item.get("text"), str):
            return {"text": item["text"]}
        if item.get("type") in ("image", "document"):
            return {item["type"]: {}}
    return {"json": _without_bytes(item)}


def _without_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_bytes(item) for key, item in value.items() if key not in _BYTES}
    return [_without_bytes(item) for item in value] if isinstance(value, list) else value


# --- the request --------------------------------------------------------------------------------------------


def _accepts_request(body: _Request) -> bool:
    if body.messages is None:
        return False
    if body.anthropic_version is not None or isinstance(body.system, str):
        return True
    for message in body.messages:
        if type(message.content) is list:
            for block in message.content:
                if block.type is not None and block.type in _OWN_TYPES:
                    return True
    return False


def _read_request(body: _Request) -> Prompt:
    system = body.system
    return Prompt(
        turns=[Turn(message.role or "", _read_content(message.content)) for message in body.messages or ()],
        system=[piece for piece in _read_content(system) if isinstance(piece, str)],
        tools=_tools(raw_value(body.tools)),
        params=collect_params(
            max_tokens=body.max_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            stop_sequences=body.stop_sequences,
            response_schema=_response_schema(body),
            tool_choice=raw_value(body.tool_choice),
        ),
    )


def _read_content(content: str | list[AnthropicBlock] | None) -> list[Content]:
    if isinstance(content, str):
        return [content]
    return _read_blocks(content)[0] if type(content) is list else []


def _tools(tools: Any) -> list[Any] | None:
    if not isinstance(tools, list):
        return None
    return [
        tool_spec(tool.get("name"), tool.get("description"), tool.get("input_schema"))
        for tool in tools
        if isinstance(tool, dict)
    ]


def _response_schema(body: _Request) -> Any:
    config = raw_value(body.output_config)
    if isinstance(config, dict) and config.get("format") is not None:
        return config["format"]
    return raw_value(body.output_format)


# --- the answer ---------------------------------------------------------------------------------------------


def _accepts_response(body: _Response) -> bool:
    return type(body.content) is list and (body.type == "message" or body.stop_reason is not None)


def _read_response(body: _Response) -> Answer:
    content, reasoning = _read_blocks(body.content or [])
    return Answer(
        content=content,
        reasoning=reasoning,
        stop_reason=body.stop_reason,
        usage=_usage([body.usage]),
        details=tool_details(content),
    )


def _usage(reports: list[_Usage | None]) -> Usage:
    """The last figure of each kind: the first event of a stream knows the input, the last one the output."""
    sent = received = read = written = None
    for report in reports:
        if report is not None:
            sent = report.input_tokens if report.input_tokens is not None else sent
            received = report.output_tokens if report.output_tokens is not None else received
            read = report.cache_read_input_tokens if report.cache_read_input_tokens is not None else read
            written = (
                report.cache_creation_input_tokens
                if report.cache_creation_input_tokens is not None
                else written
            )
    return Usage(sent, received, read, written)


# --- streams ------------------------------------------------------------------------------------------------


def _accepts_stream(chunks: list[_Chunk]) -> bool:
    return any(
        chunk.type in ("message_start", "content_block_start", "content_block_delta", "message_delta")
        for chunk in chunks
    )


class _OpenBlock:
    """One content block of a stream while its deltas arrive."""

    def __init__(self) -> None:
        self.start = AnthropicBlock()
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.tool_input: list[str] = []

    def add(self, delta: _Delta) -> None:
        if delta.text is not None:
            self.text.append(delta.text)
        elif delta.partial_json is not None:
            self.tool_input.append(delta.partial_json)
        elif delta.thinking is not None:
            self.thinking.append(delta.thinking)

    def read(self) -> tuple[list[Content], list[str]]:
        """The whole block, as `_read_blocks` gives it."""
        start = self.start
        kind = start.type or self._type_of_deltas()
        if kind == "text":
            return [(start.text or "") + "".join(self.text)], []
        if kind == "thinking":
            thinking = (start.thinking or "") + "".join(self.thinking)
            return [], [thinking] if thinking else []
        if kind in _TOOL_CALLS and self.tool_input:
            return [_tool_use(start, streamed_tool_input("".join(self.tool_input)))], []
        return _read_blocks([start])

    def _type_of_deltas(self) -> str:
        """The type of a block whose first event is missing."""
        if self.tool_input:
            return "tool_use"
        return "thinking" if self.thinking else "text"


def _read_stream(chunks: list[_Chunk]) -> Answer:
    blocks: dict[int, _OpenBlock] = {}
    reports: list[_Usage | None] = []
    answer = Answer(ended=False)
    for chunk in chunks:
        if chunk.type == "content_block_delta" and chunk.delta is not None:
            blocks.setdefault(chunk.index or 0, _OpenBlock()).add(chunk.delta)
        elif chunk.type == "content_block_start" and chunk.content_block is not None:
            blocks.setdefault(chunk.index or 0, _OpenBlock()).start = chunk.content_block
        elif chunk.type == "message_start" and chunk.message is not None:
            reports.append(chunk.message.usage)
        elif chunk.type == "message_delta":
            reports.append(chunk.usage)
            if chunk.delta is not None and chunk.delta.stop_reason is not None:
                answer.stop_reason, answer.ended = chunk.delta.stop_reason, True
    for _, block in sorted(blocks.items()):
        content, reasoning = block.read()
        answer.content.extend(content)
        answer.reasoning.extend(reasoning)
    answer.usage = _usage(reports)
    answer.details = tool_details(answer.content)
    return answer


SHAPE = BodyShape(
    name="anthropic_messages",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
    rank=10,
    models=("anthropic.claude-3-5-sonnet-20241022-v2:0", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Chunk, _accepts_stream, _read_stream),
)
