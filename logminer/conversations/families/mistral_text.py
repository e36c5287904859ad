"""Mistral text completion: a raw prompt string in, `outputs` out.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params, stop_list
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    prompt: str | None = None
    max_tokens: int | float | None = None
    stop: str | list[str] | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | float | None = None


class _Output(msgspec.Struct, gc=False):
    text: str | None = None
    stop_reason: str | None = None


class _Response(msgspec.Struct, gc=False):
    """An answer or one fragment of it."""

    outputs: list[_Output] | None = None


def _accepts_request(body: _Request) -> bool:
    return body.prompt is not None and (body.max_tokens is not None or body.top_k is not None)


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.prompt or "")
    prompt.params = collect_params(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop_sequences=stop_list(body.stop),
    )
    return prompt


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
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
