"""One log object into rows and quarantined values."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from logminer.conversations import conversation_of
from logminer.framing import MAX_QUARANTINED_BYTES, Quarantined, ReadRecord, read_values
from logminer.inflating import DamagedObject, inflate
from logminer.model import AnyRecord
from logminer.records import NotARecord, RecordDecoder
from logminer.sources.local import read_local_body
from logminer.sources.objects import MAX_BODY_BYTES, BodyUnavailable, LogObject
from logminer.store.rows import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Model invocation logging began in 2023; a time far outside is no time of a call.
_EARLIEST, _LATEST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


# Gives the stored bytes of the body that a record of a log object names; raises BodyUnavailable.
ReadBody = Callable[[LogObject, str], bytes]


def read_log(
    log: LogObject, stream: BinaryIO, decoder: RecordDecoder, read_body: ReadBody = read_local_body
) -> Iterator[Row | Quarantined]:
    """Every value of a log object, in order. OSError from the stream passes through."""
    for value in read_values(stream, decoder):
        yield value if isinstance(value, Quarantined) else _row(log, value, decoder, read_body)


def _row(log: LogObject, read: ReadRecord, decoder: RecordDecoder, read_body: ReadBody) -> Row | Quarantined:
    record, details = read.decoded.record, read.decoded.details
    time_us, time_details = _record_time(record, log)
    if time_us is None:
        return _quarantined(read, "no_timestamp")
    details += time_details + _fetch_bodies(record, log, decoder, read_body)
    try:
        conversation = conversation_of(record, details)
    except UnicodeDecodeError:  # in what was only passed on so far, such as the schema of a tool
        return _quarantined(read, "invalid_utf8")
    except RecursionError:
        return _quarantined(read, "too_deep")
    record.input = record.output = None  # the bodies are in the conversation now
    return Row(log, read.position, time_us, record, conversation)


def _quarantined(read: ReadRecord, reason: str) -> Quarantined:
    return Quarantined(read.position, reason, read.text[:MAX_QUARANTINED_BYTES])


def _record_time(record: AnyRecord, log: LogObject) -> tuple[int | None, tuple[str, ...]]:
    """UTC microseconds of a call, and where they come from if not from the record."""
    if record.timestamp is not None and (time_us := _microseconds(record.timestamp)) is not None:
        return time_us, ()
    for known, detail in (
        (log.name_time(), "timestamp_from_name"),
        (log.folder_hour(), "timestamp_from_folder"),
    ):
        if known is not None and _EARLIEST <= known < _LATEST:
            return (known - _EPOCH) // timedelta(microseconds=1), (detail,)
    return None, ()


@functools.lru_cache(maxsize=4096)  # many records share a second
def _microseconds(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if not _EARLIEST <= instant < _LATEST:
        return None
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _fetch_bodies(
    record: AnyRecord, log: LogObject, decoder: RecordDecoder, read_body: ReadBody
) -> tuple[str, ...]:
    """Put offloaded bodies in their places; the details say why one could not be had."""
    details: tuple[str, ...] = ()
    sent, received = record.input, record.output
    if sent is not None and sent.input_body_json is None and sent.input_body_s3_path:
        sent.input_body_json, details = _fetch(
            lambda: _body_text(log, sent.input_body_s3_path or "", read_body), decoder.decode_request_body
        )
    if received is not None and received.output_body_json is None and received.output_body_s3_path:
        body, more = _fetch(
            lambda: _body_text(log, received.output_body_s3_path or "", read_body),
            decoder.decode_response_body,
        )
        received.output_body_json, details = body, details + more
    return details


def _fetch(
    text: Callable[[], bytes], decode: Callable[[bytes], tuple[Any, tuple[str, ...]]]
) -> tuple[Any, tuple[str, ...]]:
    """A decoded body and details; None and the reason where it cannot be had."""
    try:
        return decode(text())
    except BodyUnavailable as finding:
        return None, (finding.reason,)
    except NotARecord:
        return None, ("unreadable_body",)


def _body_text(log: LogObject, path: str, read_body: ReadBody) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in inflate(io.BytesIO(read_body(log, path))):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise BodyUnavailable("too_large")
    except DamagedObject:
        raise BodyUnavailable("unreadable_body") from None
    return b"".join(pieces)
