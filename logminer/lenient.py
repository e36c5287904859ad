"""Plain JSON data into typed Structs, field by field, for records that strict decoding refuses.

A field of the wrong type becomes None and is reported by its path; the record stays. Only paths of our own
types are ever reported: what a caller wrote does not get into a status detail.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from typing import Any

import msgspec

from logminer.json_text import NumberText, encode_tolerantly, has_surrogates, replace_surrogates

# Beyond this a float does not say which integer is meant.
_MAX_EXACT = 2**53
_MAX_FLOAT = 10**308

_WRONG = object()  # a value that no member of the type takes


class Faults:
    """What was wrong with a record: the paths of fields with a wrong type, and whether text was replaced."""

    def __init__(self) -> None:
        self.wrong_types: dict[str, None] = {}  # ordered, without repeats
        self.replaced_text = False

    def details(self) -> tuple[str, ...]:
        """Words for `status_detail`."""
        words = [f"wrong_type:{path}" for path in self.wrong_types]
        return (*words, "replaced_text") if self.replaced_text else tuple(words)


def convert_leniently(value: Any, kind: Any, faults: Faults, path: str = "") -> Any:
    """`value` as `kind`; None, and a fault, where it cannot be. Never raises for any JSON data."""
    converted = _convert(value, kind, faults, path)
    if converted is _WRONG:
        faults.wrong_types[path] = None
        return None
    return converted


def _convert(value: Any, kind: Any, faults: Faults, path: str) -> Any:
    members = _members(kind)
    if msgspec.Raw in members:
        return _raw(value, faults)
    if value is None:
        return None
    if isinstance(value, bool):
        return value if bool in members else _WRONG
    if isinstance(value, str):
        return _text(value, faults) if str in members else _WRONG
    if isinstance(value, int | float):
        return _number(value, members)
    if isinstance(value, dict):
        return _object(value, members, faults, path)
    return _items(value, members, faults, path)


@functools.cache
def _members(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.get_args(kind)
    return (kind,)


def _raw(value: Any, faults: Faults) -> msgspec.Raw:
    text, replaced = encode_tolerantly(value)
    faults.replaced_text = faults.replaced_text or replaced
    return msgspec.Raw(text)


def _text(value: str, faults: Faults) -> str:
    if has_surrogates(value):
        faults.replaced_text = True
        return str(replace_surrogates(value))
    return value


def _number(value: int | float, members: tuple[Any, ...]) -> Any:
    if isinstance(value, int):
        if int in members:
            return value
        return float(value) if float in members and abs(value) < _MAX_FLOAT else _WRONG
    if float in members and math.isfinite(value):
        return float(value)
    # Some writers make every number a float; `12.0` is a count all the same.
    return int(value) if int in members and value.is_integer() and abs(value) < _MAX_EXACT else _WRONG


def _object(value: dict[str, Any], members: tuple[Any, ...], faults: Faults, path: str) -> Any:
    for member in members:
        origin = typing.get_origin(member) or member
        if origin is dict:
            return _string_map(value, faults, path)
        if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
            fields = _fields(member)
            known = {
                fields[key][0]: convert_leniently(item, fields[key][1], faults, f"{path}.{key}".lstrip("."))
                for key, item in value.items()
                if key in fields
            }
            return origin(**known)
    return _WRONG


@functools.cache
def _fields(struct: Any) -> dict[str, tuple[str, Any]]:
    return {field.encode_name: (field.name, field.type) for field in msgspec.structs.fields(struct)}


def _string_map(value: dict[str, Any], faults: Faults, path: str) -> dict[str, str]:
    """A metadata map: numbers and booleans count as their JSON text, null as absent."""
    texts: dict[str, str] = {}
    for key, item in value.items():
        text = _metadata_text(item, faults)
        if text is not None:
            texts[_text(key, faults)] = text
        elif item is not None:
            faults.wrong_types[path] = None
    return texts


def _metadata_text(item: Any, faults: Faults) -> str | None:
    if isinstance(item, str):
        return _text(item, faults)
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, NumberText):
        return item.text
    return str(item) if isinstance(item, int) else None


def _items(value: list[Any], members: tuple[Any, ...], faults: Faults, path: str) -> Any:
    """A list is taken whole or not at all: losing a turn in silence would be worse than losing all."""
    for member in members:
        if typing.get_origin(member) is list:
            item_kind = typing.get_args(member)[0]
            may_be_none = types.NoneType in _members(item_kind)
            converted = [_convert(item, item_kind, faults, f"{path}[]") for item in value]
            is_wrong = any(item is _WRONG or (item is None and not may_be_none) for item in converted)
            return _WRONG if is_wrong else converted
    return _WRONG
