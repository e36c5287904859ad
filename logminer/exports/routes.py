"""What an exported file can be used for: the three routes to a student, and the jobs beside them.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_InvocationLogsConfig.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

RouteName = Literal[
    "distillation", "logs", "fine-tuning", "continued-pretraining", "reinforcement", "evaluation", "batch", "anywhere"
]  # fmt: skip

_GOLDEN_EXAMPLES = (
    "distillation job, trainingDataConfig.s3Uri: the pairs are golden examples; "
    "the teacher answers the prompts anew, and is paid for that"
)
_PROMPTS = (
    "distillation job, trainingDataConfig.s3Uri: the teacher answers the prompts anew, and is paid for that"
)
_NO_FINE_TUNING = "fine-tuning job of the student: needs answers, and this file has none"
_NO_LOGS = (
    "distillation job, trainingDataConfig.invocationLogsConfig: reads the logs themselves, "
    "with a filter from `logminer filter`, and not this file"
)
_FITS: dict[RouteName, str] = {
    "distillation": _GOLDEN_EXAMPLES,
    "fine-tuning": "fine-tuning job of the student: trains on these answers as they are; the teacher is not called",
    "logs": (
        "distillation job, trainingDataConfig.invocationLogsConfig with usePromptResponse true: trains on these "
        "answers as they are; that the service takes logs that were written anew is unverified"
    ),
    "continued-pretraining": "continued pre-training job of the student: learns the text; the teacher is not called",
    "reinforcement": (
        "reinforcement fine-tuning job of the student: it answers the prompts, and your reward function compares; "
        "the teacher is not called"
    ),
    "evaluation": "model evaluation job: compares a model's answers with these; the teacher is not called",
    "batch": "batch inference job: the model that you name answers the prompts; no training",
    "anywhere": "training outside of Bedrock, and analysis; no Bedrock job reads it",
}  # fmt: skip

_DEFAULT: tuple[RouteName, ...] = ("distillation", "fine-tuning")


def fitting_routes(*, prompts_only: bool, routes: Sequence[RouteName] = _DEFAULT) -> tuple[str, ...]:
    """What a file of a format with these routes can be used for."""
    if not prompts_only:
        return tuple(_FITS[route] for route in routes)
    fits = _FITS | {"distillation": _PROMPTS}
    return tuple(fits[route] for route in routes if route != "fine-tuning")


def other_routes(*, prompts_only: bool, routes: Sequence[RouteName] = _DEFAULT) -> tuple[str, ...]:
    """Which routes to a student it does not fit, and why, where one might think that it did."""
    without_answers = (_NO_FINE_TUNING,) if prompts_only and "fine-tuning" in routes else ()
    return (*without_answers, _NO_LOGS) if "distillation" in routes else without_answers
