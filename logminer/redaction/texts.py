"""Replaces values in plain text and in the strings of JSON text; all else stays as it is, byte by byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from logminer.json_text import encode_json, json_value
from logminer.redaction.detector import Detector
from logminer.redaction.finding import Found, find_values, plain_view
from logminer.redaction.replacing import Replacing

# Strings, and numbers that are long enough for a value. Each can be taken in one way only: time is linear.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.?[^"\\]*)*(?:"|\Z)|(?<![\w.+-])[0-9]{12,19}(?![\w.])', re.DOTALL)
_BEFORE_NUMBER = re.compile(r"[:\[,]\s{0,64}$")
_AFTER_NUMBER = re.compile(r"\s{0,64}[,\]}]")
_SHORTEST_VALUE = 6
_PASSES = 4
"""What was hidden by a value that overlapped it, or stood too close, is seen once that one is replaced."""
_LONGEST_KEY = 60
_LONGEST_OF_KEY = 4096
"""A longer string speaks for itself: its key is not looked at."""


@dataclass(frozen=True)
class Replaced:
    """A text after its values were replaced, and their kinds, one for each place."""

    text: str
    kinds: tuple[str, ...] = ()


def redact_text(
    text: str, detectors: Sequence[Detector], replacing: Replacing, context: str = ""
) -> Replaced:
    """Replace all values in a text. If the text is JSON, it is JSON afterwards.

    `context` stands before the text: it tells detectors more about the values, and is not replaced itself.
    """
    kinds: tuple[str, ...] = ()
    for _ in range(_PASSES if replacing.final else 1):
        new = _redact_once(text, detectors, replacing, context)
        if not new.kinds:
            break
        text, kinds = new.text, kinds + new.kinds
    return Replaced(text, kinds)


def _redact_once(text: str, detectors: Sequence[Detector], replacing: Replacing, context: str) -> Replaced:
    if len(text) < _SHORTEST_VALUE:
        return Replaced(text)
    view = plain_view(context + text)
    found = [value for value in find_values(view, detectors) if value.start >= len(context)]
    if not found:
        return Replaced(text)
    shift = -len(context)
    found = [Found(value.start + shift, value.end + shift, value.detector) for value in found]
    pieces = _pieces(text, view[len(context) :], found, replacing)
    return Replaced("".join(pieces), tuple(value.detector.name for value in found))


def _pieces(text: str, view: str, found: Sequence[Found], replacing: Replacing) -> Iterator[str]:
    numbers = {value.start for value in found if _is_json_number(text, value)}
    quoted = bool(numbers) and _is_json(text)
    end = 0
    for value in found:
        span = slice(value.start, value.end)
        new = replacing(value.detector, text[span], view[span])
        yield text[end : value.start]
        yield f'"{new}"' if quoted and value.start in numbers and not new.isdecimal() else new
        end = value.end
    yield text[end:]


def _is_json_number(text: str, value: Found) -> bool:
    """Whether a value may be a number of JSON, which a placeholder cannot replace without quotes."""
    return (
        text[value.start : value.end].isdecimal()
        and _BEFORE_NUMBER.search(text[max(0, value.start - 65) : value.start]) is not None
        and _AFTER_NUMBER.match(text, value.end) is not None
    )


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.encode("utf-8", "replace"), type=dict | list)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def redact_json(text: str, detectors: Sequence[Detector], replacing: Replacing) -> Replaced:
    """Replace all values in the strings of JSON text, keys included, and in its long numbers."""
    kinds: list[str] = []
    pieces: list[str] = []
    end, last = 0, ""
    for token in _TOKEN.finditer(text):
        between = text[end : token.start()]
        context = f"{last}: " if last and between.strip() == ":" else ""
        plain = _plain(token[0])
        new = redact_text(plain, detectors, replacing, context if len(plain) <= _LONGEST_OF_KEY else "")
        pieces += between, _token_of(token[0], new) if new.kinds else token[0]
        kinds += new.kinds
        end, last = token.end(), plain if len(plain) <= _LONGEST_KEY else ""
    return Replaced("".join((*pieces, text[end:])) if kinds else text, tuple(kinds))


def _plain(token: str) -> str:
    """The characters of a string of JSON, or the digits of a number."""
    if not token.startswith('"'):
        return token
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(json_value(token.encode("utf-8", "replace")))
    except json.JSONDecodeError:
        return token[1:-1]


def _token_of(token: str, new: Replaced) -> str:
    """A number stays one where digits were replaced by digits; all else is a string."""
    is_number = not token.startswith('"') and new.text.isdecimal()
    return new.text if is_number else encode_json(new.text).decode()
