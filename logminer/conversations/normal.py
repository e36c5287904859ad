"""The normal form: prompts and answers of all families written the same way, and judged.

System and developer turns become `system`, joined with a blank line. Neighbouring turns of one role merge.
Text blocks of one prompt turn join with a line feed, those of an answer with nothing. An open assistant turn
at the end of the prompt is no turn: the response is that beginning and what followed.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from logminer.conversations.inline_reasoning import split_inline_reasoning
from logminer.conversations.judgement import ReadBodies, has_block, judge, prompt_status
from logminer.conversations.parts import NO_USAGE, Answer, Prompt
from logminer.conversations.prompt_form import NormalPrompt, converse_block, join_texts, normal_prompt
from logminer.conversations.service_fields import (
    NO_SIGNALS,
    InvocationMetrics,
    ServiceSignals,
    read_service_fields,
    read_stream_service_fields,
)
from logminer.conversations.shapes import RequestShape, ResponseShape, StreamShape, body_shapes
from logminer.conversations.stops import stop_class_of
from logminer.json_text import encode_json
from logminer.model import AnyRecord
from logminer.pairs import pair_hashes

_MAX_COUNT = 2**31 - 1
_NO_METRICS = InvocationMetrics()


class Conversation(msgspec.Struct, gc=False):
    """What one log record says, in the store's own columns. What is JSON is its text, as UTF-8: it is only stored."""

    status: str
    status_detail: str | None
    prompt_status: str
    system: str | None
    messages: bytes | None
    response: str | None
    response_blocks: bytes | None
    reasoning: str | None
    tools: bytes | None
    params: bytes | None
    stop_reason: str | None
    stop_class: str | None
    prompt_template: str | None
    turns: int | None
    has_tools: bool
    has_media: bool
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    latency_ms: int | None
    prompt_hash: str | None
    pair_hash: str | None


def conversation_of(record: AnyRecord, details: tuple[str, ...] = ()) -> Conversation:
    """The conversation that a record logs. `details` are words that its decoding or fetching gave.

    Raises UnicodeDecodeError or RecursionError for what hides in parts that were not decoded with the record
    (tool schemas and the like).
    """
    request = record.input.input_body_json if record.input is not None else None
    response = record.output.output_body_json if record.output is not None else None
    prompt = _read_request(request)
    answer, signals = _read_response(response)
    normal = normal_prompt(prompt) if prompt is not None and not prompt.not_text else None
    text, reasoning = _response_text(answer, normal)
    words = list(details)
    read = ReadBodies(prompt, normal, answer, signals, text, reasoning)
    status = judge(record, read, words)
    return _conversation(record, read, status, words)


@functools.cache
def _requests() -> tuple[RequestShape, ...]:
    return tuple(shape.request for shape in body_shapes() if shape.request is not None)


@functools.cache
def _responses() -> tuple[ResponseShape, ...]:
    return tuple(shape.response for shape in body_shapes() if shape.response is not None)


@functools.cache
def _streams() -> tuple[StreamShape, ...]:
    return tuple(shape.stream for shape in body_shapes() if shape.stream is not None)


def _read_request(body: Any) -> Prompt | None:
    """The prompt of a request body; None where it is absent or no shape knows it."""
    if body is None or type(body) is str:
        return None
    for shape in _requests():
        if shape.accepts(body):
            return shape.read(body)
    return None


def _read_response(body: Any) -> tuple[Answer | None, ServiceSignals]:
    if body is None or type(body) is str:
        return None, NO_SIGNALS
    if type(body) is list:
        return _read_chunks([chunk for chunk in body if type(chunk) is not str])
    signals = read_service_fields(body)
    for shape in _responses():
        if shape.accepts(body):
            return shape.read(body), signals
    return None, signals


def _read_chunks(chunks: list[Any]) -> tuple[Answer | None, ServiceSignals]:
    if not chunks:
        return None, NO_SIGNALS
    signals = read_stream_service_fields(chunks)
    for shape in _streams():
        if shape.accepts(chunks):
            return shape.read(chunks), signals
    return None, signals


# --- the answer ---------------------------------------------------------------------------------------------


