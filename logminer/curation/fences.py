"""Markdown's fenced code blocks: which lines of an answer stand in one, and whether the last one is closed.

Source: https://spec.commonmark.org/0.31.2/#fenced-code-blocks, with any indentation, as in lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The language after the opening fence holds no backtick. More than five marks underline a heading.
_FENCE = re.compile(r"\s*(?P<marks>`{3,5}+|~{3,5}+)(?P<language>[^`~]*)")


@dataclass(frozen=True, slots=True)
class FencedText:
    """The lines outside of code blocks.

    `is_open` says that text follows a fence that nothing closes; `last_line` is the last line that is not blank,
    if it stands outside, and else empty.
    """

    outside: list[str]
    is_open: bool
    last_line: str


def read_fences(text: str) -> FencedText:
    """Tell code blocks from what is around them."""
    lines = text.split("\n")
    if "```" not in text and "~~~" not in text:
        return FencedText(lines, is_open=False, last_line=_last_line(lines))
    outside: list[str] = []
    fences, opening, has_content = 0, "", False
    for line in lines:
        fence = _FENCE.fullmatch(line)
        if fence is None:
            has_content = has_content or not _is_blank(line)
            if not opening:
                outside.append(line)
            continue
        fences, has_content = fences + 1, not _is_blank(fence["language"])
        if not opening:
            opening = fence["marks"]
        elif fence["marks"].startswith(opening) and not has_content:
            opening = ""
    # Models put one block into another with fences of one length. Then the count is even, and nothing is open;
    # nor is it behind a last fence without a language, which closes what the prompt had opened.
    is_open = bool(opening) and fences % 2 == 1 and has_content
    ends_outside = not opening and has_content
    return FencedText(outside, is_open, _last_line(outside) if ends_outside else "")


def _is_blank(line: str) -> bool:
    return not line or line.isspace()


def _last_line(lines: list[str]) -> str:
    return next((line.strip() for line in reversed(lines) if not _is_blank(line)), "")


_WHOLE = re.compile(r"\s*```(?P<language>\w*)[^\S\n]*\n(?P<content>.*)\n[^\S\n]*```\s*", re.DOTALL)


def only_block(text: str) -> tuple[str, str] | None:
    """Language (lower case) and content of an answer that is one code block and nothing else."""
    whole = _WHOLE.fullmatch(text)
    if whole is None or "```" in whole["content"]:
        return None
    return whole["language"].lower(), whole["content"]
