"""Embeddings of text and images: Amazon Titan and Nova, Cohere Embed. No text comes of them.

A Titan request can be `inputText` alone, which is also one for Titan Text; there the answer decides.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import is_given
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape


class _Request(msgspec.Struct, gc=False):
    dimensions: int | None = None
    normalize: bool | None = None
    titan_embedding_types: msgspec.Raw | None = msgspec.field(default=None, name="embeddingTypes")
    embedding_config: msgspec.Raw | None = msgspec.field(default=None, name="embeddingConfig")
    input_image: msgspec.Raw | None = msgspec.field(default=None, name="inputImage")
    input_type: str | None = None  # Cohere
    texts: msgspec.Raw | None = None
    single_embedding_params: msgspec.Raw | None = msgspec.field(default=None, name="singleEmbeddingParams")
    segmented_embedding_params: msgspec.Raw | None = msgspec.field(
        default=None, name="segmentedEmbeddingParams"
    )


class _Response(msgspec.Struct, gc=False):
    embedding: msgspec.Raw | None = None
    embeddings: msgspec.Raw | None = None
    embeddings_by_type: msgspec.Raw | None = msgspec.field(default=None, name="embeddingsByType")


def _accepts_request(body: _Request) -> bool:
    return (
        body.input_type is not None
        or is_given(body.texts)
        or body.dimensions is not None
        or body.normalize is not None
        or is_given(body.titan_embedding_types)
        or is_given(body.embedding_config)
        or is_given(body.input_image)
        or is_given(body.single_embedding_params)
        or is_given(body.segmented_embedding_params)
    )


def _read_request(body: _Request) -> Prompt:
    return Prompt(not_text=True)


def _accepts_response(body: _Response) -> bool:
    return is_given(body.embedding) or is_given(body.embeddings) or is_given(body.embeddings_by_type)


def _read_response(body: _Response) -> Answer:
    return Answer(not_text=True)


SHAPE = BodyShape(
    name="embeddings",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html",
    rank=45,
    models=("amazon.titan-embed-text-v2:0", "cohere.embed-english-v3", "amazon.titan-embed-image-v1"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
)
