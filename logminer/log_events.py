"""CloudWatch Logs events as log objects hold them: envelopes around messages, each message one log record.

`filter-log-events` and `get-log-events` print `{"events": [{"message": "..."}]}`; a subscription filter, and so
Firehose, delivers `{"messageType": "DATA_MESSAGE", "logEvents": [{"message": "..."}]}`, and now and then a
`CONTROL_MESSAGE` that only tests the way.
Sources: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import msgspec

_CONTROL = "CONTROL_MESSAGE"


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    message_type: str | None = None
    events: list[msgspec.Raw] | None = None
    log_events: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct, gc=False):
    message: str


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def messages_of(text: bytes) -> list[bytes] | None:
    """The messages in an envelope, in order; None where `text`, one JSON object, is none.

    An event without a readable message stands for itself. A control message holds none.
    """
    try:
        envelope = _decode_envelope(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    events = envelope.log_events if envelope.log_events is not None else envelope.events
    if events is None or envelope.message_type == _CONTROL:
        return None if events is None else []
    return [_message_of(event) for event in events]


def _message_of(event: msgspec.Raw) -> bytes:
    try:
        return _decode_event(event).message.encode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return bytes(event)
