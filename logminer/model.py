"""The values that stages hand to each other: the log record as it was read, and its place."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Identity(msgspec.Struct, gc=False):
    """Who called."""

    arn: str | None = None


class InputSide(msgspec.Struct, Generic[RequestT], gc=False, rename="camel"):
    """`input` of a log record. `input_token_count` excludes cached tokens."""

    input_content_type: str | None = None
    input_body_json: RequestT | None = None
    input_body_s3_path: str | None = msgspec.field(default=None, name="inputBodyS3Path")
    input_token_count: int | None = None
    cache_read_input_token_count: int | None = None
    cache_write_input_token_count: int | None = None


class OutputSide(msgspec.Struct, Generic[ResponseT], gc=False, rename="camel"):
    """`output` of a log record. The body is an object, or a list of chunks for a streamed answer."""

    output_content_type: str | None = None
    output_body_json: ResponseT | None = None
    output_body_s3_path: str | None = msgspec.field(default=None, name="outputBodyS3Path")
    output_token_count: int | None = None


class InvocationRecord(msgspec.Struct, Generic[RequestT, ResponseT], gc=False, rename="camel"):
    """One `ModelInvocationLog` record. What the log does not have is None; unknown fields are passed over.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    """

    schema_type: str | None = None
    timestamp: str | None = None
    account_id: str | None = None
    identity: Identity | None = None
    region: str | None = None
    inference_region: str | None = None
    request_id: str | None = None
    operation: str | None = None
    model_id: str | None = None
    error_code: str | None = None
    request_metadata: dict[str, str] | None = None
    input: InputSide[RequestT] | None = None
    output: OutputSide[ResponseT] | None = None


# The body types exist only once the shapes of all families are merged.
AnyRecord = InvocationRecord[Any, Any]


class DecodedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record, and the words for `status_detail` that its decoding gave (wrong types, replaced text)."""

    record: AnyRecord
    details: tuple[str, ...] = ()


class BodyTypes(msgspec.Struct, frozen=True):
    """The types that request bodies, response bodies and stream chunks are decoded into."""

    request: type[msgspec.Struct]
    response: type[msgspec.Struct]
    chunk: type[msgspec.Struct]


class IngestRun(msgspec.Struct, frozen=True):
    """What all rows of one run share. `started_us` is UTC, microseconds since 1970."""

    ingest_id: str
    started_us: int
