"""One log object into rows and quarantined values."""

from __future__ import annotations

import functools
import io
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import msgspec

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


# Begins to fetch the body that a record of a log object names; what it gives back gives the stored bytes, and
# raises BodyUnavailable.
AskBody = Callable[[LogObject, str], Callable[[], bytes]]

# So much waits in memory, decoded, while the bodies of the records before it come.
_MAX_WAITING = 128
_MAX_WAITING_BYTES = 8 << 20
_MAX_BODIES = 16


class _Bodies(msgspec.Struct, frozen=True, gc=False):
    """The offloaded bodies of one record, on their way; None for one that is not offloaded."""

    request: Callable[[], bytes] | None = None
    response: Callable[[], bytes] | None = None

    def __len__(self) -> int:
        return (self.request is not None) + (self.response is not None)


_NO_BODIES = _Bodies()


def _ask_local(log: LogObject, path: str) -> Callable[[], bytes]:
    return functools.partial(read_local_body, log, path)


def read_log(
    log: LogObject, stream: BinaryIO, decoder: RecordDecoder, ask: AskBody = _ask_local
) -> Iterator[Row | Quarantined]:
    """Every value of a log object, in order. OSError from the stream passes through.

    Offloaded bodies are fetched side by side: those of later records while earlier ones are still to come.
    """
    waiting: deque[tuple[ReadRecord | Quarantined, _Bodies]] = deque()
    bodies = size_bytes = 0
    for value in read_values(stream, decoder):
        asked = _NO_BODIES if isinstance(value, Quarantined) else _ask_for_bodies(value, log, ask)
        if asked is _NO_BODIES and not waiting:
            yield _read(log, value, decoder, asked)
            continue
        waiting.append((value, asked))
        bodies += len(asked)
        size_bytes += _size(value)
        while len(waiting) > _MAX_WAITING or bodies > _MAX_BODIES or size_bytes > _MAX_WAITING_BYTES:
            first, due = waiting.popleft()
            bodies -= len(due)
            size_bytes -= _size(first)
            yield _read(log, first, decoder, due)
    for value, asked in waiting:
        yield _read(log, value, decoder, asked)


def _size(value: ReadRecord | Quarantined) -> int:
    return len(value.raw if isinstance(value, Quarantined) else value.text)


def _ask_for_bodies(value: ReadRecord, log: LogObject, ask: AskBody) -> _Bodies:
    sent, received = value.decoded.record.input, value.decoded.record.output
    request = response = None
    if sent is not None and sent.input_body_json is None and sent.input_body_s3_path:
        request = ask(log, sent.input_body_s3_path)
    if received is not None and received.output_body_json is None and received.output_body_s3_path:
        response = ask(log, received.output_body_s3_path)
    return _Bodies(request, response) if request or response else _NO_BODIES


def _read(
    log: LogObject, value: ReadRecord | Quarantined, decoder: RecordDecoder, bodies: _Bodies
) -> Row | Quarantined:
    return value if isinstance(value, Quarantined) else _row(log, value, decoder, bodies)


def _row(log: LogObject, read: ReadRecord, decoder: RecordDecoder, bodies: _Bodies) -> Row | Quarantined:
    record, details = read.decoded.record, read.decoded.details
    time_us, time_details = _record_time(record, log)
    if time_us is None:
        return _quarantined(read, "no_timestamp")
    details += time_details
    if bodies is not _NO_BODIES:
        details += _put_bodies(record, decoder, bodies)
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


def _put_bodies(record: AnyRecord, decoder: RecordDecoder, bodies: _Bodies) -> tuple[str, ...]:
    """Put offloaded bodies in their places; the details say why one could not be had."""
    details: tuple[str, ...] = ()
    if bodies.request is not None:
        assert record.input is not None
        record.input.input_body_json, details = _fetch(bodies.request, decoder.decode_request_body)
    if bodies.response is not None:
        assert record.output is not None
        record.output.output_body_json, more = _fetch(bodies.response, decoder.decode_response_body)
        details += more
    return details


def _fetch(
    stored: Callable[[], bytes], decode: Callable[[bytes], tuple[Any, tuple[str, ...]]]
) -> tuple[Any, tuple[str, ...]]:
    """A decoded body and details; None and the reason where it cannot be had."""
    try:
        return decode(_body_text(stored()))
    except BodyUnavailable as finding:
        return None, (finding.reason,)
    except NotARecord:
        return None, ("unreadable_body",)


def _body_text(stored: bytes) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in inflate(io.BytesIO(stored)):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise BodyUnavailable("too_large")
    except DamagedObject:
        raise BodyUnavailable("unreadable_body") from None
    return b"".join(pieces)
