"""One JSON value of a log object into a typed invocation record; the only reader of the log envelope.

A line is decoded in one typed pass. Only what that refuses (a field of a wrong type, a lone surrogate, a body
that is a JSON string) goes through the tolerant parser and is converted field by field.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from logminer.json_text import tolerant_decoder
from logminer.lenient import Faults, convert_leniently
from logminer.model import AnyRecord, BodyTypes, DecodedRecord, InvocationRecord

# Any one of these marks a JSON object as a log record, and so does a side with anything in it; offloaded
# bodies and foreign files have none.
_RECORD_FIELDS = ("schema_type", "request_id", "model_id", "operation")
_SIDES = ("input", "output")
_BODIES = (("input", "inputBodyJson"), ("output", "outputBodyJson"))
REQUEST_BODY_PATH, RESPONSE_BODY_PATH = (".".join(path) for path in _BODIES)
# Plain Python data takes many times the room of its text, and only what the fast path refuses becomes it.
MAX_TOLERANT_BYTES = 64 << 20
# A body that is a JSON string can hold a JSON string again, where two writers each escaped it.
_MAX_STRING_LEVELS = 4
_BOM = b"\xef\xbb\xbf"


class NotARecord(Exception):  # noqa: N818 - a finding about input, turned into a quarantined value
    """A value that cannot be read as a log record; `reason` is a word for the quarantine."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RecordDecoder:
    """Decodes log records whose bodies are of the given types."""

    def __init__(self, types: BodyTypes) -> None:
        # mypy cannot see types that are made at run time.
        response: Any = types.response | list[types.chunk | str] | str  # type: ignore[name-defined]
        request: Any = types.request | str
        self._request_type, self._response_type = request, response
        self._type = InvocationRecord[request, response]
        self._strict = msgspec.json.Decoder(self._type).decode
        self._strict_request = msgspec.json.Decoder(request).decode
        self._strict_response = msgspec.json.Decoder(response).decode

    def decode(self, text: bytes) -> DecodedRecord:
        """The record that `text`, one JSON value, holds. Raises NotARecord where it is none."""
        try:
            record = self._strict(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.convert(parse_tolerantly(text))
        if type(_request_body(record)) is str or type(_response_body(record)) is str:
            return self.convert(parse_tolerantly(text))
        return DecodedRecord(_checked(record))

    def convert(self, value: Any) -> DecodedRecord:
        """The record that plain JSON data holds, with the details of what was wrong in it.

        Raises NotARecord, and nothing else for any JSON data.
        """
        if not isinstance(value, dict):
            raise NotARecord("not_an_object")
        faults = Faults()
        try:
            record = convert_leniently(_with_plain_bodies(value, faults), self._type, faults)
        except RecursionError:
            raise NotARecord("too_deep") from None
        return DecodedRecord(_checked(record), faults.details())

    def decode_request_body(self, text: bytes) -> tuple[Any, tuple[str, ...]]:
        """An offloaded request body, and details. Raises NotARecord where it is not JSON."""
        return self._decode_body(text, self._strict_request, self._request_type, REQUEST_BODY_PATH)

    def decode_response_body(self, text: bytes) -> tuple[Any, tuple[str, ...]]:
        """An offloaded response body (an object or a bare list of chunks), and details."""
        return self._decode_body(text, self._strict_response, self._response_type, RESPONSE_BODY_PATH)

    def _decode_body(self, text: bytes, strict: Any, kind: Any, path: str) -> tuple[Any, tuple[str, ...]]:
        text = text.removeprefix(_BOM)
        try:
            text.decode("utf-8")  # the fast decoder does not look into what nobody reads
            body = strict(text)
        except UnicodeDecodeError:
            raise NotARecord("invalid_utf8") from None
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            if type(body) is not str:
                return body, ()
        faults = Faults()
        plain = _plain_body(parse_tolerantly(text), faults, path)
        try:
            body = convert_leniently(plain, kind, faults, path)
        except RecursionError:
            raise NotARecord("too_deep") from None
        return body, faults.details()


def parse_tolerantly(text: bytes) -> Any:
    """The plain data of one JSON value; numbers keep their text. Raises NotARecord with the reason."""
    if len(text) > MAX_TOLERANT_BYTES:
        raise NotARecord("too_large")
    try:
        return tolerant_decoder.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotARecord("invalid_utf8") from None
    except RecursionError:
        raise NotARecord("too_deep") from None
    except json.JSONDecodeError:
        raise NotARecord("invalid_json") from None


def _checked(record: AnyRecord) -> AnyRecord:
    for name in _RECORD_FIELDS:
        if getattr(record, name) is not None:
            return record
    for name in _SIDES:
        side = getattr(record, name)
        if side is not None and any(value is not None for value in msgspec.structs.astuple(side)):
            return record
    raise NotARecord("not_a_record")


def _request_body(record: AnyRecord) -> Any:
    return record.input.input_body_json if record.input is not None else None


def _response_body(record: AnyRecord) -> Any:
    return record.output.output_body_json if record.output is not None else None


def _with_plain_bodies(value: dict[str, Any], faults: Faults) -> dict[str, Any]:
    """`value` with bodies that are JSON strings parsed, and without chunks that are none."""
    for side, body in _BODIES:
        part = value.get(side)
        if isinstance(part, dict) and body in part:
            part[body] = _plain_body(part[body], faults, f"{side}.{body}")
    return value


def _plain_body(body: Any, faults: Faults, path: str) -> Any:
    """A body as an object or a list of chunks where it is one; a string that holds neither stays as it is."""
    plain = body
    for _ in range(_MAX_STRING_LEVELS):
        if not isinstance(plain, str):
            break
        try:
            plain = tolerant_decoder.decode(plain)
        except (json.JSONDecodeError, RecursionError):
            break
    if isinstance(plain, list):
        chunks = [chunk for chunk in plain if isinstance(chunk, dict | str)]
        if len(chunks) < len(plain):
            faults.wrong_types[f"{path}[]"] = None
        return chunks
    return plain if isinstance(plain, dict) else body
