"""Images and videos made by Titan Image, Nova Canvas, Nova Reel, Stability and Luma. No text comes of them.

A Stability request can be a `prompt` alone, as a text completion's; there the answer decides.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import is_given
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape


class _Request(msgspec.Struct, gc=False):
    task_type: str | None = msgspec.field(default=None, name="taskType")  # Titan, Nova
    text_prompts: msgspec.Raw | None = None  # Stable Diffusion XL
    aspect_ratio: str | None = None  # newer Stability models, Luma
    negative_prompt: str | None = None
    output_format: msgspec.Raw | None = None  # a string here, an object with Anthropic
    mode: str | None = None
    prompt: str | None = None
    image: msgspec.Raw | None = None


class _Response(msgspec.Struct, gc=False):
    images: msgspec.Raw | None = None
    artifacts: msgspec.Raw | None = None


def _accepts_request(body: _Request) -> bool:
    if body.task_type is not None or is_given(body.text_prompts):
        return True
    if body.prompt is None:
        return False
    named = (body.aspect_ratio, body.negative_prompt, body.mode) != (None, None, None)
    return named or is_given(body.output_format) or is_given(body.image)


def _read_request(body: _Request) -> Prompt:
    return Prompt(not_text=True)


def _accepts_response(body: _Response) -> bool:
    return is_given(body.images) or is_given(body.artifacts)


def _read_response(body: _Response) -> Answer:
    return Answer(not_text=True)


SHAPE = BodyShape(
    name="image_generation",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html",
    rank=45,
    models=("amazon.titan-image-generator-v2:0", "amazon.nova-canvas-v1:0", "stability.sd3-5-large-v1:0"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
)
