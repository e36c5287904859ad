"""Chat completions in OpenAI's form, which most vendors on Bedrock take through InvokeModel.

Mistral chat, AI21 Jamba, DeepSeek V3, gpt-oss, Qwen, Gemma, MiniMax, Kimi, Nemotron, GLM, Grok, Palmyra and
imported models. They differ in little: content is a string, null, a list of parts, or (Palmyra X5) an
object; the stop reason is `finish_reason` or `stop_reason`; Mistral's stream has `message` where the others
have `delta`; gpt-oss and Kimi put their reasoning into the text.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
"""

from __future__ import annotations

import re
from typing import Any, Protocol

import msgspec

from logminer.conversations.families.cohere_r import document_blocks
from logminer.conversations.families.converse import streamed_tool_input
from logminer.conversations.families.llama import add_to_last_user_turn
from logminer.conversations.params import collect_params, raw_value, stop_list, tool_spec
from logminer.conversations.parts import NO_USAGE, Answer, Block, BlockKind, Content, Prompt, Turn, Usage
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape

_TEXT_TYPES = frozenset({"text", "input_text", "output_text", None})
_MEDIA: dict[str, BlockKind] = {
    "image_url": "image",
    "image": "image",
    "input_image": "image",
    "input_audio": "audio",
    "audio_url": "audio",
    "video_url": "video",
    "video": "video",
    "file": "document",
    "input_file": "document",
    "document_url": "document",
}
_DATA_URL_FORMAT = re.compile(rb"data:[a-z]+/([a-z0-9]+)")


class _Text(msgspec.Struct, gc=False):
    text: str | None = None


class _Part(msgspec.Struct, gc=False):
    """A part of a message's content; `thinking` is how Mistral's reasoning models write theirs."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    thinking: str | list[_Text] | None = None
    image_url: msgspec.Raw | None = None


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: msgspec.Raw | None = None  # JSON text; an object with some vendors; a fragment in a stream


class _ToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct, gc=False):
    role: str | None = None
    content: str | list[_Part] | _Text | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Request(msgspec.Struct, gc=False):
    messages: list[_Message] | None = None
    max_tokens: int | float | None = None
    max_completion_tokens: int | float | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | float | None = None
    stop: str | list[str] | None = None
    n: int | float | None = None
    tools: msgspec.Raw | None = None
    tool_choice: msgspec.Raw | None = None
    response_format: msgspec.Raw | None = None
    documents: msgspec.Raw | None = None


class _CachedTokens(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class OpenAIUsage(msgspec.Struct, gc=False):
    """`usage` of a completion; `prompt_tokens` includes those that came from a cache."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _CachedTokens | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int | None = None
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None  # a token id with some inference servers


class _Response(msgspec.Struct, gc=False):
    """An answer or one chunk of it."""

    choices: list[_Choice] | None = None
    usage: OpenAIUsage | None = None


class _Stopped(Protocol):
    """What a choice of a chat or text completion says about its end."""

    @property
    def finish_reason(self) -> str | None: ...

    @property
    def stop_reason(self) -> str | int | None: ...


def stop_reason_of(choice: _Stopped) -> str | None:
    """`finish_reason`, else `stop_reason` where it is a word."""
    if choice.finish_reason is not None:
        return choice.finish_reason
    return choice.stop_reason if isinstance(choice.stop_reason, str) else None


def usage_of(usage: OpenAIUsage | None) -> Usage:
    """The counts, with cached tokens taken out of the prompt's."""
    if usage is None:
        return NO_USAGE
    sent, details = usage.prompt_tokens, usage.prompt_tokens_details
    cached = details.cached_tokens if details is not None else None
    if sent is not None and cached is not None:
        sent -= cached
    return Usage(sent, usage.completion_tokens, cache_read_tokens=cached)


# --- messages -----------------------------------------------------------------------------------------------


