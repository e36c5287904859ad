"""Text of others, fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` safe for a terminal and for UTF-8: controls, surrogates and direction marks as \x1b, \ud800."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )
