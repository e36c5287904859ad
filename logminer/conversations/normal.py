"""The normal form: prompts and answers of all families written the same way, and judged.

System and developer turns become `system`, joined with a blank line. Neighbouring turns of one role merge.
Text blocks of one prompt turn join with a line feed, those of an answer with nothing. An open assistant turn
at the end of the prompt is no turn: the response is that beginning and what followed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from logminer.conversations.inline_reasoning import split_inline_reasoning
from logminer.conversations.parts import MEDIA_KINDS, TOOL_KINDS, Answer, Block, Content, Prompt, Turn
from logminer.conversations.service_fields import (
    NO_SIGNALS,
    ServiceSignals,
    read_service_fields,
    read_stream_service_fields,
)
from logminer.conversations.shapes import BodyShape, body_shapes
from logminer.conversations.stops import STOPPED_AT_SEQUENCE, StopClass, stop_class_of
from logminer.conversations.templates import special_tokens
from logminer.json_text import encode_canonical_json, encode_json
from logminer.model import AnyRecord
from logminer.models import looks_not_text, parse_model_id

_PROMPT_ROLES = frozenset({"user", "assistant"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_MAX_COUNT = 2**31 - 1


class Conversation(msgspec.Struct, gc=False):
    """What one log record says, in the store's own columns. Lists of JSON are text: they are only stored."""

    status: str
    status_detail: str | None
    prompt_status: str
    system: str | None
    messages: str | None
    response: str | None
    response_blocks: str | None
    reasoning: str | None
    tools: str | None
    params: str | None
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


class _NormalPrompt(msgspec.Struct, gc=False):
    """A prompt in normal form, with what its judgement needs."""

    system: str | None
    turns: list[Turn]
    messages: bytes  # JSON list of Converse messages
    canonical: bytes  # the same with sorted keys, for hashing
    prefill: str
    status: str
    details: list[str]
    has_media: bool
    has_tool_turns: bool


def conversation_of(record: AnyRecord, details: tuple[str, ...] = ()) -> Conversation:
    """The conversation that a record logs. `details` are words that its decoding or fetching gave."""
    request = record.input.input_body_json if record.input is not None else None
    response = record.output.output_body_json if record.output is not None else None
    prompt = _read_request(request)
    answer, signals = _read_response(response)
    normal = _normal_prompt(prompt) if prompt is not None and not prompt.not_text else None
    text, reasoning = _response_text(answer, normal)
    words = list(details)
    status = _status(record, prompt, answer, signals, normal, text, reasoning, words)
    return _conversation(record, prompt, answer, signals, normal, text, reasoning, status, words)


@functools.cache
def _requests() -> tuple[BodyShape, ...]:
    return tuple(shape for shape in body_shapes() if shape.request is not None)


@functools.cache
def _responses() -> tuple[BodyShape, ...]:
    return tuple(shape for shape in body_shapes() if shape.response is not None)


@functools.cache
def _streams() -> tuple[BodyShape, ...]:
    return tuple(shape for shape in body_shapes() if shape.stream is not None)


def _read_request(body: Any) -> Prompt | None:
    """The prompt of a request body; None where it is absent or no shape knows it."""
    if body is None or type(body) is str:
        return None
    for shape in _requests():
        request = shape.request
        assert request is not None
        if request.accepts(body):
            return request.read(body)
    return None


def _read_response(body: Any) -> tuple[Answer | None, ServiceSignals]:
    if body is None or type(body) is str:
        return None, NO_SIGNALS
    if type(body) is list:
        return _read_chunks([chunk for chunk in body if type(chunk) is not str])
    signals = read_service_fields(body)
    for shape in _responses():
        response = shape.response
        assert response is not None
        if response.accepts(body):
            return response.read(body), signals
    return None, signals


