r"""JSON text in and out: the fast decoder first, the tolerant one for what it refuses but JSON allows.

msgspec refuses lone surrogate escapes (`"\ud800"`), which are legal JSON (RFC 8259, section 8.2) but no
Unicode text. Here they become U+FFFD, the replacement character, since no file can store them.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

_SURROGATE = re.compile("[\ud800-\udfff]")
# Python can be set to refuse longer digit strings, and such a number is no count of anything.
_MAX_INTEGER_DIGITS = 640

encode_json = msgspec.json.Encoder().encode
encode_canonical_json = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


class NumberText(float):
    """A JSON number that remembers how it was written: `1.10` stays `1.10`."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> NumberText:
        """Parse `text`, the digits as they stood in the JSON."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _parse_int(text: str) -> int | NumberText:
    return int(text) if len(text) < _MAX_INTEGER_DIGITS and text != "-0" else NumberText(text)


def _parse_plain_int(text: str) -> int | float:
    return int(text) if len(text) < _MAX_INTEGER_DIGITS else float(text)


def _refuse_constant(text: str) -> NoReturn:
    raise json.JSONDecodeError(f"{text} is not JSON", "", 0)


# Both raise json.JSONDecodeError, or RecursionError; strings may hold lone surrogates.
tolerant_decoder = json.JSONDecoder(
    parse_float=NumberText, parse_int=_parse_int, parse_constant=_refuse_constant
)
_plain_decoder = json.JSONDecoder(parse_int=_parse_plain_int, parse_constant=_refuse_constant)


def json_value(raw: msgspec.Raw | bytes) -> Any:
    """The plain value of JSON text.

    Raises UnicodeDecodeError for bytes that are not UTF-8, json.JSONDecodeError for what is no JSON and
    RecursionError for JSON that is nested too deep.
    """
    try:
        return _decode(raw)
    except msgspec.DecodeError:
        return replace_surrogates(_plain_decoder.decode(bytes(raw).decode("utf-8")))


def _write_number(number: object) -> msgspec.Raw:
    assert isinstance(number, NumberText)
    return msgspec.Raw(number.text.encode("ascii"))


_encode_with_numbers = msgspec.json.Encoder(enc_hook=_write_number).encode


def encode_tolerantly(value: Any) -> tuple[bytes, bool]:
    """What the tolerant decoder made, as JSON text again, and whether lone surrogates were replaced."""
    try:
        return _encode_with_numbers(value), False
    except UnicodeEncodeError:
        return _encode_with_numbers(replace_surrogates(value)), True


def replace_surrogates(value: Any) -> Any:
    """`value` with every lone surrogate in its strings and keys replaced by U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {replace_surrogates(key): replace_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_surrogates(item) for item in value]
    return value


def has_surrogates(text: str) -> bool:
    """Whether `text` holds a lone surrogate, which no UTF-8 file can store."""
    return _SURROGATE.search(text) is not None
