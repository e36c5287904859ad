"""Names for `requestMetadata` keys where a raw key cannot stand: struct fields and JSON pointers.

Callers choose their keys freely, so `project` and `Project` occur side by side, and so do keys with quotes,
slashes or nothing in them. Delta Lake and DuckDB compare field names without regard to case, Athena lowers
them: a raw key as a field name is refused, or answers with another key's values. `encode_key` maps every key
to a field name of its own made of `[a-z0-9_]` alone, which is the same name in all of them.

    cost_center -> cost_center        Project -> _x50_roject        a_x -> a_x5f_x        (empty) -> _x_
"""

from __future__ import annotations

import functools
import re

_NEEDS_ESCAPE = re.compile(r"[^a-z0-9_]|_(?=x)")
_ESCAPE = re.compile(r"_x([0-9a-f]+)_")
_EMPTY_KEY = "_x_"


def encode_key(key: str) -> str:
    """The field name of `key`: no two keys share one, whatever the case rules of the reader.

    `a-z`, `0-9` and `_` stay; another character becomes `_x<hex code point>_`, and so does an underscore
    before an `x`, or else the keys `_x41_` and `A` would meet. A name may begin with a digit: quote it.
    """
    if not key:
        return _EMPTY_KEY
    return _NEEDS_ESCAPE.sub(lambda match: f"_x{ord(match[0]):x}_", key)


@functools.lru_cache(maxsize=4096)
def decode_key(field: str) -> str:
    """The key whose field name is `field`; ValueError when no key has that name."""
    if field == _EMPTY_KEY:
        return ""
    key = _ESCAPE.sub(_decode_escape, field)
    if not key or encode_key(key) != field:
        raise ValueError(f"{field!r} is not the field name of a metadata key")
    return key


def _decode_escape(match: re.Match[str]) -> str:
    """The character of one escape; the escape itself where it names none, so that the check above fails."""
    digits = match[1]
    if len(digits) > 6 or int(digits, 16) > 0x10FFFF:
        return match[0]
    return chr(int(digits, 16))


def json_pointer(key: str) -> str:
    """The JSON pointer (RFC 6901) of the member `key` of an object: one reference token, whatever the key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
