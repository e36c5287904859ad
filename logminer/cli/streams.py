"""The two streams of a command: data on stdout, words on stderr.

Text from logs is hostile. Nothing of it reaches a terminal as a control sequence: what is not visible is shown
by its number.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from typing import Any, BinaryIO

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # they join letters and emoji, and do nothing else


def visible(text: str, *, keep: str = "") -> str:
    """`text` with control characters, bidirectional marks and the like as escapes, but for those of `keep`."""
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in keep or each in _JOINERS or not _is_invisible(each)
        else _escape(each)
        for each in text
    )


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _escape(character: str) -> str:
    """The escape that JSON has too, so that JSON stays JSON."""
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def say(text: str) -> None:
    """Words for a person, on stderr."""
    print(visible(text, keep="\n"), file=sys.stderr)


def warn(text: str) -> None:
    """A warning on stderr."""
    say(f"warning: {text}")


def complain(text: str) -> None:
    """Why a command fails, on stderr; remedies are on lines of their own."""
    say("\n".join(line.rstrip() for line in f"error: {text}".split("\n")))


def show(text: str = "") -> None:
    """A line of a result for people, on stdout."""
    print(visible(text))


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    import msgspec

    out = data_out()
    out.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    out.flush()


def on_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def data_out() -> BinaryIO:
    """Where the bytes of a result go: stdout as it is, but on a terminal with all that is invisible escaped."""
    sys.stdout.flush()
    if on_terminal():
        return _TerminalBytes()  # type: ignore[return-value]
    return sys.stdout.buffer


class _TerminalBytes(io.BufferedIOBase):
    """Takes the UTF-8 text that writers of records make, in whole characters."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data).decode("utf-8", "backslashreplace")
        sys.stdout.write(visible(text, keep="\n\t"))
        return len(data)

    def flush(self) -> None:
        sys.stdout.flush()
