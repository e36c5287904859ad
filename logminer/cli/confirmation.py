"""Questions before what cannot be undone."""

from __future__ import annotations

import sys

from logminer.errors import UsageError


def confirm(question: str, *, yes: bool) -> bool:
    """Whether to go on: asked on a terminal, and a usage error where there is none and `yes` is not given."""
    from logminer.cli.streams import say, visible

    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "cannot be undone, and nobody is here to be asked",
            where="--yes",
            fix="Look at it with --dry-run; then give --yes.",
        )
    print(f"{visible(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was changed")
    return False
