"""Where Bedrock puts things and how one log record looks.

Keys follow `AWSLogs/<account>/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/<file>`, large and binary
bodies go to `data/` beside the file; one record a line, gzipped. See
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prose import Exchange

ACCOUNT = "111122223333"
BUCKET = "example-bedrock-logs"
ROOT = f"AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs"
REGIONS = ("us-east-1", "us-west-2")
MEDIA_URI = "@@media@@"
"""Stands in a body for `s3://…/data/<requestId>_input_media` until the call gets its hour and id."""


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation before it has a time, a place and a request id.

    `kind` names what the record shows, `status` what a reader should decide about it. `request` and
    `response` are bodies; None leaves the body out. `offloaded` lists the sides ("input", "output") that go
    to `data/`, `lost` those whose data object is never written. `media` are files for `data/`, by extension.
    `extra` changes record fields at the end: `REMOVED` drops one.
    """

    kind: str
    status: str
    operation: str
    model_id: str
    request: Any
    response: Any
    metadata: Mapping[str, str] | None = None
    exchange: Exchange | None = None
    error_code: str | None = None
    region: str | None = None
    era: str | None = None
    offloaded: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    media: tuple[tuple[str, bytes], ...] = ()
    tokens: tuple[int | None, int | None] = (None, None)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a call was made: what the envelope needs beside the call."""

    instant: datetime
    region: str
    request_id: str
    folder: str


def hour_folder(region: str, hour: datetime) -> str:
    """The key prefix of an hour, without a slash at the end."""
    return f"{ROOT}/{region}/{hour:%Y/%m/%d/%H}"


def object_name(stamp: datetime, suffix: str) -> str:
    """The file name: delivery time in milliseconds and 16 hexadecimal digits."""
    return f"{stamp:%Y%m%dT%H%M%S}{stamp.microsecond // 1000:03d}Z_{suffix}.json.gz"


def dumps(value: Any) -> str:
    """Compact JSON, not escaped beyond need, as the service writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def record(call: Call, moment: Moment) -> dict[str, Any]:
    """The log record of a call, in the key order of its year."""
    fields = _fields(call, moment)
    old_style = moment.instant.year < 2026
    order = _ORDER_2024 if old_style else _ORDER_2026
    named = {key: fields[key] for key in order if fields[key] is not None}
    return {key: value for key, value in (named | dict(call.extra)).items() if value is not REMOVED}


REMOVED = object()
"""As a value of `Call.extra`: leave the field out."""
_ORDER_2024 = (
    "schemaType",
    "schemaVersion",
    "timestamp",
    "accountId",
    "identity",
    "region",
    "inferenceRegion",
    "requestId",
    "operation",
    "modelId",
    "errorCode",
    "requestMetadata",
    "input",
    "output",
)
_ORDER_2026 = (
    "timestamp",
    "accountId",
    "identity",
    "region",
    "inferenceRegion",
    "requestId",
    "operation",
    "modelId",
    "requestMetadata",
    "errorCode",
    "input",
    "output",
    "schemaType",
    "schemaVersion",
)


def _fields(call: Call, moment: Moment) -> dict[str, Any]:
    asked, answered = _token_counts(call)
    team = (call.metadata or {}).get("project", "internal").strip().lower() or "internal"
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"{moment.instant:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": ACCOUNT,
        "identity": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{team}-app/i-{moment.request_id[:6]}"},
        "region": moment.region,
        "inferenceRegion": _inference_region(call.model_id, moment),
        "requestId": moment.request_id,
        "operation": call.operation,
        "modelId": call.model_id,
        "errorCode": call.error_code,
        "requestMetadata": dict(call.metadata) if call.metadata is not None else None,
        "input": _side(call, moment, "input", call.request, asked),
        "output": None
        if call.error_code and call.response is None
        else _side(call, moment, "output", call.response, answered),
    }


def _token_counts(call: Call) -> tuple[int | None, int | None]:
    if call.exchange is None or call.tokens != (None, None):
        return call.tokens
    return call.exchange.input_tokens, call.exchange.output_tokens


def _inference_region(model_id: str, moment: Moment) -> str | None:
    routed = "inference-profile/" in model_id or model_id.startswith(("us.", "global."))
    return ("us-east-1", "us-east-2", "us-west-2")[int(moment.request_id[0], 16) % 3] if routed else None


def _side(call: Call, moment: Moment, side: str, body: Any, tokens: int | None) -> dict[str, Any]:
    fields: dict[str, Any] = {f"{side}ContentType": "application/json"}
    if side in call.offloaded or side in call.lost:
        fields[f"{side}BodyS3Path"] = f"s3://{BUCKET}/{data_key(moment, side)}"
    elif body is not None:
        fields[f"{side}BodyJson"] = body
    return fields if tokens is None else fields | {f"{side}TokenCount": tokens}


def data_key(moment: Moment, side: str) -> str:
    """The key of an offloaded body."""
    return f"{moment.folder}/data/{moment.request_id}_{side}.json.gz"


def media_key(moment: Moment, number: int, extension: str) -> str:
    """The key of a medium taken out of a request."""
    return f"{moment.folder}/data/{moment.request_id}_input_media_{number:02d}.{extension}"


def media_uri(moment: Moment) -> str:
    """What `MEDIA_URI` stands for."""
    return f"s3://{BUCKET}/{moment.folder}/data/{moment.request_id}_input_media"


def gzip_member(data: bytes, level: int = 6) -> bytes:
    """A gzip member without time, name or system, so that equal data gives equal bytes.

    The deflate stream itself depends on the zlib build: zlib-ng packs otherwise than zlib.
    """
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    trailer = struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + packed + trailer
