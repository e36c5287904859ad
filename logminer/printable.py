"""Words for a person: text of others, fit to be shown, and numbers of things."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` safe for a terminal and for UTF-8: controls, surrogates and direction marks as \x1b, \ud800."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def counted(number: int, noun: str) -> str:
    """A number of things: `1 record`, `1,200 records`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
