"""What Ctrl-C and SIGTERM do to an ingest."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from logminer.cli.streams import say

if TYPE_CHECKING:
    from logminer.cli.progress import QuietProgress

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


@contextlib.contextmanager
def stopping_softly(progress: QuietProgress) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; a second one interrupts at once.

    So does the first one before reading has begun, since there is nothing to commit then.
    """
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set() or not progress.has_begun:
            raise KeyboardInterrupt
        stop.set()
        say("stopping: committing what is read; press Ctrl-C again to stop at once")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
