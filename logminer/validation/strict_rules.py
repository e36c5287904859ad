"""The severities of the strict profiles: every rule counts, and a few only warn."""

from __future__ import annotations

from collections.abc import Mapping

from logminer.validation.report import Severity
from logminer.validation.rules import RULES

_WARNINGS = (
    "compressed",  # the lines can be checked all the same
    "duplicate_line",  # lowers the quality of the training, breaks nothing
    "line_size",  # from a page on another route to Nova; Bedrock documents no limit of its own
)


def strict_severities(*, reserved_word: Severity) -> Mapping[str, Severity]:
    """All rules as errors but those that only warn; what a reserved word is depends on the teacher."""
    severities: dict[str, Severity] = dict.fromkeys(RULES, "error")
    severities.update(dict.fromkeys(_WARNINGS, "warning"))
    return {**severities, "reserved_word": reserved_word}