def _read_chunks(chunks: list[Any]) -> tuple[Answer | None, ServiceSignals]:
    if not chunks:
        return None, NO_SIGNALS
    signals = read_stream_service_fields(chunks)
    for shape in _streams():
        stream = shape.stream
        assert stream is not None
        if stream.accepts(chunks):
            return stream.read(chunks), signals
    return None, signals


# --- the prompt ---------------------------------------------------------------------------------------------


def _normal_prompt(prompt: Prompt) -> _NormalPrompt:
    system_texts = [text for text in prompt.system if text and not text.isspace()]
    turns: list[Turn] = []
    details: list[str] = []
    for turn in prompt.turns:
        role = turn.role
        if role in _SYSTEM_ROLES:
            system_texts.extend(piece for piece in turn.content if type(piece) is str and piece.strip())
        elif turns and turns[-1].role == role:
            turns[-1] = Turn(role, [*turns[-1].content, *turn.content])
        else:
            if role not in _PROMPT_ROLES:
                details.append("unknown_role")
            turns.append(turn)
    system = "\n\n".join(system_texts) if system_texts else None
    prefill = _take_prefill(turns)
    messages, canonical = _encode_turns(turns)
    normal = _NormalPrompt(system, turns, messages, canonical, prefill, "ok", details, False, False)
    _judge_prompt(normal)
    return normal


def _take_prefill(turns: list[Turn]) -> str:
    """Take an open assistant turn off the end; one that holds a tool call is a turn like others."""
    if len(turns) < 2 or turns[-1].role != "assistant":
        return ""
    content = turns[-1].content
    if any(type(piece) is not str for piece in content):
        return ""
    turns.pop()
    return "".join(content)  # type: ignore[arg-type]


def _encode_turns(turns: list[Turn]) -> tuple[bytes, bytes]:
    """The turns as a JSON list of Converse messages, and the same in canonical form (sorted keys)."""
    messages: list[bytes] = []
    canonical: list[bytes] = []
    for turn in turns:
        role = encode_json(turn.role)
        plain, ordered = _encode_content(turn.content)
        messages.append(b'{"role":' + role + b',"content":[' + plain + b"]}")
        canonical.append(b'{"content":[' + ordered + b'],"role":' + role + b"}")
    return b"[" + b",".join(messages) + b"]", b"[" + b",".join(canonical) + b"]"


def _encode_content(content: list[Content]) -> tuple[bytes, bytes]:
    pieces = _join_texts(content, "\n")
    if len(pieces) == 1 and type(pieces[0]) is str:
        block = b'{"text":' + encode_json(pieces[0]) + b"}"
        return block, block
    plain = [_converse_block(piece) for piece in pieces]
    return encode_json(plain)[1:-1], encode_canonical_json(plain)[1:-1]


def _converse_block(piece: Content) -> dict[str, Any]:
    if type(piece) is str:
        return {"text": piece}
    assert isinstance(piece, Block)
    return {piece.kind: piece.value}


def _join_texts(content: list[Content], separator: str) -> list[Content]:
    """`content` with neighbouring texts joined."""
    if len(content) == 1:
        return content
    pieces: list[Content] = []
    for piece in content:
        if pieces and type(piece) is str and type(pieces[-1]) is str:
            pieces[-1] = pieces[-1] + separator + piece
        else:
            pieces.append(piece)
    return pieces


def _judge_prompt(normal: _NormalPrompt) -> None:
    """Set `status` (a prompt status), details, and what kinds of content there are."""
    blank = any_text = unknown = False
    for turn in normal.turns:
        turn_is_blank = True
        for piece in turn.content:
            if type(piece) is str:
                if piece and not piece.isspace():
                    turn_is_blank = False
                    any_text = True
            else:
                assert isinstance(piece, Block)
                turn_is_blank = False
                normal.has_media = normal.has_media or piece.kind in MEDIA_KINDS
                normal.has_tool_turns = normal.has_tool_turns or piece.kind in TOOL_KINDS
                unknown = unknown or piece.kind == "unknown"
                if piece.kind == "searchResult" or (piece.kind == "document" and _is_text_document(piece)):
                    normal.details.append("text_document")
        blank = blank or turn_is_blank
    if blank:
        normal.details.append("blank_turn")
    if unknown:
        normal.details.append("unknown_block")
    if normal.turns and normal.turns[0].role != "user":
        normal.details.append("starts_with_assistant")
    if _keeps_template_tokens(normal):
        normal.details.append("template_tokens")
    normal.status = _prompt_status(normal, any_text, unknown)


