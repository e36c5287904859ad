"""The pairs as model invocation logs, so that a distillation job with `usePromptResponse` trains on just these.

Each pair becomes a record of a Converse call of the teacher with its bodies inline, gzipped, in the folders that
Bedrock delivers to. Request ids, times, token counts and request metadata are kept, since a job's filter asks for
them; who called is not. Answers are their text: streams are merged, reasoning is left out. Whether the service
takes logs that were written anew is unverified. Names come from the content and gzip is given no time, so that
the same pairs give the same objects.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from logminer.curation.history import TURN_MARK
from logminer.exports.converse_request import converse_request
from logminer.exports.format import ExportFormat, OpenFile
from logminer.exports.texts import refuse_more_than_text
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair

_MAX_RECORDS = 1000
_MAX_OBJECT_BYTES = 8 << 20
_MAX_BUFFERED_BYTES = 32 << 20

# Both come from the log and become folders: anything else than what AWS uses would be a path of its own.
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")
# What stands for what a pair that was never logged does not have: a training file of old was converted.
_NO_ACCOUNT = "000000000000"
_NO_REGION = "unknown"
_NO_TIME_US = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

# What Converse says of an answer that is whole; the rest are other families' words for the first.
_CONVERSE_STOPS = frozenset({"end_turn", "stop_sequence"})
_STOP_SEQUENCES = frozenset({"STOP_SEQUENCE", "STOP_CRITERIA_MET"})


def _write_files(pairs: Iterable[PromptResponsePair], open_file: OpenFile) -> None:
    delivery = _Delivery(open_file)
    for pair in pairs:
        delivery.add(pair)
    delivery.flush()


class _Object:
    """A log object that grows: all records of one account, Region and hour, up to a size."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.size_bytes = 0
        self.last_us = 0

    def add(self, line: bytes, time_us: int) -> None:
        self.lines.append(line)
        self.size_bytes += len(line)
        self.last_us = max(self.last_us, time_us)


class _Delivery:
    """Puts records into objects, in memory until they are full; a few MiB of them in all."""

    def __init__(self, open_file: OpenFile) -> None:
        self._open_file = open_file
        self._objects: dict[str, _Object] = {}
        self._buffered_bytes = 0
        self._written = 0

    def add(self, pair: PromptResponsePair) -> None:
        line = encode_json(_record(pair)) + b"\n"
        folder = _folder(pair)
        growing = self._objects.setdefault(folder, _Object())
        growing.add(line, _time_us(pair))
        self._buffered_bytes += len(line)
        if len(growing.lines) >= _MAX_RECORDS or growing.size_bytes >= _MAX_OBJECT_BYTES:
            self._write(folder)
        if self._buffered_bytes >= _MAX_BUFFERED_BYTES:
            self.flush()

    def flush(self) -> None:
        for folder in sorted(self._objects):
            self._write(folder)

    def _write(self, folder: str) -> None:
        full = self._objects.pop(folder)
        self._buffered_bytes -= full.size_bytes
        content = b"".join(full.lines)
        # The number keeps two objects of one content apart.
        digest = blake2b(b"%d\n" % self._written + content, digest_size=8).hexdigest()
        self._written += 1
        stamp = _instant(full.last_us).strftime("%Y%m%dT%H%M%S") + f"{full.last_us // 1000 % 1000:03}Z"
        with self._open_file(f"{folder}/{stamp}_{digest}.json.gz") as stream:
            stream.write(gzip.compress(content, 6, mtime=0))


def _time_us(pair: PromptResponsePair) -> int:
    return pair.time_us or _NO_TIME_US


def _instant(time_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def _folder(pair: PromptResponsePair) -> str:
    account = pair.account_id or ""
    region = pair.region or ""
    account = account if _ACCOUNT.fullmatch(account) else _NO_ACCOUNT
    region = region if _REGION.fullmatch(region) else _NO_REGION
    hour = _instant(_time_us(pair)).strftime("%Y/%m/%d/%H")
    return f"AWSLogs/{account}/BedrockModelInvocationLogs/{region}/{hour}"


def _record(pair: PromptResponsePair) -> dict[str, Any]:
    record: dict[str, Any] = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": _timestamp(_time_us(pair)),
        "accountId": pair.account_id,
        "region": pair.region,
        "requestId": _request_id(pair),
        "operation": "Converse",
        "modelId": pair.model,
        "requestMetadata": dict(sorted(pair.request_metadata.items())) or None,
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": converse_request(pair),
            "inputTokenCount": pair.input_tokens,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": _response(pair),
            "outputTokenCount": pair.output_tokens,
        },
    }
    return _without_none(record)


def _without_none(record: dict[str, Any]) -> dict[str, Any]:
    """A record, its input and output without what is not known."""
    return {
        key: _without_none(value) if key in ("input", "output", "usage") else value
        for key, value in record.items()
        if value is not None
    }


def _timestamp(time_us: int) -> str:
    text = _instant(time_us).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{time_us % 1_000_000:06}Z" if time_us % 1_000_000 else f"{text}Z"


def _request_id(pair: PromptResponsePair) -> str:
    """The logged id; one made of the content where there is none, or where a record was split into several pairs."""
    if pair.request_id is not None and TURN_MARK not in pair.source_uri:
        return pair.request_id
    digest = blake2b(encode_json([pair.source_position, pair.pair_hash]), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest))


def _response(pair: PromptResponsePair) -> dict[str, Any]:
    counts = pair.input_tokens, pair.output_tokens
    usage = {"inputTokens": counts[0], "outputTokens": counts[1]}
    if counts[0] is not None and counts[1] is not None:
        usage["totalTokens"] = counts[0] + counts[1]
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": pair.response}]}},
        "stopReason": _stop_reason(pair.stop_reason),
        "usage": _without_none(usage),
    }


def _stop_reason(logged: str | None) -> str:
    """Converse's word for how a whole answer ended."""
    if logged in _CONVERSE_STOPS:
        return str(logged)
    return "stop_sequence" if logged in _STOP_SEQUENCES else "end_turn"


def _refuse(pair: PromptResponsePair) -> str | None:
    if pair.model is None:
        return "does not say its model, which these logs are chosen by"
    return refuse_more_than_text(pair)


FORMAT = ExportFormat(
    name="invocation-log",
    about="a folder of invocation logs with metadata, for usePromptResponse (unverified that it takes them)",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html",
    profile="invocation-logs",
    write_files=_write_files,
    ending="/",
    refuse=_refuse,
    routes=("logs",),
)
