"""Mistral text completion: a raw prompt string in, `outputs` out.

Its requests are those of any text completion.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.parts import Answer
from logminer.conversations.shapes import BodyShape, ResponseShape, StreamShape


class _Output(msgspec.Struct, gc=False):
    text: str | None = None
    stop_reason: str | None = None


class _Response(msgspec.Struct, gc=False):
    """An answer or one fragment of it."""

    outputs: list[_Output] | None = None


def _accepts_response(body: _Response) -> bool:
    return bool(body.outputs) and body.outputs is not None and body.outputs[0].text is not None


def _read_response(body: _Response) -> Answer:
    assert body.outputs
    return Answer(
        content=[body.outputs[0].text or ""],
        stop_reason=body.outputs[0].stop_reason,
        details=("several_generations",) if len(body.outputs) > 1 else (),
    )


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(_accepts_response(chunk) for chunk in chunks)


def _read_stream(chunks: list[_Response]) -> Answer:
    outputs = [chunk.outputs[0] for chunk in chunks if chunk.outputs]
    stop_reason = next((o.stop_reason for o in reversed(outputs) if o.stop_reason is not None), None)
    return Answer(
        content=["".join(output.text or "" for output in outputs)],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
    )


SHAPE = BodyShape(
    name="mistral_text",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html",
    rank=60,
    models=("mistral.mistral-7b-instruct-v0:2", "mistral.mixtral-8x7b-instruct-v0:1"),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
