"""Checks a value against an AWS service model as the service does, not as botocore does.

botocore's own parameter validation looks at little more than types and required members: two pairs in a map
of one, a value past its length or outside its pattern, a list of 17 where 16 are allowed all pass it. This
walks the shapes of botocore's service models and enforces min, max, pattern, enum, required and union.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

Problems = Iterator[str]


def check_shape(service: str, name: str, value: Any) -> list[str]:
    """What is wrong with `value` as the shape or operation `name` of `service`, each with its JSON path.

    An operation stands for its input. Patterns count for the whole string and `\\s`, `\\w` for ASCII, as they
    do in the services; the few patterns with Unicode classes (`\\p{L}`) are more than `re` knows: re.error.
    """
    model = _model(service)
    shape = (
        model.operation_model(name).input_shape if name in model.operation_names else model.shape_for(name)
    )
    return list(_check(shape, value, "$"))


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _check(shape: Shape, value: Any, path: str) -> Problems:
    types, check = _CHECKS[shape.type_name]
    if getattr(shape, "is_document_type", False):
        yield from _check_document(value, path)
    elif not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{path}: {type(value).__name__} where {shape.type_name} is expected"
    else:
        yield from check(shape, value, path)


def _check_structure(shape: Any, value: dict[str, Any], path: str) -> Problems:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}: {name} is missing"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{path}: {len(value)} members in a union, which has exactly one"
    for name, member in value.items():
        if name in shape.members:
            yield from _check(shape.members[name], member, f"{path}.{name}")
        else:
            yield f"{path}: {name} is no member of {shape.name}"


def _check_list(shape: Any, value: list[Any], path: str) -> Problems:
    yield from _check_range(shape, len(value), path, "items")
    for index, item in enumerate(value):
        yield from _check(shape.member, item, f"{path}[{index}]")


def _check_map(shape: Any, value: dict[str, Any], path: str) -> Problems:
    yield from _check_range(shape, len(value), path, "pairs")
    for key, item in value.items():
        yield from _check(shape.key, key, f"{path}<{key!r}>")
        yield from _check(shape.value, item, f"{path}[{key!r}]")


def _check_string(shape: Any, value: str, path: str) -> Problems:
    yield from _check_range(shape, len(value), path, "characters")
    pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern is not None and not re.fullmatch(pattern, value, re.ASCII):
        yield f"{path}: {value!r} does not match {pattern}"
    if enum and value not in enum:
        yield f"{path}: {value!r} is none of {', '.join(enum)}"


def _check_number(shape: Any, value: float, path: str) -> Problems:
    yield from _check_range(shape, value, path, "as value")


def _check_blob(shape: Any, value: bytes, path: str) -> Problems:
    yield from _check_range(shape, len(value), path, "bytes")


def _check_nothing(shape: Any, value: Any, path: str) -> Problems:
    yield from ()


def _check_range(shape: Any, size: float, path: str, unit: str) -> Problems:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path}: {size} {unit}, fewer than {low}"
    if high is not None and size > high:
        yield f"{path}: {size} {unit}, more than {high}"


def _check_document(value: Any, path: str) -> Problems:
    """A document is any JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{path}: a key that is no string"
            yield from _check_document(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check_document(item, f"{path}[{index}]")
    elif not isinstance(value, (str, int, float, bool, type(None))):
        yield f"{path}: {type(value).__name__} is no JSON value"


_CHECKS: dict[str, tuple[tuple[type, ...], Callable[[Any, Any, str], Problems]]] = {
    "structure": ((dict,), _check_structure),
    "list": ((list,), _check_list),
    "map": ((dict,), _check_map),
    "string": ((str,), _check_string),
    "integer": ((int,), _check_number),
    "long": ((int,), _check_number),
    "float": ((int, float), _check_number),
    "double": ((int, float), _check_number),
    "boolean": ((bool,), _check_nothing),
    "blob": ((bytes,), _check_blob),
    "timestamp": ((datetime.datetime, str), _check_nothing),
}
