"""Files of the user's own that a dataset takes up: labelled examples (`--gold`), a system prompt (`--system`)."""

from __future__ import annotations

import hashlib
import io
import sys
from dataclasses import dataclass

import msgspec

from logminer.datasets.manifest import InputFile
from logminer.errors import UsageError
from logminer.exports.format import ExportFormat
from logminer.exports.line_input import open_input, read_lines
from logminer.exports.training_lines import BadLine, read_training_line
from logminer.pairs import PromptResponsePair

GOLD_URI = "gold:"
"""What the source of a labelled example begins with; the rest is the SHA-256 of its file."""

_MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class UserFile:
    """A file that the user names, as it was read."""

    path: str
    option: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def facts(self) -> InputFile:
        """What a manifest says of it."""
        return InputFile(self.sha256, len(self.content))


def read_user_file(path: str, option: str) -> UserFile:
    """A local file, an S3 object or `-`. Raises UsageError, ConfigurationError or StorageError."""
    with open_input(path, sys.stdin.buffer) as stream:
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise UsageError(f"is larger than {_MAX_BYTES >> 20} MB", where=f"{option} {path}")
    return UserFile(path, option, content)


def system_text(file: UserFile) -> str:
    """The system prompt in a file, without the line feed at its end. Raises UsageError."""
    where = f"{file.option} {file.path}"
    try:
        text = file.content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8", where=where, fix="Save the file as UTF-8.") from error
    if not text.strip():
        raise UsageError("is blank", where=where, fix="Take system prompts away with: --system drop")
    return text


def gold_pairs(file: UserFile, form: ExportFormat) -> list[PromptResponsePair]:
    """The labelled examples of a file, in any format that `logminer convert` reads.

    Raises UsageError for a line that is none or that does not fit the format, with its number.
    """
    source = f"{GOLD_URI}{file.sha256}"
    pairs = []
    for number, line in read_lines(io.BytesIO(file.content), file.path):
        where = f"{file.option} {file.path}:{number}"
        try:
            pair = read_training_line(line, number - 1)
        except BadLine as error:
            raise UsageError(error.reason, where=where, fix=error.fix) from error
        problem = form.misfit(pair) if pair.response is not None else "has no answer, and a label is one"
        if problem is not None:
            raise UsageError(problem, where=where, fix="Mend the line, or take it out.")
        pairs.append(msgspec.structs.replace(pair, source_uri=source))
    if not pairs:
        raise UsageError("has no examples", where=f"{file.option} {file.path}", fix="Leave the option out.")
    return pairs
