"""Converse and ConverseStream, and the events of a ConverseStream that was logged as a list.

ConverseStream answers are logged already put together, as Converse's own object; a list of events is only a
fallback. Media that was sent along is logged as `source.s3Uri`, unlike the API's `source.s3Location.uri`.
Members that another family spells in snake_case are called `converse_...` here: merged Structs have one
attribute for each spelling.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.conversations.params import collect_params, is_given, raw_value
from logminer.conversations.parts import (
    NO_USAGE,
    Answer,
    Block,
    BlockKind,
    Content,
    Prompt,
    Turn,
    Usage,
    tool_details,
)
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.json_text import json_value


class _Text(msgspec.Struct, gc=False):
    text: str | None = None


class _Cited(msgspec.Struct, gc=False):
    content: list[_Text] | None = None


class _S3Location(msgspec.Struct, gc=False):
    uri: str | None = None


class _Source(msgspec.Struct, gc=False, rename="camel"):
    """Where media lies; the bytes themselves are never read."""

    s3_uri: str | None = None
    s3_location: _S3Location | None = None
    text: str | None = None
    content: list[_Text] | None = None


class _Media(msgspec.Struct, gc=False):
    format: str | None = None
    name: str | None = None
    source: _Source | None = None


class _Guarded(msgspec.Struct, gc=False):
    text: _Text | None = None
    image: _Media | None = None


class _ReasoningText(msgspec.Struct, gc=False):
    text: str | None = None


class _Reasoning(msgspec.Struct, gc=False, rename="camel"):
    reasoning_text: _ReasoningText | None = None


class ConverseBlock(msgspec.Struct, gc=False, rename="camel"):
    """The ContentBlock union; exactly one member is set."""

    text: str | None = None
    image: _Media | None = None
    document: _Media | None = None
    video: _Media | None = None
    audio: _Media | None = None
    tool_use: msgspec.Raw | None = None
    tool_result: msgspec.Raw | None = None
    guard_content: _Guarded | None = None
    cache_point: msgspec.Raw | None = None
    reasoning_content: _Reasoning | None = None
    citations_content: _Cited | None = None
    search_result: msgspec.Raw | None = None
    type: str | None = None


class ConverseMessage(msgspec.Struct, gc=False):
    """One message; `content` is always a list here, unlike in the families that allow a bare string."""

    role: str | None = None
    content: list[ConverseBlock] | None = None


class InferenceConfig(msgspec.Struct, gc=False, rename="camel"):
    """Limits and sampling."""

    max_tokens: int | float | None = None
    temperature: int | float | None = None
    converse_top_p: int | float | None = msgspec.field(default=None, name="topP")
    stop_sequences: list[str] | None = None


class _ToolConfig(msgspec.Struct, gc=False, rename="camel"):
    tools: msgspec.Raw | None = None
    tool_choice: msgspec.Raw | None = None


class ConverseRequest(msgspec.Struct, gc=False, rename="camel"):
    """A request body, of Converse or of Nova through InvokeModel."""

    messages: list[ConverseMessage] | None = None
    system: list[ConverseBlock] | None = None
    inference_config: InferenceConfig | None = None
    tool_config: _ToolConfig | None = None
    prompt_variables: msgspec.Raw | None = None
    converse_output_config: msgspec.Raw | None = msgspec.field(default=None, name="outputConfig")


class _Output(msgspec.Struct, gc=False):
    message: ConverseMessage | None = None


class _Usage(msgspec.Struct, gc=False):
    converse_input_tokens: int | None = msgspec.field(default=None, name="inputTokens")
    converse_output_tokens: int | None = msgspec.field(default=None, name="outputTokens")
    converse_cache_read_tokens: int | None = msgspec.field(default=None, name="cacheReadInputTokens")
    converse_cache_write_tokens: int | None = msgspec.field(default=None, name="cacheWriteInputTokens")


class _Metrics(msgspec.Struct, gc=False, rename="camel"):
    latency_ms: int | None = None


class _Response(msgspec.Struct, gc=False):
    output: _Output | None = None
    converse_stop_reason: str | None = msgspec.field(default=None, name="stopReason")
    usage: _Usage | None = None
    metrics: _Metrics | None = None


class _DeltaToolUse(msgspec.Struct, gc=False):
    input: str | None = None


class _DeltaReasoning(msgspec.Struct, gc=False):
    text: str | None = None


class _Delta(msgspec.Struct, gc=False, rename="camel"):
    text: str | None = None
    tool_use: _DeltaToolUse | None = None
    reasoning_content: _DeltaReasoning | None = None


class _ContentBlockDelta(msgspec.Struct, gc=False, rename="camel"):
    delta: _Delta | None = None
    content_block_index: int | None = None


class _StartToolUse(msgspec.Struct, gc=False, rename="camel"):
    tool_use_id: str | None = None
    name: str | None = None
    type: str | None = None


class _Start(msgspec.Struct, gc=False, rename="camel"):
    tool_use: _StartToolUse | None = None


class _ContentBlockStart(msgspec.Struct, gc=False, rename="camel"):
    start: _Start | None = None
    content_block_index: int | None = None


class _MessageStop(msgspec.Struct, gc=False, rename="camel"):
    stop_reason: str | None = None


class _StreamMetadata(msgspec.Struct, gc=False):
    usage: _Usage | None = None
    metrics: _Metrics | None = None


class _Chunk(msgspec.Struct, gc=False, rename="camel"):
    message_start: msgspec.Raw | None = None
    content_block_start: _ContentBlockStart | None = None
    content_block_delta: _ContentBlockDelta | None = None
    content_block_stop: msgspec.Raw | None = None
    message_stop: _MessageStop | None = None
    metadata: _StreamMetadata | None = None


def read_block(block: ConverseBlock) -> Content | None:
    """The content of one block; None for what carries none (cache points)."""
    if block.text is not None:
        return block.text
    if block.guard_content is not None:
        guarded = block.guard_content
        if guarded.text is not None:
            return guarded.text.text or ""
        return Block("image", _media(guarded.image or _Media()))
    if block.citations_content is not None:
        return "".join(part.text or "" for part in block.citations_content.content or ())
    if is_given(block.cache_point):
        return None
    return _read_other_block(block)


def _read_other_block(block: ConverseBlock) -> Content:
    if is_given(block.tool_use):
        return _tool_block("toolUse", raw_value(block.tool_use))
    if is_given(block.tool_result):
        return _tool_block("toolResult", _without_bytes(raw_value(block.tool_result)))
    if block.image is not None:
        return Block("image", _media(block.image))
    if block.document is not None:
        return Block("document", _media(block.document))
    if block.video is not None:
        return Block("video", _media(block.video))
    if block.audio is not None:
        return Block("audio", _media(block.audio))
    if is_given(block.search_result):
        return Block("searchResult", raw_value(block.search_result))
    return Block("unknown", {})


def _tool_block(kind: BlockKind, value: Any) -> Block:
    return Block(kind, value) if isinstance(value, dict) else Block("unknown", {})


def _media(media: _Media) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if media.format is not None:
        value["format"] = media.format
    if media.name is not None:
        value["name"] = media.name
    source = media.source
    if source is None:
        return value
    uri = source.s3_uri or (source.s3_location.uri if source.s3_location else None)
    if uri is not None:
        value["source"] = {"s3Location": {"uri": uri}}
    elif source.text is not None:
        value["source"] = {"text": source.text}
    elif source.content is not None:
        value["source"] = {
            "content": [{"text": part.text} for part in source.content if part.text is not None]
        }
    return value


def _without_bytes(value: Any) -> Any:
    """A tool result without the bytes of its images and documents."""
    if isinstance(value, dict):
        return {key: _without_bytes(item) for key, item in value.items() if key != "bytes"}
    if isinstance(value, list):
        return [_without_bytes(item) for item in value]
    return value


def read_message_content(message: ConverseMessage) -> tuple[list[Content], list[str]]:
    """The content of a message, and its reasoning texts apart."""
    content: list[Content] = []
    reasoning: list[str] = []
    for block in message.content or ():
        if block.text is not None:  # nearly all blocks
            content.append(block.text)
        elif block.reasoning_content is not None:
            text = block.reasoning_content.reasoning_text
            if text is not None and text.text:
                reasoning.append(text.text)
        elif (piece := read_block(block)) is not None:
            content.append(piece)
    return content, reasoning


def accepts_request(body: ConverseRequest) -> bool:
    """Whether the messages are in Converse's form; also a prompt resource's variables without any."""
    if body.messages is None:
        return is_given(body.prompt_variables)
    # Blocks of the Anthropic and OpenAI formats say their `type`; Converse blocks are known by their member.
    for message in body.messages:
        if type(message.content) is not list:
            return False
        for block in message.content:
            if block.type is not None:
                return False
    return body.system is None or type(body.system) is list


def read_request(body: ConverseRequest) -> Prompt:
    """The prompt of a body that `accepts_request` took."""
    if body.messages is None:
        return Prompt(details=("prompt_resource",))
    return Prompt(
        turns=[Turn(message.role or "", read_message_content(message)[0]) for message in body.messages],
        system=[text for block in body.system or () if isinstance(text := read_block(block), str)],
        tools=_tools(body.tool_config),
        params=_params(body),
    )


def _tools(config: _ToolConfig | None) -> list[Any] | None:
    tools = raw_value(config.tools) if config is not None else None
    if not isinstance(tools, list):
        return None
    return [tool for tool in tools if not (isinstance(tool, dict) and "cachePoint" in tool)]


def _params(body: ConverseRequest) -> dict[str, Any]:
    config = body.inference_config or InferenceConfig()
    return collect_params(
        max_tokens=config.max_tokens,
        temperature=config.temperature,
        top_p=config.converse_top_p,
        stop_sequences=config.stop_sequences,
        response_schema=raw_value(body.converse_output_config),
        tool_choice=raw_value(body.tool_config.tool_choice) if body.tool_config is not None else None,
    )


def _accepts_response(body: _Response) -> bool:
    return body.output is not None and body.output.message is not None


def _read_response(body: _Response) -> Answer:
    assert body.output is not None
    assert body.output.message is not None
    content, reasoning = read_message_content(body.output.message)
    return Answer(
        content=content,
        reasoning=reasoning,
        stop_reason=body.converse_stop_reason,
        usage=_usage(body.usage),
        latency_ms=body.metrics.latency_ms if body.metrics else None,
        details=tool_details(content),
    )


def _usage(usage: _Usage | None) -> Usage:
    if usage is None:
        return NO_USAGE
    return Usage(
        usage.converse_input_tokens,
        usage.converse_output_tokens,
        usage.converse_cache_read_tokens,
        usage.converse_cache_write_tokens,
    )


def _accepts_stream(chunks: list[_Chunk]) -> bool:
    return any(
        is_given(chunk.message_start)
        or chunk.content_block_delta is not None
        or chunk.message_stop is not None
        for chunk in chunks
    )


class _StreamBlock:
    """One content block of a stream while its deltas arrive."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.tool: _StartToolUse | None = None
        self.tool_input: list[str] = []

    def add(self, delta: _Delta) -> None:
        if delta.text is not None:
            self.text.append(delta.text)
        if delta.tool_use is not None and delta.tool_use.input is not None:
            self.tool_input.append(delta.tool_use.input)
        if delta.reasoning_content is not None and delta.reasoning_content.text is not None:
            self.reasoning.append(delta.reasoning_content.text)

    def tool_block(self) -> Block:
        assert self.tool is not None
        value: dict[str, Any] = {"toolUseId": self.tool.tool_use_id, "name": self.tool.name}
        value["input"] = streamed_tool_input("".join(self.tool_input))
        if self.tool.type is not None:
            value["type"] = self.tool.type
        return Block("toolUse", value)


