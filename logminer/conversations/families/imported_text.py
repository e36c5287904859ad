"""Imported models that answer with a bare `text`, such as Qwen 2.

Their requests are those of Llama or of a text completion.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/invoke-imported-model.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.families.openai_chat import OpenAIUsage, stop_reason_of, usage_of
from logminer.conversations.parts import Answer
from logminer.conversations.shapes import BodyShape, ResponseShape, StreamShape


class _Response(msgspec.Struct, gc=False):
    """An answer or one fragment of it."""

    text: str | None = None
    finish_reason: str | None = None
    stop_reason: str | None = None
    usage: OpenAIUsage | None = None


def _accepts_response(body: _Response) -> bool:
    return body.text is not None


def _read_response(body: _Response) -> Answer:
    return Answer(
        content=[body.text or ""],
        stop_reason=stop_reason_of(body),
        usage=usage_of(body.usage),
        inline_reasoning=True,
    )


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(chunk.text is not None for chunk in chunks)


def _read_stream(chunks: list[_Response]) -> Answer:
    stop_reason = next((reason for c in reversed(chunks) if (reason := stop_reason_of(c)) is not None), None)
    return Answer(
        content=["".join(chunk.text or "" for chunk in chunks)],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
        usage=usage_of(next((chunk.usage for chunk in reversed(chunks) if chunk.usage is not None), None)),
        inline_reasoning=True,
    )


SHAPE = BodyShape(
    name="imported_text",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/invoke-imported-model.html",
    rank=95,
    models=("imported Qwen 2 models",),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
