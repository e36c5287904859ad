"""Words that options take, where they are few, for help and for shell completion.

They stand here because their own modules are slow to import; a test compares the two.
"""

from __future__ import annotations

from logminer.schema import COLUMN_NAMES
from logminer.statuses import STATUS_DETAILS, STATUSES

RECORD_FORMATS = ("table", "json", "jsonl", "csv", "tsv", "markdown", "parquet")
EXPORT_FORMATS = (
    "anthropic-messages",
    "batch",
    "bedrock-conversation",
    "bedrock-eval",
    "continued-pretraining",
    "invocation-log",
    "nova-sft",
    "openai-chat",
    "parquet",
    "prompt-completion",
    "rft",
)
PROFILES = (
    *("distillation", "distill-single", "distill-nova", "aws-script", "invocation-logs"),
    *("anthropic-messages", "batch", "bedrock-eval", "continued-pretraining", "image-caption"),
    *("llama-conversation", "nova-sft", "openai-chat", "prompt-completion", "rft"),
)
REPORT_FORMATS = ("table", "json", "github", "text")
RULES = (
    "apologies",
    "blank",
    "broken_off",
    "conflicting_answers",
    "exact_duplicates",
    "invalid_json",
    "length",
    "near_duplicates",
    "refusals",
    "repetition",
    "reserved_words",
    "template_tokens",
)
FILTER_TARGETS = ("bedrock", "duckdb", "athena", "athena-logs", "text")
OPERATIONS = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
SELECT_COLUMNS = (*(name for name in COLUMN_NAMES if name != "request_metadata_rest"), "model")


def _beginning_with(incomplete: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _next_of_list(incomplete: str, words: tuple[str, ...]) -> list[str]:
    """Completions of the last of several words with commas."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [before + comma + word for word in _beginning_with(last, words) if word not in given]


def complete_record_format(incomplete: str) -> list[str]:
    """Values of `select --format`."""
    return _beginning_with(incomplete, RECORD_FORMATS)


def complete_form(incomplete: str) -> list[str]:
    """Values of `--format` elsewhere."""
    return _beginning_with(incomplete, ("text", "json"))


def complete_export_format(incomplete: str) -> list[str]:
    """Values of `export --to`."""
    return _beginning_with(incomplete, EXPORT_FORMATS)


def complete_rule(incomplete: str) -> list[str]:
    """Values of `export --rule` and its like."""
    return _beginning_with(incomplete, RULES)


def complete_history(incomplete: str) -> list[str]:
    """Values of `export --history`."""
    return _beginning_with(incomplete, ("last", "longest", "split", "fold"))


def complete_redact(incomplete: str) -> list[str]:
    """Values of `export --redact`."""
    return _beginning_with(incomplete, ("placeholder", "surrogate"))


def complete_target(incomplete: str) -> list[str]:
    """Values of `filter --to`."""
    return _beginning_with(incomplete, FILTER_TARGETS)


def complete_profile(incomplete: str) -> list[str]:
    """Values of `--profile`."""
    return _beginning_with(incomplete, PROFILES)


def complete_report_format(incomplete: str) -> list[str]:
    """Values of `validate --format`."""
    return _beginning_with(incomplete, REPORT_FORMATS)


def complete_status(incomplete: str) -> list[str]:
    """Values of `--status`."""
    return _next_of_list(incomplete, ("all", *STATUSES))


def complete_detail(incomplete: str) -> list[str]:
    """Values of `--exclude-detail`."""
    return _beginning_with(incomplete, tuple(STATUS_DETAILS))


def complete_columns(incomplete: str) -> list[str]:
    """Values of `--columns`."""
    return _next_of_list(incomplete, SELECT_COLUMNS)


def complete_column(incomplete: str) -> list[str]:
    """Values of `--by`."""
    return _beginning_with(incomplete, SELECT_COLUMNS)


def complete_operation(incomplete: str) -> list[str]:
    """Values of `--operation`."""
    return _beginning_with(incomplete, OPERATIONS)


def complete_teacher(incomplete: str) -> list[str]:
    """Values of `--teacher`: the models that can be distilled, short of a colon, which ends a word in bash."""
    from logminer.teachers import TEACHERS

    return _beginning_with(incomplete, tuple(teacher.model_id.partition(":")[0] for teacher in TEACHERS))


def complete_reason(incomplete: str) -> list[str]:
    """Values of `store quarantine --reason`."""
    from logminer.store.quarantine import QUARANTINE_REASONS

    return _beginning_with(incomplete, tuple(QUARANTINE_REASONS))