def _read_content(content: str | list[_Part] | _Text | None) -> tuple[list[Content], list[str]]:
    """The pieces of a message's content, and its reasoning apart."""
    if content is None:
        return [], []
    if isinstance(content, str):
        return [content], []
    if not isinstance(content, list):
        return [content.text or ""], []
    pieces: list[Content] = []
    reasoning: list[str] = []
    for part in content:
        if part.type == "thinking":
            reasoning.append(_thinking(part.thinking))
        elif part.type != "reference":  # numbers of Mistral's citations
            pieces.append(_read_part(part))
    return pieces, [text for text in reasoning if text]


def _thinking(thinking: str | list[_Text] | None) -> str:
    if isinstance(thinking, list):
        return "".join(item.text or "" for item in thinking)
    return thinking or ""


def _read_part(part: _Part) -> Content:
    if part.type in _TEXT_TYPES and part.text is not None:
        return part.text
    if part.type == "refusal":
        return part.refusal or ""
    kind = _MEDIA.get(part.type or "", "unknown")
    # The head alone tells the format of a data URL; what follows are megabytes.
    head = bytes(memoryview(part.image_url)[:64]) if part.image_url is not None else b""
    found = _DATA_URL_FORMAT.search(head)
    return Block(kind, {"format": found[1].decode()} if found is not None else {})


def _tool_block(call_id: str | None, name: str | None, arguments: Any) -> Block:
    tool_input = streamed_tool_input(arguments) if isinstance(arguments, str) else arguments
    return Block(
        "toolUse", {"toolUseId": call_id, "name": name, "input": {} if tool_input is None else tool_input}
    )


def _tool_blocks(calls: list[_ToolCall] | None) -> list[Block]:
    functions = [(call.id, call.function or _Function()) for call in calls or ()]
    return [_tool_block(call_id, call.name, raw_value(call.arguments)) for call_id, call in functions]


def _read_turn(message: _Message) -> Turn:
    content, _ = _read_content(message.content)
    if message.role in ("tool", "function"):
        items = [
            {"text": piece} if isinstance(piece, str) else {piece.kind: piece.value} for piece in content
        ]
        return Turn("user", [Block("toolResult", {"toolUseId": message.tool_call_id, "content": items})])
    if message.tool_calls:
        # Beside tool calls the content is often an empty string.
        content = [*(piece for piece in content if piece != ""), *_tool_blocks(message.tool_calls)]
    return Turn(message.role or "", content)


# --- the request --------------------------------------------------------------------------------------------


def _accepts_request(body: _Request) -> bool:
    return body.messages is not None


def _read_request(body: _Request) -> Prompt:
    prompt = Prompt(
        turns=[_read_turn(message) for message in body.messages or ()],
        tools=_tools(raw_value(body.tools)),
        params=collect_params(
            max_tokens=body.max_tokens if body.max_tokens is not None else body.max_completion_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            stop_sequences=stop_list(body.stop),
            n=body.n,
            response_schema=raw_value(body.response_format),
            tool_choice=raw_value(body.tool_choice),
        ),
    )
    documents = document_blocks(raw_value(body.documents))
    if documents:
        add_to_last_user_turn(prompt, documents)
    return prompt


def _tools(tools: Any) -> list[Any] | None:
    if not isinstance(tools, list):
        return None
    functions = [tool.get("function") or tool for tool in tools if isinstance(tool, dict)]
    return [
        tool_spec(function.get("name"), function.get("description"), function.get("parameters"))
        for function in functions
        if isinstance(function, dict)
    ]


# --- the answer ---------------------------------------------------------------------------------------------


def _accepts_response(body: _Response) -> bool:
    return bool(body.choices) and body.choices is not None and body.choices[0].message is not None


