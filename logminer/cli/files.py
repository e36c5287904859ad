"""Files that a user asks for with -o."""

from __future__ import annotations

import os

from logminer.errors import ConfigurationError, UsageError


def check_output(path: str) -> None:
    """Raise UsageError or ConfigurationError where `path` cannot become a file, before any work is done for it."""
    if not path or path == "-":
        raise UsageError(
            "is no file", where=f"-o {path or repr(path)}", fix="Give a path, such as -o train.jsonl."
        )
    if "://" in path:
        raise UsageError("is no local path", where=f"-o {path}", fix="Give the path of a file here.")
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or path.endswith("/"):
        raise UsageError("is a folder", where=f"-o {path}", fix="Give the path of a file in it.")
    if os.path.exists(path) and not os.path.isfile(path):
        # A device or pipe would be replaced by a file.
        raise UsageError("is no regular file", where=f"-o {path}", fix="Leave -o out to write to stdout.")
    if not os.path.isdir(folder):
        raise UsageError(
            "the folder does not exist", where=f"-o {path}", fix=f"Make it with: mkdir -p {folder}"
        )
    as_who_runs = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=as_who_runs):
        raise ConfigurationError(
            "no permission to write in the folder", where=f"-o {path}", fix="Choose another folder for it."
        )
