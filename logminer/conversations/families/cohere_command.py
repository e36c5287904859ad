"""Cohere Command and Command Light: a raw prompt string in, `generations` out.

The last chunk of a stream can repeat the whole answer in `response`, and the text can end in `<EOS_TOKEN>`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    prompt: str | None = None
    max_tokens: int | float | None = None
    temperature: int | float | None = None
    p: int | float | None = None
    k: int | float | None = None
    stop_sequences: list[str] | None = None
    num_generations: int | float | None = None
    return_likelihoods: str | None = None
    truncate: str | None = None


class _Generation(msgspec.Struct, gc=False):
    text: str | None = None
    finish_reason: str | None = None


class _Response(msgspec.Struct, gc=False):
    generations: list[_Generation] | None = None


class _Chunk(msgspec.Struct, gc=False):
    text: str | None = None
    index: int | None = None
    is_finished: bool | None = None
    finish_reason: str | None = None
    event_type: str | None = None


def without_end_token(text: str) -> str:
    """The text of a stream without the token that ends it, which Cohere's models let through."""
    return text.removesuffix("<EOS_TOKEN>")


def _accepts_request(body: _Request) -> bool:
    own = (body.p, body.k, body.num_generations, body.return_likelihoods, body.truncate)
    return body.prompt is not None and own != (None, None, None, None, None)


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.prompt or "")
    prompt.params = collect_params(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.p,
        top_k=body.k,
        stop_sequences=body.stop_sequences,
        n=body.num_generations,
    )
    return prompt


def _accepts_response(body: _Response) -> bool:
    return bool(body.generations)


def _read_response(body: _Response) -> Answer:
    assert body.generations
    first = body.generations[0]
    return Answer(
        content=[without_end_token(first.text or "")],
        stop_reason=first.finish_reason,
        details=("several_generations",) if len(body.generations) > 1 else (),
    )


def _accepts_stream(chunks: list[_Chunk]) -> bool:
    # Command R chunks say `is_finished` too, beside their `event_type`.
    return any(chunk.is_finished is not None and chunk.event_type is None for chunk in chunks)


def _read_stream(chunks: list[_Chunk]) -> Answer:
    first = [chunk for chunk in chunks if not chunk.index]
    stop_reason = next((c.finish_reason for c in reversed(first) if c.finish_reason is not None), None)
    return Answer(
        content=[without_end_token("".join(chunk.text or "" for chunk in first))],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
        details=("several_generations",) if len(first) < len(chunks) else (),
    )


SHAPE = BodyShape(
    name="cohere_command",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html",
    rank=56,
    models=("cohere.command-text-v14", "cohere.command-light-text-v14"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Chunk, _accepts_stream, _read_stream),
)
