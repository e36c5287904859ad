"""How far an ingest is: a line with rate and time left on a terminal, silence elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from logminer.ingestion.progress import NoProgress
from logminer.printable import counted


class QuietProgress(NoProgress):
    """Shows nothing; knows whether reading has begun."""

    def __init__(self) -> None:
        self.has_begun = False

    def begin(self, objects: int, size_bytes: int) -> None:
        """From now on there is something to commit."""
        self.has_begun = True


class TerminalProgress(QuietProgress):
    """One line on stderr: how much is listed, then a bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        super().__init__()
        console = Console(stderr=True)
        self._listing = Progress(
            TextColumn("listing"),
            TextColumn("{task.fields[found]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[records]:,} records"),
            console=console,
            transient=True,
        )
        self._listing_task: Any = None
        self._task: Any = None
        self._listed = self._records = self._size_bytes = 0

    def listed(self, objects: int) -> None:
        """Count them, while the sources are listed."""
        self._listed += objects
        found = counted(self._listed, "object")
        if self._listing_task is None:
            self._listing_task = self._listing.add_task("listing", total=None, found=found)
            self._listing.start()
        self._listing.update(self._listing_task, found=found)

    def begin(self, objects: int, size_bytes: int) -> None:
        """Show the bar; what begins later, such as the next batch of a log group, makes it longer."""
        super().begin(objects, size_bytes)
        self._size_bytes += size_bytes
        if self._task is None:
            self._listing.stop()
            self._task = self._bar.add_task("reading", total=self._size_bytes, records=0)
            self._bar.start()
        self._bar.update(self._task, total=self._size_bytes)

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """Move it on."""
        self._records += records
        self._bar.update(self._task, advance=size_bytes, records=self._records)

    def close(self) -> None:
        """Take it away."""
        self._listing.stop()
        self._bar.stop()


@contextlib.contextmanager
def showing_progress() -> Iterator[QuietProgress]:
    """A line on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield QuietProgress()
        return
    shown = TerminalProgress()
    try:
        yield shown
    finally:
        shown.close()
