"""The slow look at one line: what is odd about its JSON, wherever it stands.

Python's own decoder is asked here, since AWS's validation script uses it, with hooks that keep what it would
hide: repeated keys and NaN.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from logminer.validation.rules import Finding

_BOM = b"\xef\xbb\xbf"
_CARRIAGE_RETURN = b"\r"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SURROGATE = re.compile("[\ud800-\udfff]")

# What Python's decoder says: the same in other words, and the remedy.
_SYNTAX = {
    "Extra data": (
        "something follows the end of the value",
        "End the line after the object: a closing brace too many, or a second value on the line.",
    ),
    "Expecting property name enclosed in double quotes": (
        "a key in double quotes is expected",
        "Quote every key and text with double quotes.",
    ),
    "Invalid control character at": (
        "a control character stands in a text",
        "Escape line breaks and tabs inside texts as \\n and \\t.",
    ),
    "Unterminated string starting at": (
        "a text starts here and does not end",
        "Close the text with a double quote; keep each object on one line.",
    ),
}


class JsonObject(dict[str, Any]):
    """A JSON object that remembers which keys were written more than once; the last value won."""

    __slots__ = ("repeated",)

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members)
        self.repeated: dict[str, int] = {}
        if len(self) < len(members):
            written = Counter(key for key, _ in members)
            self.repeated = {key: count for key, count in written.items() if count > 1}


class NonFinite:
    """Stands for a NaN, Infinity or -Infinity in the JSON."""


_DECODER = json.JSONDecoder(
    object_pairs_hook=JsonObject,
    parse_int=lambda _: 0,  # no rule looks at a number, and Python refuses to convert very long ones
    parse_constant=lambda _: NonFinite(),
)


def member_path(path: str, key: str) -> str:
    """The JSON path of an object's member. Odd keys are described, not shown: they may hold anything."""
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}.<key of {len(key)} characters>"


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """The JSON value of a line, made of `JsonObject`s, and what was wrong with its bytes.

    `readable` is false where there is no value.
    """

    value: Any
    readable: bool
    findings: tuple[Finding, ...]


def parse_line(line: bytes) -> ParsedLine:
    """Read a line as far as it can be read: past a byte order mark and past bytes that are not UTF-8."""
    if not line.strip():
        return ParsedLine(None, readable=False, findings=(Finding("blank_line", "$", "blank line"),))
    findings = list(_byte_findings(line))
    text = line.removeprefix(_BOM).decode(errors="replace")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        findings.append(_syntax_finding(error))
    except RecursionError:
        findings.append(Finding("too_deep", "$", "nested too deep to read"))
    else:
        return ParsedLine(value, readable=True, findings=tuple(findings))
    return ParsedLine(None, readable=False, findings=tuple(findings))


def _byte_findings(line: bytes) -> Iterator[Finding]:
    if line.startswith(_BOM):
        yield Finding("bom", "$", "starts with a byte order mark")
    if b"\r" in line:
        yield Finding("carriage_return", "$", f"carriage return at byte {line.index(_CARRIAGE_RETURN) + 1}")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield Finding("not_utf8", "$", f"not UTF-8 at byte {error.start + 1} (0x{line[error.start]:02x})")


def _syntax_finding(error: json.JSONDecodeError) -> Finding:
    # The decoder's messages are fixed texts, none quotes the line.
    problem, fix = _SYNTAX.get(error.msg, (error.msg, ""))
    return Finding("not_json", "$", f"not JSON at character {error.pos + 1}: {problem}", fix)


def oddities(value: Any) -> Iterator[Finding]:
    """Yield what is wrong in any format: repeated keys, NaN and Infinity, halves of characters."""
    for path, node in _walk(value):
        if isinstance(node, JsonObject):
            for key, count in node.repeated.items():
                yield Finding("duplicate_key", member_path(path, key), f"the key is there {count} times")
            for key in filter(_SURROGATE.search, node):
                yield Finding("lone_surrogate", member_path(path, key), "half a character in the key")
        elif isinstance(node, NonFinite):
            yield Finding("non_finite_number", path, "NaN or Infinity is no JSON number")
        elif isinstance(node, str) and _SURROGATE.search(node):
            yield Finding("lone_surrogate", path, "half a character (unpaired surrogate escape)")


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    # A stack of iterators: recursion could run out of depth, a list of all nodes out of memory.
    stack: list[Iterator[tuple[str, Any]]] = [iter([("$", value)])]
    while stack:
        for path, node in stack[-1]:
            yield path, node
            if isinstance(node, (dict, list)):
                stack.append(iter(_children(path, node)))
                break
        else:
            stack.pop()


def _children(path: str, node: dict[str, Any] | list[Any]) -> Iterable[tuple[str, Any]]:
    if isinstance(node, dict):
        return ((member_path(path, key), child) for key, child in node.items())
    return ((f"{path}[{index}]", child) for index, child in enumerate(node))
