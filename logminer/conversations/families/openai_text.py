"""Text completions: a raw prompt string in, `choices[0].text` out.

DeepSeek R1, older Writer models, and imported models that are asked in this way. Mistral's requests look the
same, and so does every one that has a prompt string and nothing that another family knows it by. R1 writes
its reasoning into the text and ends it with `</think>`; the opening tag may stand in the prompt's template
and not in the answer.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.families.openai_chat import OpenAIUsage, stop_reason_of, usage_of
from logminer.conversations.params import collect_params, raw_value, stop_list
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape
from logminer.conversations.templates import unpack_prompt


class _Request(msgspec.Struct, gc=False):
    prompt: str | None = None
    max_tokens: int | float | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | float | None = None
    stop: str | list[str] | None = None
    n: int | float | None = None
    response_format: msgspec.Raw | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int | None = None
    text: str | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None


class _Response(msgspec.Struct, gc=False):
    """An answer or one fragment of it."""

    choices: list[_Choice] | None = None
    usage: OpenAIUsage | None = None


def _accepts_request(body: _Request) -> bool:
    return body.prompt is not None


def _read_request(body: _Request) -> Prompt:
    prompt = unpack_prompt(body.prompt or "")
    prompt.params = collect_params(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop_sequences=stop_list(body.stop),
        n=body.n,
        response_schema=raw_value(body.response_format),
    )
    return prompt


def _accepts_response(body: _Response) -> bool:
    return bool(body.choices) and body.choices is not None and body.choices[0].text is not None


def _read_response(body: _Response) -> Answer:
    assert body.choices
    first = body.choices[0]
    return Answer(
        content=[first.text or ""],
        stop_reason=stop_reason_of(first),
        usage=usage_of(body.usage),
        inline_reasoning=True,
        details=("several_generations",) if len(body.choices) > 1 else (),
    )


def _accepts_stream(chunks: list[_Response]) -> bool:
    return any(_accepts_response(chunk) for chunk in chunks)


def _read_stream(chunks: list[_Response]) -> Answer:
    choices = [choice for chunk in chunks for choice in chunk.choices or ()]
    first = [choice for choice in choices if not choice.index]
    stop_reason = next((reason for c in reversed(first) if (reason := stop_reason_of(c)) is not None), None)
    return Answer(
        content=["".join(choice.text or "" for choice in first)],
        stop_reason=stop_reason,
        ended=stop_reason is not None,
        usage=usage_of(next((chunk.usage for chunk in reversed(chunks) if chunk.usage is not None), None)),
        inline_reasoning=True,
        details=("several_generations",) if len(first) < len(choices) else (),
    )


SHAPE = BodyShape(
    name="openai_text",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html",
    rank=90,
    models=("us.deepseek.r1-v1:0", "imported models"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Response, _accepts_stream, _read_stream),
)
