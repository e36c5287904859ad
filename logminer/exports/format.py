"""What an export format is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO

from logminer.exports.routes import RouteName
from logminer.pairs import PromptResponsePair

# Opens an output file by its name inside the export; "" is the export's own path. Whole or not at all.
OpenFile = Callable[[str], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class ExportFormat:
    """One output format.

    JSONL formats have `write_line`: a line of bytes, with its line feed, for each pair; all others `write_files`,
    which is given the pairs in order. `profile` names the validation profile of what comes out. `prompts` says
    whether a line may have no answer, `turns` whether conversations of several user turns fit. `refuse` gives the
    reason, in words, why a single pair does not fit, or None; ask `misfit`, which looks at all three. `ending` is
    that of a file's name, `/` where the export is a folder. `source` is the page that documents the format;
    `about` is a sentence for `--help`; `routes` are what the output can be used for. `options` are what can be
    asked for, with what it does, and `make` gives the format that does so (raises UsageError). `texts_alone` says
    that nothing of a pair matters but its system prompt, messages and response, and whether the answer calls a
    tool: an export then reads little else.
    """

    name: str
    about: str
    source: str
    profile: str | None = None
    write_line: Callable[[PromptResponsePair], bytes] | None = None
    write_files: Callable[[Iterable[PromptResponsePair], OpenFile], None] | None = None
    ending: str = ".jsonl"
    prompts: bool = False
    turns: bool = True
    refuse: Callable[[PromptResponsePair], str | None] | None = None
    routes: tuple[RouteName, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Mapping[str, str]], ExportFormat] | None = None
    texts_alone: bool = False

    def misfit(self, pair: PromptResponsePair) -> str | None:
        """Why a pair does not fit, in words that go on after its name; None where it does."""
        if pair.response is None and not self.prompts:
            return "has no answer, and this format needs one"
        if pair.turns > 1 and not self.turns:
            return "has several user turns, and this format takes one"
        return self.refuse(pair) if self.refuse is not None else None
