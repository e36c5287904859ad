"""What a body shape is, and how the shapes of all families become the types of one typed pass.

Each module in `families/` describes its own bodies with msgspec Structs that name only the fields it reads.
Here the Structs of all families are merged, field by field and level by level, into one request, one response
and one stream-chunk type. A log line is then decoded once, straight into those, and each family's functions
get a value that has at least the fields they declared.
"""

from __future__ import annotations

import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from logminer.conversations.parts import Answer, Prompt
from logminer.entries import collect_entries
from logminer.model import BodyTypes

# The values handed to `accepts` and `read` are of merged types that exist only at run time, so their static
# type is that of the family's own Struct, and Any here.
Accepts = Callable[[Any], bool]


@dataclass(frozen=True)
class RequestShape:
    """A request body: its fields, how to know it, how to read it."""

    struct: type[msgspec.Struct]
    accepts: Accepts
    read: Callable[[Any], Prompt]


@dataclass(frozen=True)
class ResponseShape:
    """A response body that is one JSON object."""

    struct: type[msgspec.Struct]
    accepts: Accepts
    read: Callable[[Any], Answer]


@dataclass(frozen=True)
class StreamShape:
    """A response body that is a list of chunks. `accepts` sees all chunks, at least one, never strings."""

    struct: type[msgspec.Struct]
    accepts: Accepts
    read: Callable[[Any], Answer]


@dataclass(frozen=True)
class BodyShape:
    """All there is to know about one family's bodies.

    `rank` decides where two shapes accept one body: the lower is asked first. `source` is the public page
    that documents the format. `models` are examples of model ids that use it, for the documentation.
    """

    name: str
    source: str
    rank: int
    models: tuple[str, ...] = ()
    request: RequestShape | None = None
    response: ResponseShape | None = None
    stream: StreamShape | None = None


@functools.cache
def body_shapes() -> tuple[BodyShape, ...]:
    """All families, in the order in which they are asked. Two of one name are refused."""
    shapes = collect_entries("logminer.conversations.families", "SHAPE", BodyShape)
    return tuple(sorted(shapes.values(), key=lambda shape: (shape.rank, shape.name)))


def merge_body_types(shapes: Sequence[BodyShape], *, every_response: type[msgspec.Struct]) -> BodyTypes:
    """Merge the Structs of all `shapes`; `every_response` joins every response and every stream chunk."""
    return BodyTypes(
        request=_decodable(_merge_structs("RequestBody", [s.request.struct for s in shapes if s.request])),
        response=_decodable(
            _merge_structs(
                "ResponseBody", [every_response, *(s.response.struct for s in shapes if s.response)]
            )
        ),
        chunk=_decodable(
            _merge_structs("Chunk", [every_response, *(s.stream.struct for s in shapes if s.stream)])
        ),
    )


def _merge_structs(name: str, structs: Iterable[type[msgspec.Struct]]) -> type[msgspec.Struct]:
    merged: dict[str, tuple[str, Any]] = {}
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            if field.encode_name in merged:
                attribute, known = merged[field.encode_name]
                if attribute != field.name:
                    raise TypeError(
                        f"{struct.__name__}: {field.encode_name!r} is called {attribute!r} elsewhere"
                    )
                merged[field.encode_name] = attribute, _merge_types(f"{name}_{attribute}", known, field.type)
            elif any(attribute == field.name for attribute, _ in merged.values()):
                # defstruct would keep one of the two in silence.
                raise TypeError(f"{struct.__name__}: {field.name!r} is the name of another field elsewhere")
            else:
                merged[field.encode_name] = field.name, field.type
    return msgspec.defstruct(
        name,
        [
            (attribute, kind | None, msgspec.field(default=None, name=encoded))
            for encoded, (attribute, kind) in merged.items()
        ],
        gc=False,
    )


def _merge_types(name: str, left: Any, right: Any) -> Any:
    """The type that takes what either takes. Structs merge; so do the items of lists."""
    if left == right:
        return left
    members: dict[Any, Any] = {}
    for member in (*_union_members(left), *_union_members(right)):
        slot = _slot(member)
        known = members.get(slot, member)
        if known != member:
            if slot == "struct":
                member = _merge_structs(name, [known, member])
            elif slot == "list":
                item = _merge_types(name, typing.get_args(known)[0], typing.get_args(member)[0])
                member = list[item]  # type: ignore[valid-type]
            else:
                raise TypeError(f"{name}: {known} and {member} cannot be one type")
        members[slot] = member
    if members.keys() & {"raw"} and len(members.keys() - {"raw", type(None)}) > 0:
        raise TypeError(f"{name}: a raw value cannot be typed too; every family must use msgspec.Raw for it")
    return functools.reduce(operator.or_, members.values())


def _union_members(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.get_args(kind)
    return (kind,)


def _slot(member: Any) -> Any:
    """Which members of a union exclude each other: one Struct or dict, one list, one of each scalar."""
    origin = typing.get_origin(member)
    if origin is list:
        return "list"
    if origin is dict or (isinstance(member, type) and issubclass(member, msgspec.Struct)):
        return "struct"
    return "raw" if member is msgspec.Raw else member


def _decodable(kind: Any) -> Any:
    """`kind` with `Raw` for every `Raw | None` in it: msgspec takes such a union for None alone.

    So an absent member is None, and one that is null arrives as Raw.
    """
    members = _union_members(kind)
    if msgspec.Raw in members:
        return msgspec.Raw
    return functools.reduce(operator.or_, (_decodable_member(member) for member in members))


def _decodable_member(member: Any) -> Any:
    if typing.get_origin(member) is list:
        return list[_decodable(typing.get_args(member)[0])]  # type: ignore[misc]
    if not (isinstance(member, type) and issubclass(member, msgspec.Struct)):
        return member
    return msgspec.defstruct(
        member.__name__,
        [
            (field.name, _decodable(field.type), msgspec.field(default=None, name=field.encode_name))
            for field in msgspec.structs.fields(member)
        ],
        gc=False,
    )
