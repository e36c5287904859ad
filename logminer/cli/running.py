"""From the arguments of the process to its exit code; every foreseen failure becomes a message."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from typer.exceptions import TyperException

from logminer.cli.app import app
from logminer.cli.help import ReaderGoneError
from logminer.cli.stopping import INTERRUPTED
from logminer.cli.streams import complain, say
from logminer.errors import LogminerError, StorageError


def run() -> int:
    """Run the command that the arguments name, and tell its exit code."""
    _prepare_streams()
    try:
        # The framework returns an exit code where a command, or --help, ended by one.
        code = app(prog_name="logminer", standalone_mode=False)
        sys.stdout.flush()
    except LogminerError as error:
        complain(str(error))
        return error.exit_code
    except TyperException as error:
        complain(_usage_message(error))
        return error.exit_code
    except (ReaderGoneError, BrokenPipeError):
        _leave_stdout()
        return 0
    except OSError as error:
        if error.filename is not None:  # a stream has no name
            raise
        complain(f"cannot write to stdout: {error.strerror}")
        _leave_stdout()
        return StorageError.exit_code
    if code == INTERRUPTED:
        say("interrupted")
    return int(code or 0)


def _prepare_streams() -> None:
    """Let every character through, and every print, whatever the streams are."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            # A character that the terminal's encoding lacks is shown by its number.
            stream.reconfigure(errors="backslashreplace")
        elif stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the whole run


def _usage_message(error: TyperException) -> str:
    """What is wrong with the arguments, and where their help is."""
    message = error.format_message().strip().removesuffix(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "logminer"
    return f"{message[:1].lower()}{message[1:]}\n  See: {command} --help"


def _leave_stdout() -> None:
    """Whoever read our output, as `head` does, has had enough. Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