def _prompt_status(normal: _NormalPrompt, any_text: bool, unknown: bool) -> str:
    if unknown:
        return "missing"
    if not any_text and not normal.has_media and not normal.has_tool_turns:
        return "empty"
    if normal.has_media:
        return "media"
    if normal.has_tool_turns:
        return "tools"
    bad = {"blank_turn", "starts_with_assistant", "template_tokens", "unknown_role"}
    return "bad_turns" if bad.intersection(normal.details) else "ok"


def _is_text_document(block: Block) -> bool:
    source = block.value.get("source") if isinstance(block.value, dict) else None
    return isinstance(source, dict) and ("text" in source or "content" in source)


@functools.cache
def _token_search() -> tuple[str, Callable[[str], object]]:
    """The characters that special tokens begin with, and the search for the tokens themselves."""
    tokens = special_tokens()
    first = "".join(sorted({token[0] for token in tokens}))
    return first, re.compile("|".join(re.escape(token) for token in tokens)).search


def _keeps_template_tokens(normal: _NormalPrompt) -> bool:
    first, search = _token_search()
    texts = [piece for turn in normal.turns for piece in turn.content if type(piece) is str]
    if normal.system is not None:
        texts.append(normal.system)
    # Looking for one character is many times faster than any search for words.
    return any(character in text and search(text) is not None for text in texts for character in first)


# --- the answer ---------------------------------------------------------------------------------------------


def _response_text(answer: Answer | None, normal: _NormalPrompt | None) -> tuple[str, str | None]:
    """The response with its prefill, and the reasoning."""
    if answer is None:
        return "", None
    content = answer.content
    text = (
        content[0]
        if len(content) == 1 and type(content[0]) is str
        else "".join(piece for piece in content if type(piece) is str)
    )
    assert isinstance(text, str)
    if normal is not None and normal.prefill:
        text = normal.prefill + text
    reasoning = answer.reasoning
    if answer.inline_reasoning:
        inline, text = split_inline_reasoning(text)
        if inline:
            reasoning = [*reasoning, inline]
    return text, "\n\n".join(reasoning) if reasoning else None


def _response_blocks(answer: Answer, text: str, reasoning: str | None) -> bytes | None:
    blocks: list[dict[str, Any]] = []
    if reasoning:
        blocks.append({"reasoningContent": {"reasoningText": {"text": reasoning}}})
    if all(type(piece) is str for piece in answer.content):
        if text:
            blocks.append({"text": text})
    else:
        blocks.extend(_converse_block(piece) for piece in _join_texts(answer.content, "") if piece != "")
    return encode_json(blocks) if blocks else None


def _calls_tool(answer: Answer) -> bool:
    return any(isinstance(piece, Block) and piece.kind == "toolUse" for piece in answer.content)


# --- the judgement ------------------------------------------------------------------------------------------


def _status(
    record: AnyRecord,
    prompt: Prompt | None,
    answer: Answer | None,
    signals: ServiceSignals,
    normal: _NormalPrompt | None,
    text: str,
    reasoning: str | None,
    words: list[str],
) -> str:
    """The first status that applies. Adds the details that go with it, and those that stay visible."""
    if prompt is not None:
        words.extend(prompt.details)
    if answer is not None:
        words.extend(answer.details)
    if normal is not None:
        words.extend(normal.details)
    if record.error_code:
        return "error"
    absent = _absent_status(record, prompt, answer, words)
    if absent is not None:
        return absent
    assert prompt is not None
    assert answer is not None
    if normal is None or answer.not_text:
        return "not_text_generation"
    if "unknown_block" in normal.details or _has_unknown_block(answer):
        return "unrecognized"
    return _text_status(prompt, answer, signals, normal, text, reasoning, words)


