"""How the lines of the text formats are looked at quickly; see `quick.py`.

A plan is for the usual line of a format, of texts alone. Any other line is left to the slow look.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from operator import attrgetter
from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType, defstruct

from logminer.validation.quick import Columns, QuickPlan

Forbidden = Callable[[bytes], bool]


class _Item(Struct, forbid_unknown_fields=True, gc=False):
    text: Raw


class _OneItem(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    item: _Item


class _ItemMessage(Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: _OneItem


class _Conversation(Struct, forbid_unknown_fields=True, gc=False):
    schemaVersion: Literal["bedrock-conversation-2024"]  # noqa: N815 - the format's own spelling
    messages: list[_ItemMessage]
    system: _OneItem | UnsetType = UNSET


class _TextMessage(Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: Raw


_NO_TEXT = Raw(b"")


class _Chat(Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_TextMessage]
    system: Raw = _NO_TEXT  # a Raw in a union would be lost


def conversation_plan(
    forbidden: Forbidden | None = None, *, blanks: bool = False, max_line_bytes: int | None = None
) -> QuickPlan:
    """Lines of `bedrock-conversation-2024` with one text in each message."""
    return QuickPlan(
        record=_Conversation,
        shape=_conversation_shape,
        columns=_conversation_columns,
        forbidden=forbidden,
        blanks=blanks,
        max_line_bytes=max_line_bytes,
    )


def chat_plan(forbidden: Forbidden | None = None, *, max_line_bytes: int | None = None) -> QuickPlan:
    """Lines of messages whose content is a string, with a string for `system` or none."""
    return QuickPlan(
        record=_Chat,
        shape=_chat_shape,
        columns=_chat_columns,
        forbidden=forbidden,
        max_line_bytes=max_line_bytes,
    )


def flat_plan(*keys: str, forbidden: Forbidden | None = None, max_line_bytes: int | None = None) -> QuickPlan:
    """Lines that are objects of these keys, each with a string."""
    names = tuple(f"text_{index}" for index in range(len(keys)))
    record = defstruct(
        "Flat",
        [(name, Raw) for name in names],
        rename=dict(zip(names, keys, strict=True)),
        forbid_unknown_fields=True,
        gc=False,
    )
    return QuickPlan(
        record=record,
        shape=lambda record: 0,
        columns=lambda records: [list(map(attrgetter(name), records)) for name in names],
        forbidden=forbidden,
        max_line_bytes=max_line_bytes,
    )


def _conversation_shape(record: _Conversation) -> int:
    turns = len(record.messages)  # small numbers are compared faster than tuples
    return turns if record.system is UNSET else ~turns


def _conversation_columns(records: list[Any]) -> Columns:
    columns = _by_turn(records, attrgetter("content.item.text"))
    if records[0].system is not UNSET:
        columns.append(list(map(attrgetter("system.item.text"), records)))
    return columns


def _chat_shape(record: _Chat) -> int:
    turns = len(record.messages)
    return turns if record.system is _NO_TEXT else ~turns


def _chat_columns(records: list[Any]) -> Columns:
    columns = _by_turn(records, attrgetter("content"))
    if records[0].system is not _NO_TEXT:
        columns.append(list(map(attrgetter("system"), records)))
    return columns


def _by_turn(records: list[Any], text: Callable[[Any], Raw]) -> list[list[Raw]]:
    """The texts of the first messages, of the second ones and so on; all records have as many."""
    texts = list(map(text, chain.from_iterable(map(attrgetter("messages"), records))))
    turns = len(records[0].messages)
    return [texts[turn::turns] for turn in range(turns)]
