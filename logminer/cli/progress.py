"""How far an ingest is: a bar with rate and time left on a terminal, silence elsewhere."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from logminer.cli.streams import say

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


class TerminalProgress:
    """A bar on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[records]:,} records"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None
        self._records = self._size_bytes = 0

    def begin(self, objects: int, size_bytes: int) -> None:
        """Show the bar; what begins later, such as the next batch of a log group, makes it longer."""
        self._size_bytes += size_bytes
        if self._task is None:
            self._task = self._bar.add_task("reading", total=self._size_bytes, records=0)
            self._bar.start()
        self._bar.update(self._task, total=self._size_bytes)

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """Move it on."""
        self._records += records
        self._bar.update(self._task, advance=size_bytes, records=self._records)

    def close(self) -> None:
        """Take it away."""
        self._bar.stop()


@contextlib.contextmanager
def terminal_progress() -> Iterator[TerminalProgress | None]:
    """A bar where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = TerminalProgress()
    try:
        yield bar
    finally:
        bar.close()


@contextlib.contextmanager
def stopping_softly() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; a second one interrupts at once."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("stopping: committing what is read; press Ctrl-C again to stop at once")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
