"""Every error that logminer raises on purpose, and the exit code each one ends a command with.

    LogminerError
    ├── CheckFailed            1   a validation, readiness or count check says no
    ├── UsageError             2   an argument or option that cannot be meant
    │   └── FilterError        2   a filter expression, with the place in its text
    ├── ConfigurationError     3   configuration, credentials, permission
    │   └── CredentialsError   3   credentials that are missing, expired or unknown
    ├── StorageError           4   storage, network or service failure
    │   └── StoreChangedError  4   another process changed the store underneath
    └── TooManyQuarantined     5   done, but more input was quarantined than allowed

A message never holds prompt or response text, nor credentials.
"""

from __future__ import annotations


class LogminerError(Exception):
    """Base of every error raised on purpose.

    `problem` says what is wrong, `where` names the place (a path, `file:line`, an option), `fix` the remedy.
    `exit_code` is what the command line returns.
    """

    exit_code = 1

    def __init__(self, problem: str, *, where: str = "", fix: str = "") -> None:
        self.problem, self.where, self.fix = problem, where, fix
        first_line = f"{where}: {problem}" if where else problem
        super().__init__(f"{first_line}\n  {fix}" if fix else first_line)


class CheckFailed(LogminerError):  # noqa: N818 - reads as what happened
    """A check that the user asked for says no."""

    exit_code = 1


class UsageError(LogminerError):
    """An argument or option that cannot be meant."""

    exit_code = 2


class ConfigurationError(LogminerError):
    """Configuration, credentials or permission."""

    exit_code = 3


class CredentialsError(ConfigurationError):
    """Credentials that are missing, expired or unknown: whatever is asked for with them fails."""


class StorageError(LogminerError):
    """Storage, network or service failure."""

    exit_code = 4


class StoreChangedError(StorageError):
    """Another process changed the store in a way that this run cannot go on from."""


class TooManyQuarantined(LogminerError):  # noqa: N818 - reads as what happened
    """Everything is done and committed, but more input was quarantined than the caller allows."""

    exit_code = 5
