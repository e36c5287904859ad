"""Aligned tables of text, for any width, without a trailing space."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from logminer.cli.streams import on_terminal, visible

_GAP = "  "
_NARROWEST = 8
_SHORT = 20  # a column up to this width is never folded: times, statuses, counts
_BREAKS = " -_./:=,&?"


def print_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    max_lines: int | None = None,
) -> None:
    """A table on stdout; columns in `right` are numbers.

    On a terminal, or where the variable COLUMNS is set, it fits the width: long cells are folded, at most to
    `max_lines` lines. Elsewhere a row is a line, however long.
    """
    fits = on_terminal() or os.environ.get("COLUMNS", "").isdecimal()
    width = shutil.get_terminal_size().columns if fits else None
    for line in table_lines(head, rows, right=right, width=width, max_lines=max_lines):
        print(line)


def table_lines(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
    max_lines: int | None = None,
) -> Iterator[str]:
    """The lines of a table; `width` None folds nothing. Cells are made safe for a terminal."""
    cells = [head, *([visible(cell) for cell in row] for row in rows)]
    natural = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    widths = natural if width is None else _fit(natural, right, width - len(_GAP) * (len(head) - 1))
    for row in cells:
        folded = [_fold(cell, size, max_lines) for cell, size in zip(row, widths, strict=True)]
        for index in range(max(map(len, folded))):
            parts = [
                _pad(lines[index] if index < len(lines) else "", size, column in right)
                for column, (lines, size) in enumerate(zip(folded, widths, strict=True))
            ]
            yield _GAP.join(parts).rstrip()


def text_width(text: str) -> int:
    """How many columns of a terminal `text` takes: East Asian wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fit(natural: Sequence[int], right: Collection[int], width: int) -> list[int]:
    """Widths that add up to `width` if they can.

    Numbers stay whole, and short columns too while the long ones keep some room; the rest is shared evenly.
    """
    foldable = [index for index in range(len(natural)) if index not in right]
    long = [index for index in foldable if natural[index] > _SHORT]
    if sum(natural) - sum(natural[index] for index in long) + _NARROWEST * len(long) > width:
        long = foldable
    widths = list(natural)
    left = width - sum(size for index, size in enumerate(natural) if index not in long)
    for done, index in enumerate(sorted(long, key=lambda index: natural[index])):
        share = max(left // (len(long) - done), _NARROWEST)
        widths[index] = min(natural[index], share)
        left -= widths[index]
    return widths


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - text_width(text))
    return space + text if right else text + space


def _fold(text: str, width: int, max_lines: int | None) -> list[str]:
    if text_width(text) <= width:
        return [text]
    lines = list(_folded(text, width))
    if max_lines is not None and len(lines) > max_lines:
        last, _ = _split(lines[max_lines - 1], width - 1)
        lines[max_lines - 1 :] = [last.rstrip() + "…"]
    return lines


def _folded(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, broken at a space or else another mark where there is one."""
    while text_width(text) > width:
        line, rest = _split(text, width)
        if not rest.startswith(" "):
            line, rest = _back_to_break(line, rest)
        yield line.rstrip()
        text = rest.lstrip(" ")
    yield text


def _back_to_break(line: str, rest: str) -> tuple[str, str]:
    """The line without the beginning of a word that does not end in it."""
    place = line.rfind(" ") + 1
    if place == 0:
        place = max(line.rfind(mark) for mark in _BREAKS) + 1
        # A mark near the start would leave most of the line empty.
        place = place if place > len(line) // 3 else 0
    return (line[:place], line[place:] + rest) if place else (line, rest)


def _split(text: str, width: int) -> tuple[str, str]:
    """The longest beginning that fits `width` columns, of at least one character, and the rest."""
    used = 0
    for index, character in enumerate(text):
        used += _character_width(character)
        if used > width and index:
            return text[:index], text[index:]
    return text, ""
