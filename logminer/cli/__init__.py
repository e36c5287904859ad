"""The command line: options in, one library call, report and exit code out."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command and exit with its code: `logminer --help` says what the codes mean."""
    from logminer.cli.running import run

    sys.exit(run())
