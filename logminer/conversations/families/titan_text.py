"""Amazon Titan Text: `inputText` in, `results` out; a stream has one flat object per chunk.

Titan embeddings can have the very same request (`inputText` alone); there the answer decides. A stream ends
with `FINISH` where the documented reason of a whole answer is `FINISHED`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params
from logminer.conversations.parts import Answer, Prompt, Usage
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Config(msgspec.Struct, gc=False, rename="camel"):
    max_token_count: int | float | None = None
    stop_sequences: list[str] | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None


class _Request(msgspec.Struct, gc=False, rename="camel"):
    input_text: str | None = None
    text_generation_config: _Config | None = None


class _Result(msgspec.Struct, gc=False, rename="camel"):
    token_count: int | None = None
    output_text: str | None = None
    completion_reason: str | None = None


class _Response(msgspec.Struct, gc=False, rename="camel"):
    input_text_token_count: int | None = None
    results: list[_Result] | None = None


class _Chunk(msgspec.Struct, gc=False, rename="camel"):
    output_text: str | None = None
    completion_reason: str | None = None
    input_text_token_count: int | None = None
    total_output_text_token_count: int | None = None


def _accepts_request(body: _Request) -> bool:
    return body.input_text is not None


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.input_text or "")
    config = body.text_generation_config
    if config is not None:
        prompt.params = collect_params(
            max_tokens=config.max_token_count,
            temperature=config.temperature,
            top_p=config.top_p,
            stop_sequences=config.stop_sequences,
        )
    return prompt


def _accepts_response(body: _Response) -> bool:
    return bool(body.results) and body.results is not None and body.results[0].output_text is not None


def _read_response(body: _Response) -> Answer:
    assert body.results
    first = body.results[0]
    return Answer(
        content=[first.output_text or ""],
        stop_reason=first.completion_reason,
        usage=Usage(body.input_text_token_count, first.token_count),
        details=("several_generations",) if len(body.results) > 1 else (),
    )


def _accepts_stream(chunks: list[_Chunk]) -> bool:
    return any(chunk.output_text is not None for chunk in chunks)


def _read_stream(chunks: list[_Chunk]) -> Answer:
    reason = next((c.completion_reason for c in reversed(chunks) if c.completion_reason is not None), None)
    received = (c.input_text_token_count for c in chunks)
    produced = (c.total_output_text_token_count for c in reversed(chunks))
    return Answer(
        content=["".join(chunk.output_text or "" for chunk in chunks)],
        stop_reason=reason,
        ended=reason is not None,
        usage=Usage(
            next((count for count in received if count is not None), None),
            next((count for count in produced if count is not None), None),
        ),
    )


SHAPE = BodyShape(
    name="titan_text",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html",
    rank=70,
    models=("amazon.titan-text-express-v1", "amazon.titan-text-premier-v1:0"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Chunk, _accepts_stream, _read_stream),
)
