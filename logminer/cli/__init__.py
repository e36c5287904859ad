"""The command line: options in, one library call, report and exit code out."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Run a command and end the process with its code: `logminer --help` says what the codes mean."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from logminer.cli.running import run

        code = run()
    except KeyboardInterrupt:  # outside of any command: while modules are loaded
        print("interrupted", file=sys.stderr)
        code = 130
    # All is said and done. Python would wind up beside the threads that libraries have, which takes a while, and now
    # and then aborts the process: pyarrow's ("terminate called without an active exception") do so at one exit in ten.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does, so that no temporary file with prompts in it stays behind."""
    raise KeyboardInterrupt
