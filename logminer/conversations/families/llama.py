"""Meta Llama through InvokeModel: a raw prompt string in, `generation` out.

Imported Llama and Qwen 3 models use the same bodies. In a stream `stop_reason` is null but in the last chunk.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params, raw_value
from logminer.conversations.parts import Answer, Block, Content, Prompt, Turn, Usage
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    prompt: str | None = None
    max_gen_len: int | float | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    images: msgspec.Raw | None = None


class _Response(msgspec.Struct, gc=False):
    generation: str | None = None
    prompt_token_count: int | None = None
    generation_token_count: int | None = None
    stop_reason: str | None = None


def add_to_last_user_turn(prompt: Prompt, pieces: list[Content]) -> None:
    """Put what was sent beside the prompt's text into its last user turn, or into one of its own."""
    for turn in reversed(prompt.turns):
        if turn.role == "user":
            turn.content.extend(pieces)
            return
    prompt.turns.append(Turn("user", pieces))


def _accepts_request(body: _Request) -> bool:
    return body.prompt is not None and body.max_gen_len is not None


def _read_request(body: _Request) -> Prompt:
    assert body.prompt is not None
    prompt = unpack_prompt(body.prompt)
    prompt.params = collect_params(
        max_tokens=body.max_gen_len, temperature=body.temperature, top_p=body.top_p
    )
    images = raw_value(body.images)
    if isinstance(images, list) and images:
        add_to_last_user_turn(prompt, [Block("image", {}) for _ in images])
    return prompt


def _accepts_response(body: _Response) -> bool:
    return body.generation is not None


def _read_response(body: _Response) -> Answer:
    return Answer(
        content=[body.generation or ""],
        stop_reason=body.stop_reason,
        usage=Usage(body.prompt_token_count, body.generation_token_count),
        inline_reasoning=True,  # imported models: distilled DeepSeek R1, Qwen 3
    )


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(chunk.generation is not None for chunk in chunks)


def _read_stream(chunks: list[_Response]) -> Answer:
    stop_reason = next((c.stop_reason for c in reversed(chunks) if c.stop_reason is not None), None)
    return Answer(
        content=["".join(chunk.generation or "" for chunk in chunks)],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
        usage=Usage(
            next((c.prompt_token_count for c in chunks if c.prompt_token_count is not None), None),
            next(
                (c.generation_token_count for c in reversed(chunks) if c.generation_token_count is not None),
                None,
            ),
        ),
        inline_reasoning=True,
    )


SHAPE = BodyShape(
    name="llama",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html",
    rank=50,
    models=("meta.llama3-1-405b-instruct-v1:0", "imported Llama and Qwen 3 models"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
