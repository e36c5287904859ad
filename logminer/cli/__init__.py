"""The command line: options in, one library call, report and exit code out."""

from __future__ import annotations

import os
import sys

from logminer.errors import LogminerError

INTERRUPTED = 130


def main() -> None:
    """Run a command and exit with its code: see `logminer --help` for what the codes mean."""
    from logminer.cli.app import app

    try:
        app(prog_name="logminer")
    except LogminerError as error:
        _print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough, as `head` does. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _print_error(error: LogminerError) -> None:
    first, *rest = str(error).split("\n")
    print(f"error: {first}", *rest, sep="\n", file=sys.stderr)