def _response_text(answer: Answer | None, normal: NormalPrompt | None) -> tuple[str, str | None]:
    """The response with its prefill, and the reasoning. An answer without text gets no prefill."""
    if answer is None:
        return "", None
    content = answer.content
    text = (
        content[0]
        if len(content) == 1 and type(content[0]) is str
        else "".join(piece for piece in content if type(piece) is str)
    )
    assert isinstance(text, str)
    if normal is not None and normal.prefill and text and not text.isspace():
        text = normal.prefill + text
    reasoning = answer.reasoning
    if answer.inline_reasoning:
        inline, text = split_inline_reasoning(text)
        if inline:
            reasoning = [*reasoning, inline]
    return text, "\n\n".join(reasoning) if reasoning else None


def _response_blocks(answer: Answer, read: ReadBodies, encoded_text: bytes) -> bytes | None:
    """The whole answer as Converse blocks: reasoning, text, then what is no text."""
    text, reasoning = read.text, read.reasoning
    if text and not reasoning and len(answer.content) == 1:
        return b'[{"text":' + encoded_text + b"}]"
    blocks: list[dict[str, Any]] = []
    if reasoning:
        blocks.append({"reasoningContent": {"reasoningText": {"text": reasoning}}})
    if all(type(piece) is str for piece in answer.content) or answer.inline_reasoning:
        # Inline reasoning is cut out of the joined text, so that text stands first here.
        if text:
            blocks.append({"text": text})
        blocks.extend(converse_block(piece) for piece in answer.content if type(piece) is not str)
    else:
        blocks.extend(converse_block(piece) for piece in join_texts(answer.content, "") if piece != "")
    return encode_json(blocks) if blocks else None


# --- the columns --------------------------------------------------------------------------------------------


def _conversation(record: AnyRecord, read: ReadBodies, status: str, words: list[str]) -> Conversation:
    prompt, normal, answer = read.prompt, read.normal, read.answer
    counts = _counts(record, answer, read.signals, words)
    has_turns = normal is not None and bool(normal.turns)
    text = encode_json(read.text)
    prompt_hash = pair_hash = None
    if normal is not None and has_turns:
        prompt_hash, pair_hash = pair_hashes(normal.system, b"".join(normal.canonical), text)
    blocks = _response_blocks(answer, read, text) if answer is not None else None
    status_detail = " ".join(dict.fromkeys(words)) if words else None
    system = normal.system if normal is not None else None
    messages = normal.messages if normal is not None and has_turns else None
    tools = encode_json(prompt.tools) if prompt is not None and prompt.tools else None
    params = encode_json(prompt.params) if prompt is not None and prompt.params else None
    stop_reason = answer.stop_reason if answer is not None else None
    stop_class = stop_class_of(stop_reason) if answer is not None else None
    template = prompt.template if prompt is not None else None
    turns = [turn.role for turn in normal.turns].count("user") if normal is not None else None
    has_tools = (
        tools is not None
        or (normal is not None and normal.has_tool_turns)
        or (answer is not None and has_block(answer, "toolUse"))
    )
    has_media = normal is not None and normal.has_media
    # By place, in the order of the columns: by name it would take ten times as long, for every record.
    return Conversation(
        status, status_detail, prompt_status(record, read),
        system, messages, read.text or None, blocks, read.reasoning, tools, params,
        stop_reason, stop_class, template, turns, has_tools, has_media,
        *counts,
        prompt_hash, pair_hash if read.text else None,
    )  # fmt: skip


_Count = int | None


def _counts(
    record: AnyRecord, answer: Answer | None, signals: ServiceSignals, words: list[str]
) -> tuple[_Count, _Count, _Count, _Count, _Count]:
    """Input, output, cache-read and cache-write tokens, and latency in ms; the log's own figures first."""
    sent, received = record.input, record.output
    usage = answer.usage if answer is not None else NO_USAGE
    metrics = signals.metrics or _NO_METRICS
    logged = (
        sent.input_token_count if sent is not None else None,
        received.output_token_count if received is not None else None,
        sent.cache_read_input_token_count if sent is not None else None,
        sent.cache_write_input_token_count if sent is not None else None,
    )
    return (
        _count(logged[0], usage.input_tokens, metrics.input_token_count, words),
        _count(logged[1], usage.output_tokens, metrics.output_token_count, words),
        _count(logged[2], usage.cache_read_tokens, None, words),
        _count(logged[3], usage.cache_write_tokens, None, words),
        _count(answer.latency_ms if answer is not None else None, metrics.invocation_latency, None, words),
    )


def _count(first: _Count, second: _Count, third: _Count, words: list[str]) -> _Count:
    """The first that is known; None, and a word, where that is no count."""
    count = first if first is not None else second if second is not None else third
    if count is None or 0 <= count <= _MAX_COUNT:
        return count
    words.append("bad_count")
    return None
