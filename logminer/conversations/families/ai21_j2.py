"""AI21 Jurassic-2: a raw prompt string in, `completions` out. These models do not stream.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import collect_params
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    """The prefix tells these apart from the snake_case members of other families' requests."""

    prompt: str | None = None
    temperature: int | float | None = None
    j2_max_tokens: int | float | None = msgspec.field(default=None, name="maxTokens")
    j2_top_p: int | float | None = msgspec.field(default=None, name="topP")
    j2_stop_sequences: list[str] | None = msgspec.field(default=None, name="stopSequences")
    j2_num_results: int | float | None = msgspec.field(default=None, name="numResults")


class _Data(msgspec.Struct, gc=False):
    text: str | None = None


class _FinishReason(msgspec.Struct, gc=False):
    reason: str | None = None


class _Completion(msgspec.Struct, gc=False, rename="camel"):
    data: _Data | None = None
    finish_reason: _FinishReason | None = None


class _Response(msgspec.Struct, gc=False):
    completions: list[_Completion] | None = None


def _accepts_request(body: _Request) -> bool:
    own = (body.j2_max_tokens, body.j2_top_p, body.j2_stop_sequences, body.j2_num_results)
    return body.prompt is not None and own != (None, None, None, None)


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.prompt or "")
    prompt.params = collect_params(
        max_tokens=body.j2_max_tokens,
        temperature=body.temperature,
        top_p=body.j2_top_p,
        stop_sequences=body.j2_stop_sequences,
        n=body.j2_num_results,
    )
    return prompt


def _accepts_response(body: _Response) -> bool:
    return bool(body.completions) and body.completions is not None and body.completions[0].data is not None


def _read_response(body: _Response) -> Answer:
    assert body.completions
    first = body.completions[0]
    return Answer(
        content=[(first.data.text if first.data is not None else None) or ""],
        stop_reason=first.finish_reason.reason if first.finish_reason is not None else None,
        details=("several_generations",) if len(body.completions) > 1 else (),
    )


SHAPE = BodyShape(
    name="ai21_j2",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html",
    rank=58,
    models=("ai21.j2-ultra-v1", "ai21.j2-mid-v1"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
)
