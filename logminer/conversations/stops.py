"""Stop reasons of all families, as classes.

Sources: the StopReason enumeration of Converse
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) and each model's page under
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html. Values are compared as logged, in
their own case. A value that is not listed is `unknown` and is reported, never guessed.
"""

from __future__ import annotations

from typing import Literal

StopClass = Literal["complete", "truncated", "blocked", "tool_call", "broken", "unknown"]

_VALUES: dict[StopClass, tuple[str, ...]] = {
    "complete": (
        "end_turn", "stop", "stop_sequence", "FINISHED", "FINISH", "STOP_CRITERIA_MET", "COMPLETE",
        "STOP_SEQUENCE", "endoftext",
    ),
    "truncated": (
        "max_tokens", "length", "LENGTH", "MAX_TOKENS", "model_length", "ERROR_LIMIT",
        "model_context_window_exceeded", "pause_turn", "compaction",
    ),
    "blocked": (
        "guardrail_intervened", "content_filtered", "CONTENT_FILTERED", "content_filter", "refusal",
        "ERROR_TOXIC",
    ),
    "tool_call": ("tool_use", "tool_calls", "TOOL_CALL"),
    "broken": (
        "malformed_model_output", "malformed_tool_use", "error", "ERROR", "TIMEOUT", "USER_CANCEL",
        "RAG_QUERY_WHEN_RAG_DISABLED",
    ),
}  # fmt: skip

STOP_CLASSES: dict[str, StopClass] = {
    value: stop_class for stop_class, values in _VALUES.items() for value in values
}

# A stop sequence was hit: the matched text is cut off, so the answer may end in mid-syntax.
STOPPED_AT_SEQUENCE = frozenset({"stop_sequence", "STOP_SEQUENCE", "STOP_CRITERIA_MET"})


def stop_class_of(stop_reason: str | None) -> StopClass:
    """The class of a logged stop reason; `unknown` for None and for values that no page lists."""
    return STOP_CLASSES.get(stop_reason, "unknown") if stop_reason is not None else "unknown"
