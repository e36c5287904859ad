"""Anthropic Claude 2 and Instant: the text completions API, a prompt of `Human:` and `Assistant:` turns.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    prompt: str | None = None
    max_tokens_to_sample: int | float | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | float | None = None
    stop_sequences: list[str] | None = None


class _Response(msgspec.Struct, gc=False):
    """An answer or one fragment of it; in fragments `stop_reason` is null but in the last."""

    completion: str | None = None
    stop_reason: str | None = None


def _accepts_request(body: _Request) -> bool:
    return body.prompt is not None and body.max_tokens_to_sample is not None


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.prompt or "")
    prompt.params = collect_params(
        max_tokens=body.max_tokens_to_sample,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop_sequences=body.stop_sequences,
    )
    return prompt


def _accepts_response(body: _Response) -> bool:
    return body.completion is not None


def _read_response(body: _Response) -> Answer:
    return Answer(content=[body.completion or ""], stop_reason=body.stop_reason)


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(chunk.completion is not None for chunk in chunks)


def _read_stream(chunks: list[_Response]) -> Answer:
    stop_reason = next((c.stop_reason for c in reversed(chunks) if c.stop_reason is not None), None)
    return Answer(
        content=["".join(chunk.completion or "" for chunk in chunks)],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
    )


SHAPE = BodyShape(
    name="anthropic_legacy",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html",
    rank=51,
    models=("anthropic.claude-v2:1", "anthropic.claude-instant-v1"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
