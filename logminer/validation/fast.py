"""The quick look at one line: a typed pass that says "no fault" or "look closer", the former only if sure.

A line without fault takes one pass of msgspec and a few searches in C, which is where the speed of a
validation comes from. `None` is no verdict: the slow look then finds all the faults, or none.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import cycle
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from logminer.validation.conversation import SCHEMA_VERSION, is_blank
from logminer.validation.reserved_words import has_reserved_word

# A literal for the type checker; the test of the two spellings keeps it equal to SCHEMA_VERSION.
_Version = Literal["bedrock-conversation-2024"]
_Role = Literal["user", "assistant"]

_QUOTE: Final = ord('"')
# What a JSON string can start with and certainly not be blank.
_VISIBLE: Final = frozenset(range(0x21, 0x7F)) - {_QUOTE, ord("\\")}


class _RawItem(Struct, forbid_unknown_fields=True, gc=False):
    text: Raw  # any JSON value as it is written; see _texts_pass


class _RawMessage(Struct, forbid_unknown_fields=True, gc=False):
    role: _Role
    content: Annotated[list[_RawItem], Meta(min_length=1, max_length=1)]


class _RawConversation(Struct, forbid_unknown_fields=True, gc=False):
    schemaVersion: _Version  # noqa: N815 - the format's own spelling
    messages: Annotated[list[_RawMessage], Meta(min_length=1)]
    system: Annotated[list[_RawItem], Meta(min_length=1, max_length=1)] | UnsetType = UNSET


class _Item(Struct, forbid_unknown_fields=True, gc=False):
    text: str


class _TypedItem(Struct, forbid_unknown_fields=True, gc=False):
    text: str
    type: str | UnsetType = UNSET


class _Message(Struct, forbid_unknown_fields=True, gc=False):
    role: _Role
    content: Annotated[list[_TypedItem], Meta(min_length=1, max_length=1)]


class _Conversation(Struct, forbid_unknown_fields=True, gc=False):
    schemaVersion: _Version  # noqa: N815
    messages: Annotated[list[_Message], Meta(min_length=1, max_length=2)]
    system: Annotated[list[_Item], Meta(min_length=1, max_length=1)] | UnsetType = UNSET


_decode_raw = msgspec.json.Decoder(_RawConversation).decode
_decode = msgspec.json.Decoder(_Conversation).decode
_decode_text = msgspec.json.Decoder(str).decode


_AFTER_FIRST_COLON: Final = len('{"schemaVersion":')
# How an ASCII character may be hidden in an escape.
_ASCII_ESCAPE = re.compile(rb"\\u00")


@lru_cache(maxsize=32)
def _skeleton(*, spaced: bool, system: bool, turns: int) -> tuple[bytes, ...]:
    """What stands around the texts of a line of so many turns, as the usual JSON writers put it.

    `spaced` is the way of Python's json.dumps unless told otherwise. One piece more than there are texts.
    """
    role = cycle(("user", "assistant"))
    messages = [{"role": next(role), "content": [{"text": ""}]} for _ in range(turns)]
    head = {"schemaVersion": SCHEMA_VERSION, **({"system": [{"text": ""}]} if system else {})}
    line = json.dumps({**head, "messages": messages}, separators=(", ", ": ") if spaced else (",", ":"))
    return tuple(line.encode().split(b'""'))


def scan_strict(line: bytes, max_messages: int | None) -> bool | None:
    """Tell whether a flawless line ends with an answer; None where it may break any rule.

    The rules are those of the strict profiles: no repeated key, no blank text, no reserved word.
    """
    try:
        record = _decode_raw(line)
        if not line.isascii():
            line.decode()  # msgspec does not look at the bytes inside a Raw
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    messages = record.messages
    if max_messages is not None and len(messages) > max_messages:
        return None
    texts = [message.content[0].text for message in messages]
    if record.system is not UNSET:
        texts.insert(0, record.system[0].text)
    if not (_is_usual_spelling(line, record, texts) or _alternates_without_repeats(line, record)):
        return None
    return len(messages) % 2 == 0 if _texts_pass(texts) else None


def scan_lenient(line: bytes) -> bool | None:
    """Tell whether a line that AWS's script surely accepts ends with an answer; None for any other."""
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return len(record.messages) == 2 if _alternate(record.messages) else None


def _alternate(messages: list[_RawMessage] | list[_Message]) -> bool:
    expected = "user"
    for message in messages:
        if message.role != expected:
            return False
        expected = "assistant" if expected == "user" else "user"
    return True


def _is_usual_spelling(line: bytes, record: _RawConversation, texts: list[Raw]) -> bool:
    """Whether the line is, byte for byte, what a usual writer makes of these texts in alternating turns.

    Such a line has no key twice: the repeated one would have to stand between the texts.
    """
    pieces: list[bytes | Raw] = [b""] * (2 * len(texts) + 1)
    pieces[::2] = _skeleton(
        spaced=line[_AFTER_FIRST_COLON : _AFTER_FIRST_COLON + 1] == b" ",
        system=record.system is not UNSET,
        turns=len(record.messages),
    )
    pieces[1::2] = texts
    return b"".join(pieces) == line


def _alternates_without_repeats(line: bytes, record: _RawConversation) -> bool:
    """Whether roles alternate and no key is repeated, for a line in another order or with other white space.

    The line must have as many JSON strings as the record needs; a repeated key would be one more. Counting
    is slower than comparing.
    """
    if b"\r" in line or not _alternate(record.messages):
        return False  # a carriage return is legal white space, but the end of a line for some readers
    needed = 3 + 5 * len(record.messages) + (0 if record.system is UNSET else 3)
    quotes = line.count(b'"')
    if b"\\" in line:
        # Without the escaped backslashes, a quote after a backslash is an escaped quote and nothing else.
        quotes -= line.replace(rb"\\", b"").count(rb"\"")
    return quotes == 2 * needed


def _texts_pass(texts: list[Raw]) -> bool:
    """Whether all are strings, none blank and none with a reserved word (as far as is seen at a glance)."""
    together = b"".join(texts)
    start = 0
    for text in texts:
        if together[start] != _QUOTE:
            return False
        if together[start + 1] not in _VISIBLE and is_blank(_decode_text(text)):
            return False
        start += len(text)
    if b"\\" in together and _ASCII_ESCAPE.search(together):  # it may hide a reserved word
        together = "\n".join(map(_decode_text, texts)).encode()
    return not has_reserved_word(together)
