"""One status for every record: the first that applies, in the order of `logminer.statuses.STATUSES`."""

from __future__ import annotations

import functools
import re

import msgspec

from logminer.conversations.parts import Answer, Block, BlockKind, Prompt
from logminer.conversations.prompt_form import NormalPrompt
from logminer.conversations.service_fields import ServiceSignals
from logminer.conversations.stops import STOPPED_AT_SEQUENCE, StopClass, stop_class_of
from logminer.model import AnyRecord
from logminer.models import looks_not_text, parse_model_id

# A template that ends like this lets the model begin with its reasoning; nothing of the answer is given.
_REASONING_OPENERS = frozenset({"", "<think>", "<reasoning>"})


class ReadBodies(msgspec.Struct, gc=False):
    """What the bodies of one record gave; None where a body is absent or has no known shape.

    `text` is the response with its prefill, `normal` the prompt in normal form.
    """

    prompt: Prompt | None
    normal: NormalPrompt | None
    answer: Answer | None
    signals: ServiceSignals
    text: str
    reasoning: str | None


def judge(record: AnyRecord, read: ReadBodies, words: list[str]) -> str:
    """The status of a record. Adds to `words` the details that go with it, and those that stay visible."""
    for part in (read.prompt, read.answer, read.normal):
        if part is not None:
            words.extend(part.details)
    if record.error_code:
        return "error"
    return _absent_status(record, read, words) or _text_status(read, words)


def prompt_status(record: AnyRecord, read: ReadBodies) -> str:
    """The judgement of the prompt alone, one of `PROMPT_STATUSES`."""
    if read.normal is None:
        is_not_text = read.prompt is not None or is_not_text_model(record.model_id)
        return "not_text" if is_not_text else "missing"
    if read.prompt is not None and "prompt_resource" in read.prompt.details:
        return "missing"
    # A bare `prompt` or `inputText` may as well ask for an image or an embedding; the answer or the id tells.
    if (read.answer is not None and read.answer.not_text) or is_not_text_model(record.model_id):
        return "not_text"
    return read.normal.status


def _absent_status(record: AnyRecord, read: ReadBodies, words: list[str]) -> str | None:
    """A status for records without two readable text bodies; None for all others."""
    no_request = record.input is None or record.input.input_body_json is None
    no_response = record.output is None or record.output.output_body_json is None
    if no_request and no_response and is_not_text_model(record.model_id):
        return "not_text_generation"
    if no_request or no_response or "prompt_resource" in words:
        _explain_absence(record, no_request, no_response, words)
        return "body_missing"
    if (read.prompt is not None and read.prompt.not_text) or (
        read.answer is not None and read.answer.not_text
    ):
        return "not_text_generation"
    if read.answer is not None and has_block(read.answer, "unknown"):
        words.append("unknown_block")
    if read.prompt is None or read.answer is None or "unknown_block" in words:
        return "unrecognized"
    return None


@functools.lru_cache(maxsize=1024)
def is_not_text_model(model_id: str | None) -> bool:
    """Whether a model id, as logged, is that of a model that does not write text."""
    model = parse_model_id(model_id).model if model_id else None
    return model is not None and looks_not_text(model)


def _explain_absence(record: AnyRecord, no_request: bool, no_response: bool, words: list[str]) -> None:
    request_path = record.input.input_body_s3_path if record.input is not None else None
    response_path = record.output.output_body_s3_path if record.output is not None else None
    fields = {"request": "input.inputBodyJson", "response": "output.outputBodyJson"}
    for absent, path, side in (
        (no_request, request_path, "request"),
        (no_response, response_path, "response"),
    ):
        if absent:
            # A body that was there, but of a type that no body has, is not switched off.
            if path is None and not any(word.startswith(f"wrong_type:{fields[side]}") for word in words):
                words.append("modality_off")
            words.append(side)


def has_block(answer: Answer, kind: BlockKind) -> bool:
    """Whether the answer has a block of this kind, such as a tool call."""
    for piece in answer.content:
        if type(piece) is not str:
            assert isinstance(piece, Block)
            if piece.kind == kind:
                return True
    return False


def _text_status(read: ReadBodies, words: list[str]) -> str:
    answer, normal, text = read.answer, read.normal, read.text
    assert answer is not None
    assert normal is not None
    stop_class = stop_class_of(answer.stop_reason)
    _add_visible_details(read, stop_class, words)
    if _is_blocked(answer, read.signals, stop_class, words):
        return "blocked"
    if read.signals.anonymized:
        words.append("anonymized")
        return "masked"
    if not answer.ended or answer.stop_reason is None or stop_class == "broken":
        _explain_incomplete(answer, words)
        return "incomplete"
    if stop_class == "tool_call" or has_block(answer, "toolUse"):
        return "tool_call"
    if not text or text.isspace():
        return "empty_response"
    if normal.status == "ok":
        return "truncated" if stop_class == "truncated" else "pair"
    return {"media": "media", "tools": "tool_turns"}.get(normal.status, "bad_turns")


def _explain_incomplete(answer: Answer, words: list[str]) -> None:
    if not answer.ended:
        words.append("no_stream_end")
    elif answer.stop_reason is None:
        words.append("no_stop_reason")


def _add_visible_details(read: ReadBodies, stop_class: StopClass, words: list[str]) -> None:
    assert read.prompt is not None
    assert read.normal is not None
    assert read.answer is not None
    stop_reason = read.answer.stop_reason
    if read.prompt.tools:
        words.append("tools_offered")
    if read.normal.prefill and read.normal.prefill.strip() not in _REASONING_OPENERS:
        words.append("prefill")
    if read.reasoning:
        words.append("reasoning")
    if stop_reason in STOPPED_AT_SEQUENCE:
        words.append("stop_sequence")
    elif stop_class == "unknown" and stop_reason is not None:
        words.append("stop:" + re.sub(r"[^A-Za-z0-9_.:-]", "_", stop_reason[:64]))


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
