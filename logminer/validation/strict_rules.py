"""The severities that profiles share: what is wrong in any JSON Lines file, and what the strict profiles add."""

from __future__ import annotations

from collections.abc import Mapping

from logminer.validation.report import Severity

_WARNINGS = (
    "compressed",  # the lines can be checked all the same
    "duplicate_line",  # lowers the quality of the training, breaks nothing
    "line_size",  # from a page on another route to Nova; Bedrock documents no limit of its own
)

_OF_ANY_FILE = (
    *(
        "file_name",
        "gzip_damaged",
        "unpacked_size",
        "file_size",
        "empty_file",
        "too_few_lines",
        "too_many_lines",
    ),
    *("bom", "not_utf8", "blank_line", "carriage_return", "line_too_long", "not_json", "too_deep"),
    *("duplicate_key", "non_finite_number", "lone_surrogate", "wrong_type", "missing_key"),
)

_OF_CONVERSATIONS = (
    *("unknown_key", "schema_version", "system_items", "message_count", "content_items"),
    *("unknown_role", "role_order", "blank_text"),
)

MIXED_IN_DISTILLATION = (
    "a distillation job takes these as golden examples, a fine-tuning job needs an answer in every line"
)


def severities(*errors: str, **others: Severity) -> Mapping[str, Severity]:
    """What is wrong in any file, these rules as errors, and the others as given."""
    common: dict[str, Severity] = dict.fromkeys((*_OF_ANY_FILE, *errors), "error")
    common.update(dict.fromkeys(_WARNINGS, "warning"))
    return {**common, **others}


def strict_severities(*, reserved_word: Severity) -> Mapping[str, Severity]:
    """Those of conversations for distillation; what a reserved word is depends on the teacher."""
    return severities(*_OF_CONVERSATIONS, reserved_word=reserved_word)