def _read_response(body: _Response) -> Answer:
    assert body.choices
    choice = body.choices[0]
    message = choice.message or _Message()
    content, reasoning = _read_content(message.content)
    stated = message.reasoning_content or message.reasoning
    return Answer(
        content=_with_refusal([*content, *_tool_blocks(message.tool_calls)], message.refusal),
        reasoning=[stated, *reasoning] if stated else reasoning,
        stop_reason=stop_reason_of(choice),
        usage=usage_of(body.usage),
        inline_reasoning=True,
        refused=bool(message.refusal),
        details=("several_generations",) if len(body.choices) > 1 else (),
    )


def _with_refusal(content: list[Content], refusal: str | None) -> list[Content]:
    """A refusal stands in a field of its own, and content is null: it is what the model said."""
    return [refusal] if refusal and not content else content


# --- streams ------------------------------------------------------------------------------------------------


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(
        choice.delta is not None or choice.message is not None
        for chunk in chunks
        for choice in chunk.choices or ()
    )


class _StreamedCall:
    """One tool call of a stream while its fragments arrive."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.name: str | None = None
        self.fragments: list[str] = []
        self.whole: Any = None  # arguments that came as an object

    def add(self, call: _ToolCall) -> None:
        function = call.function or _Function()
        self.id = call.id or self.id
        self.name = function.name or self.name
        arguments = raw_value(function.arguments)
        if isinstance(arguments, str):
            self.fragments.append(arguments)
        elif arguments is not None:
            self.whole = arguments

    def block(self) -> Block:
        return _tool_block(
            self.id, self.name, self.whole if self.whole is not None else "".join(self.fragments)
        )


class _StreamedAnswer:
    """The first choice of a stream while its chunks arrive."""

    def __init__(self) -> None:
        self.pieces: list[Content] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, _StreamedCall] = {}
        self.stop_reason: str | None = None

    def add(self, choice: _Choice) -> None:
        reason = stop_reason_of(choice)
        self.stop_reason = reason if reason is not None else self.stop_reason
        delta = choice.delta if choice.delta is not None else choice.message
        if delta is None:
            return
        pieces, reasoning = _read_content(delta.content)
        self.pieces.extend(pieces)
        stated = delta.reasoning_content or delta.reasoning
        self.reasoning.extend([stated, *reasoning] if stated else reasoning)
        if delta.refusal:
            self.refusal.append(delta.refusal)
        for position, call in enumerate(delta.tool_calls or ()):
            index = call.index if call.index is not None else position
            self.calls.setdefault(index, _StreamedCall()).add(call)

    def content(self) -> list[Content]:
        text = "".join(piece for piece in self.pieces if isinstance(piece, str))
        others = [piece for piece in self.pieces if not isinstance(piece, str)]
        calls = [call.block() for _, call in sorted(self.calls.items())]
        return _with_refusal([*([text] if text else []), *others, *calls], "".join(self.refusal))


def _read_stream(chunks: list[_Response]) -> Answer:
    choices = [choice for chunk in chunks for choice in chunk.choices or ()]
    first = [choice for choice in choices if not choice.index]
    streamed = _StreamedAnswer()
    for choice in first:
        streamed.add(choice)
    return Answer(
        content=streamed.content(),
        reasoning=["".join(streamed.reasoning)] if streamed.reasoning else [],
        stop_reason=streamed.stop_reason,
        ended=streamed.stop_reason is not None,
        usage=usage_of(next((chunk.usage for chunk in reversed(chunks) if chunk.usage is not None), None)),
        inline_reasoning=True,
        refused=bool(streamed.refusal),
        details=("several_generations",) if len(first) < len(choices) else (),
    )


SHAPE = BodyShape(
    name="openai_chat",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html",
    rank=30,
    models=(
        "openai.gpt-oss-120b-1:0",
        "mistral.mistral-large-2407-v1:0",
        "qwen.qwen3-32b-v1:0",
        "deepseek.v3-v1:0",
        "ai21.jamba-1-5-large-v1:0",
        "us.writer.palmyra-x5-v1:0",
    ),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
