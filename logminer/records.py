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

# Any one of these marks a JSON object as a log record; offloaded bodies and foreign files have none.
_RECORD_FIELDS = ("schema_type", "request_id", "model_id", "operation", "input", "output")


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
        """The record that `text`, one JSON value, holds. Raises NotARecord with the reason where it is none."""
        try:
            record = self._strict(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.convert(parse_tolerantly(text))
        if isinstance(_request_body(record), str) or isinstance(_response_body(record), str):
            return self.convert(parse_tolerantly(text))
        return DecodedRecord(_checked(record))

    def convert(self, value: Any) -> DecodedRecord:
        """The record that plain JSON data holds, with the details of what was wrong in it."""
        if not isinstance(value, dict):
            raise NotARecord("not_an_object")
        faults = Faults()
        try:
            value = _with_parsed_bodies(value)
            record = convert_leniently(value, self._type, faults)
        except RecursionError:
            raise NotARecord("too_deep") from None
        return DecodedRecord(_checked(record), faults.details())

    def decode_request_body(self, text: bytes) -> tuple[Any, tuple[str, ...]]:
        """An offloaded request body, and details. Raises NotARecord where it is not JSON."""
        return self._decode_body(text, self._strict_request, self._request_type)

    def decode_response_body(self, text: bytes) -> tuple[Any, tuple[str, ...]]:
        """An offloaded response body (an object or a bare list of chunks), and details."""
        return self._decode_body(text, self._strict_response, self._response_type)

    def _decode_body(self, text: bytes, strict: Any, kind: Any) -> tuple[Any, tuple[str, ...]]:
        try:
            return strict(text), ()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            faults = Faults()
            body = convert_leniently(parse_tolerantly(text), kind, faults, "body")
            return body, faults.details()


def parse_tolerantly(text: bytes) -> Any:
    """The plain data of one JSON value; numbers keep their text. Raises NotARecord with the reason."""
    try:
        return tolerant_decoder.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotARecord("invalid_utf8") from None
    except RecursionError:
        raise NotARecord("too_deep") from None
    except json.JSONDecodeError:
        raise NotARecord("invalid_json") from None
    except ValueError:  # NaN and Infinity, which Python's parser knows but JSON does not
        raise NotARecord("invalid_json") from None


def _checked(record: AnyRecord) -> AnyRecord:
    for name in _RECORD_FIELDS:
        if getattr(record, name) is not None:
            return record
    raise NotARecord("not_a_record")


def _request_body(record: AnyRecord) -> Any:
    return record.input.input_body_json if record.input is not None else None


def _response_body(record: AnyRecord) -> Any:
    return record.output.output_body_json if record.output is not None else None


def _with_parsed_bodies(value: dict[str, Any]) -> dict[str, Any]:
    """`value` with bodies that are JSON strings parsed; a string that is no JSON stays one."""
    for side, body in (("input", "inputBodyJson"), ("output", "outputBodyJson")):
        part = value.get(side)
        if isinstance(part, dict) and isinstance(part.get(body), str):
            try:
                part[body] = parse_tolerantly(part[body].encode("utf-8", "surrogatepass"))
            except NotARecord:
                continue
    return value
