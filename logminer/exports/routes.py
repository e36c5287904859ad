"""The three routes from logged answers to a student, and which of them an exported file fits.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_InvocationLogsConfig.html
"""

from __future__ import annotations

_GOLDEN_EXAMPLES = (
    "distillation job, trainingDataConfig.s3Uri: the pairs are golden examples; "
    "the teacher answers the prompts anew, and is paid for that"
)
_PROMPTS = (
    "distillation job, trainingDataConfig.s3Uri: the teacher answers the prompts anew, and is paid for that"
)
_FINE_TUNING = (
    "fine-tuning job of the student: trains on these answers as they are; the teacher is not called"
)
_NO_FINE_TUNING = "fine-tuning job of the student: needs answers, and this file has none"
_LOGS = (
    "distillation job, trainingDataConfig.invocationLogsConfig: reads the logs themselves, "
    "with a filter from `logminer filter`, and not this file"
)


def fitting_routes(*, prompts_only: bool) -> tuple[str, ...]:
    """What the file can be used for."""
    return (_PROMPTS,) if prompts_only else (_GOLDEN_EXAMPLES, _FINE_TUNING)


def other_routes(*, prompts_only: bool) -> tuple[str, ...]:
    """What it cannot be used for, and why."""
    return (_NO_FINE_TUNING, _LOGS) if prompts_only else (_LOGS,)
