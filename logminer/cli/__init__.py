"""The command line: options in, one library call, report and exit code out."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def main() -> None:
    """Run a command and exit with its code: `logminer --help` says what the codes mean."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from logminer.cli.running import run

        code = run()
    except KeyboardInterrupt:  # outside of any command: while modules are loaded
        print("interrupted", file=sys.stderr)
        code = 130
    # All is said; one more Ctrl-C while Python winds up would only change the exit code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does, so that no temporary file with prompts in it stays behind."""
    raise KeyboardInterrupt