def streamed_tool_input(text: str) -> Any:
    """The input object of a tool call from its joined fragments; the text itself where it is not JSON."""
    if not text.strip():
        return {}
    try:
        return json_value(text.encode("utf-8"))
    except (ValueError, RecursionError):
        return text


def _read_stream(chunks: list[_Chunk]) -> Answer:
    blocks: dict[int, _StreamBlock] = {}
    answer = Answer(ended=False)
    for chunk in chunks:
        if chunk.content_block_delta is not None and chunk.content_block_delta.delta is not None:
            index = chunk.content_block_delta.content_block_index or 0
            blocks.setdefault(index, _StreamBlock()).add(chunk.content_block_delta.delta)
        elif chunk.content_block_start is not None and chunk.content_block_start.start is not None:
            index = chunk.content_block_start.content_block_index or 0
            blocks.setdefault(index, _StreamBlock()).tool = chunk.content_block_start.start.tool_use
        elif chunk.message_stop is not None:
            answer.stop_reason = chunk.message_stop.stop_reason
            answer.ended = answer.stop_reason is not None
        elif chunk.metadata is not None:
            answer.usage = _usage(chunk.metadata.usage)
            answer.latency_ms = chunk.metadata.metrics.latency_ms if chunk.metadata.metrics else None
    for _, block in sorted(blocks.items()):
        if block.tool is not None:
            answer.content.append(block.tool_block())
        elif block.text:
            answer.content.append("".join(block.text))
        if block.reasoning:
            answer.reasoning.append("".join(block.reasoning))
    answer.details = tool_details(answer.content)
    return answer


SHAPE = BodyShape(
    name="converse",
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    rank=20,
    models=("any model, through Converse and ConverseStream", "amazon.nova-pro-v1:0 through InvokeModel"),
    request=RequestShape(ConverseRequest, accepts_request, read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Chunk, _accepts_stream, _read_stream),
)
