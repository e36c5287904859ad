"""What an export format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec


class ExportPair(msgspec.Struct, frozen=True, gc=False):
    """One pair, or one prompt where `response` is None. `messages` is JSON text as the store has it."""

    system: str | None
    messages: str
    response: str | None


@dataclass(frozen=True)
class ExportFormat:
    """One output format: a line of bytes, with its line feed, for each pair.

    `source` is the page that documents it; `about` is a sentence for `--help`.
    """

    name: str
    about: str
    source: str
    write_line: Callable[[ExportPair], bytes]
