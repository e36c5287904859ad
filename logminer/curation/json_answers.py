"""JSON in answers: whether a text begins as JSON, and how far it is JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from logminer.json_text import tolerant_decoder

# A brace or bracket alone may begin prose or a template: `[1] Smith`, `{name}`. So the next character counts.
_BEGINNING = re.compile(r'\s*+(?:\{\s*+["}]|\[\s*+(?:[\]\[{"]|-?\d|true\b|false\b|null\b))')
_SPACE = re.compile(r"[ \t\r\n]*+")
# What can stand between the brackets of JSON; a string that is not closed reaches to the end.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

_FORMATS = frozenset({"json", "json_object", "json_schema"})


def begins_as_json(text: str) -> bool:
    """Whether a text begins as a JSON object or array does."""
    return _BEGINNING.match(text) is not None


def asks_for_json(response_schema: Any) -> bool:
    """Whether a logged response schema asks for JSON: formats differ by model, and `text` is one of them.

    Sources: the request of Converse (`outputConfig.textFormat`), of Anthropic (`output_config.format`), of Cohere
    and of OpenAI-style chat (`response_format`).
    """
    if not isinstance(response_schema, dict):
        return False
    form = response_schema.get("textFormat", response_schema)
    return isinstance(form, dict) and form.get("type") in _FORMATS


def find_json_fault(text: str, *, values: int | None) -> int | None:
    """The index from which a text is no JSON; None where it is.

    It is made of so many values, or of any number of them with None, at least one; what stands after them is
    a fault as well. Deeper nesting than a reader takes is a fault at the value's start.
    """
    at = _skip_space(text, 0)
    read = 0
    while at < len(text) and read != values:
        end, is_value = _value_end(text, at)
        if not is_value:
            return end
        at, read = _skip_space(text, end), read + 1
    return None if read and at == len(text) else at


def find_broken_value(text: str) -> int | None:
    """The index at which the first JSON value of a text breaks; None where it is whole, whatever follows."""
    end, is_value = _value_end(text, _skip_space(text, 0))
    return None if is_value else end


def open_brackets(text: str) -> int:
    """How many brackets are open at the end of a text that begins as JSON; 0 as soon as the value has ended."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        sign = found[0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return 0
    return depth


def _skip_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()


def _value_end(text: str, at: int) -> tuple[int, bool]:
    """Where the value ends and True, or where it breaks and False."""
    try:
        return tolerant_decoder.raw_decode(text, at)[1], True
    except json.JSONDecodeError as error:
        # What refuses NaN knows no place.
        return max(at, error.pos), False
    except RecursionError:
        return at, False