def _absent_status(
    record: AnyRecord, prompt: Prompt | None, answer: Answer | None, words: list[str]
) -> str | None:
    """A status for records of which a body is absent or unknown; None where both are read."""
    request = record.input.input_body_json if record.input is not None else None
    response = record.output.output_body_json if record.output is not None else None
    prompt_resource = prompt is not None and "prompt_resource" in prompt.details
    if request is None and response is None and _is_not_text_model(record.model_id):
        return "not_text_generation"
    if request is None or response is None or prompt_resource:
        _explain_absence(record, request is None, response is None, words)
        return "body_missing"
    if (prompt is not None and prompt.not_text) or (answer is not None and answer.not_text):
        return "not_text_generation"
    return "unrecognized" if prompt is None or answer is None else None


def _is_not_text_model(model_id: str | None) -> bool:
    model = parse_model_id(model_id).model if model_id else None
    return model is not None and looks_not_text(model)


def _explain_absence(record: AnyRecord, no_request: bool, no_response: bool, words: list[str]) -> None:
    request_path = record.input.input_body_s3_path if record.input is not None else None
    response_path = record.output.output_body_s3_path if record.output is not None else None
    for absent, path, side in ((no_request, request_path, "request"), (no_response, response_path, "response")):
        if absent:
            if path is None and "modality_off" not in words:
                words.append("modality_off")
            words.append(side)


def _has_unknown_block(answer: Answer) -> bool:
    return any(isinstance(piece, Block) and piece.kind == "unknown" for piece in answer.content)


def _text_status(
    prompt: Prompt,
    answer: Answer,
    signals: ServiceSignals,
    normal: _NormalPrompt,
    text: str,
    reasoning: str | None,
    words: list[str],
) -> str:
    stop_class = stop_class_of(answer.stop_reason)
    _add_visible_details(prompt, answer, normal, reasoning, stop_class, words)
    if _is_blocked(answer, signals, stop_class, words):
        return "blocked"
    if signals.anonymized:
        words.append("anonymized")
        return "masked"
    if not answer.ended or answer.stop_reason is None or stop_class == "broken":
        if not answer.ended:
            words.append("no_stream_end")
        elif answer.stop_reason is None:
            words.append("no_stop_reason")
        return "incomplete"
    if stop_class == "tool_call" or _calls_tool(answer):
        return "tool_call"
    if not text or text.isspace():
        return "empty_response"
    if normal.status == "media":
        return "media"
    if normal.status == "tools":
        return "tool_turns"
    if normal.status != "ok":
        return "bad_turns"
    return "truncated" if stop_class == "truncated" else "pair"


def _add_visible_details(
    prompt: Prompt,
    answer: Answer,
    normal: _NormalPrompt,
    reasoning: str | None,
    stop_class: StopClass,
    words: list[str],
) -> None:
    if prompt.tools:
        words.append("tools_offered")
    if normal.prefill.strip() and normal.prefill.strip() not in ("<think>", "<reasoning>"):
        words.append("prefill")
    if reasoning:
        words.append("reasoning")
    if answer.stop_reason in STOPPED_AT_SEQUENCE:
        words.append("stop_sequence")
    elif stop_class == "unknown" and answer.stop_reason is not None:
        words.append("stop:" + re.sub(r"[^A-Za-z0-9_.:-]", "_", answer.stop_reason[:64]))


def _is_blocked(answer: Answer, signals: ServiceSignals, stop_class: StopClass, words: list[str]) -> bool:
    if signals.intervened or answer.stop_reason == "guardrail_intervened":
        words.append("guardrail")
        if signals.anonymized:
            words.append("anonymized")
        return True
    if answer.refused or stop_class == "blocked":
        words.append("refusal")
        return True
    return False


