"""Plain JSON data into typed Structs, field by field, for records that strict decoding refuses.

A field of the wrong type becomes None and is reported by its path; the record stays. Only paths of our own
types are ever reported: what a caller wrote does not get into a status detail.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any

import msgspec

from logminer.json_text import NumberText, encode_json, has_surrogates, replace_surrogates

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
    if value is None:
        return None
    members = _members(kind)
    if kind is Any:
        return replace_surrogates(value)
    if msgspec.Raw in members:
        return msgspec.Raw(encode_json(replace_surrogates(value)))
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


def _text(value: str, faults: Faults) -> str:
    if has_surrogates(value):
        faults.replaced_text = True
        return str(replace_surrogates(value))
    return value


def _number(value: int | float, members: tuple[Any, ...]) -> Any:
    if isinstance(value, int):
        # Parquet's integers have 64 bits.
        return value if (int in members or float in members) and abs(value) < 2**63 else _WRONG
    if float in members:
        return float(value)
    return int(value) if int in members and value.is_integer() and abs(value) < 2**63 else _WRONG


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
        if isinstance(item, str):
            text = _text(item, faults)
        elif isinstance(item, NumberText):
            text = item.text
        elif isinstance(item, bool | int):
            text = encode_json(item).decode()
        elif item is None:
            continue
        else:
            faults.wrong_types[path] = None
            continue
        texts[_text(key, faults)] = text
    return texts


def _items(value: list[Any], members: tuple[Any, ...], faults: Faults, path: str) -> Any:
    """A list is taken whole or not at all, but for stream chunks: losing a turn in silence would be worse."""
    for member in members:
        if typing.get_origin(member) is list:
            item_kind = typing.get_args(member)[0]
            converted = [_convert(item, item_kind, faults, f"{path}[]") for item in value]
            if str in _members(item_kind):
                return [item for item in converted if item is not _WRONG and item is not None]
            return _WRONG if any(item is _WRONG or item is None for item in converted) else converted
    return _WRONG
