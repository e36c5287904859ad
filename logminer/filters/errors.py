"""The error of the filter language, which shows the place in the text, the rule, and a form that is valid."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from logminer.errors import UsageError
from logminer.printable import printable

_SHOWN_BEFORE = 60  # characters of a long line that are shown before the fault
_SHOWN_AFTER = 40


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the filter's text: 0-based offsets in characters, the end not included."""

    start: int
    end: int


class FilterError(UsageError):
    """A filter expression that cannot be meant.

    `text` is the whole expression and `start <= end <= len(text)` the place in it; `line` and `column` count
    from 1, and only a line feed ends a line. `rule` is what the language says about it, `fix` what to write
    instead, and `suggestion` a complete filter that parses, or "" where none is near.
    """

    def __init__(
        self, text: str, span: Span, problem: str, *, rule: str, fix: str, suggestion: str = ""
    ) -> None:
        self.text, self.start, self.end = text, span.start, span.end
        self.rule, self.suggestion = rule, suggestion
        self.line = text.count("\n", 0, span.start) + 1
        self.column = span.start - (text.rfind("\n", 0, span.start) + 1) + 1
        super().__init__(problem, where=f"filter:{self.line}:{self.column}", fix=fix)
        remedy = f"write: {printable(suggestion)}" if suggestion else fix
        self.args = (f"{self.where}: {problem}\n{excerpt(text, span)}\n  {rule}\n  {remedy}",)


def excerpt(text: str, span: Span) -> str:
    """The line of `text` where `span` starts, cut around it, with a line of carets under the span.

    A span that goes on to the next line is marked up to the end of its first; an empty one gets one caret.
    """
    line_start = text.rfind("\n", 0, span.start) + 1
    line_end = text.find("\n", span.start)
    line_end = len(text) if line_end < 0 else line_end
    first = max(line_start, span.start - _SHOWN_BEFORE)
    last = min(line_end, max(span.start, min(span.end, span.start + _SHOWN_BEFORE)) + _SHOWN_AFTER)
    before = ("…" if first > line_start else "") + printable(text[first : span.start])
    marked = printable(text[span.start : min(span.end, last)])
    after = printable(text[max(span.start, min(span.end, last)) : last]) + ("…" if last < line_end else "")
    carets = " " * _display_width(before) + "^" * max(1, _display_width(marked))
    return f"    {before}{marked}{after}\n    {carets}"


def _display_width(text: str) -> int:
    """Columns that printable text takes on a terminal: wide characters two, combining ones none."""
    return sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