# --- the columns --------------------------------------------------------------------------------------------


def _conversation(
    record: AnyRecord,
    prompt: Prompt | None,
    answer: Answer | None,
    signals: ServiceSignals,
    normal: _NormalPrompt | None,
    text: str,
    reasoning: str | None,
    status: str,
    words: list[str],
) -> Conversation:
    counts = _counts(record, answer, signals, words)
    prompt_hash, pair_hash = _hashes(normal, text) if normal is not None and normal.turns else (None, None)
    blocks = _response_blocks(answer, text, reasoning) if answer is not None else None
    return Conversation(
        status=status,
        status_detail=" ".join(dict.fromkeys(words)) if words else None,
        prompt_status=_recorded_prompt_status(record, prompt, normal),
        system=normal.system if normal is not None else None,
        messages=normal.messages.decode() if normal is not None and normal.turns else None,
        response=text or None,
        response_blocks=blocks.decode() if blocks is not None else None,
        reasoning=reasoning,
        tools=encode_json(prompt.tools).decode() if prompt is not None and prompt.tools else None,
        params=encode_json(prompt.params).decode() if prompt is not None and prompt.params else None,
        stop_reason=answer.stop_reason if answer is not None else None,
        stop_class=stop_class_of(answer.stop_reason) if answer is not None else None,
        prompt_template=prompt.template if prompt is not None else None,
        turns=sum(1 for turn in normal.turns if turn.role == "user") if normal is not None else None,
        has_tools=bool(prompt is not None and prompt.tools)
        or (normal is not None and normal.has_tool_turns)
        or (answer is not None and _calls_tool(answer)),
        has_media=normal is not None and normal.has_media,
        input_tokens=counts[0],
        output_tokens=counts[1],
        cache_read_tokens=counts[2],
        cache_write_tokens=counts[3],
        latency_ms=counts[4],
        prompt_hash=prompt_hash,
        pair_hash=pair_hash if text else None,
    )


def _recorded_prompt_status(record: AnyRecord, prompt: Prompt | None, normal: _NormalPrompt | None) -> str:
    if normal is not None:
        return "missing" if prompt is not None and "prompt_resource" in prompt.details else normal.status
    if prompt is not None or _is_not_text_model(record.model_id):
        return "not_text"
    return "missing"


def _counts(
    record: AnyRecord, answer: Answer | None, signals: ServiceSignals, words: list[str]
) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    """Input, output, cache-read and cache-write tokens, and latency in ms; the log's own figures first."""
    sent, received, metrics = record.input, record.output, signals.metrics
    counts = [
        sent.input_token_count if sent is not None else None,
        received.output_token_count if received is not None else None,
        sent.cache_read_input_token_count if sent is not None else None,
        sent.cache_write_input_token_count if sent is not None else None,
        None,
    ]
    if answer is not None:
        usage = answer.usage
        body = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            answer.latency_ms,
        )
        counts = [logged if logged is not None else own for logged, own in zip(counts, body, strict=True)]
    if metrics is not None:
        streamed = (
            metrics.input_token_count,
            metrics.output_token_count,
            None,
            None,
            metrics.invocation_latency,
        )
        counts = [known if known is not None else own for known, own in zip(counts, streamed, strict=True)]
    for index, count in enumerate(counts):
        if count is not None and not 0 <= count <= _MAX_COUNT:
            counts[index] = None
            words.append("bad_count")
    return counts[0], counts[1], counts[2], counts[3], counts[4]


def _hashes(normal: _NormalPrompt, text: str) -> tuple[str, str]:
    """BLAKE2b-128 over the canonical JSON of [system, messages] and of [system, messages, response]."""
    digest = blake2b(digest_size=16)
    digest.update(b"[" + encode_json(normal.system) + b"," + normal.canonical)
    pair = digest.copy()
    digest.update(b"]")
    pair.update(b"," + encode_json(text) + b"]")
    return digest.hexdigest(), pair.hexdigest()
