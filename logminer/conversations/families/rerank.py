"""Ranking of documents by their relevance to a query: Cohere Rerank, Amazon Rerank. No text comes of it.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html
"""

from __future__ import annotations

import msgspec

from logminer.conversations.params import is_given
from logminer.conversations.parts import Answer, Prompt
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape


class _Request(msgspec.Struct, gc=False):
    query: str | None = None
    documents: msgspec.Raw | None = None


class _Result(msgspec.Struct, gc=False):
    relevance_score: int | float | None = None


class _Response(msgspec.Struct, gc=False):
    results: list[_Result] | None = None


def _accepts_request(body: _Request) -> bool:
    return body.query is not None and is_given(body.documents)


def _read_request(body: _Request) -> Prompt:
    return Prompt(not_text=True)


def _accepts_response(body: _Response) -> bool:
    return bool(body.results) and body.results is not None and body.results[0].relevance_score is not None


def _read_response(body: _Response) -> Answer:
    return Answer(not_text=True)


SHAPE = BodyShape(
    name="rerank",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html",
    rank=45,
    models=("cohere.rerank-v3-5:0", "amazon.rerank-v1:0"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
)
