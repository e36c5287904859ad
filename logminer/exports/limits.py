"""What Bedrock's jobs take of a dataset: records and bytes; by model and purpose, as data with a date.

The pages change often and contradict each other in places, and accounts have quotas of their own, so callers warn
and name `AS_OF`; nothing here is a reason to refuse. Sources beside those at the entries:

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html (fine-tuning, by model)
- https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html (distillation)
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from logminer.models import parse_model_id
from logminer.teachers import MAX_PAIRS, MIN_PAIRS
from logminer.token_limits import TokenLimits, token_limits_of

Purpose = Literal["distillation", "fine-tuning", "reinforcement", "evaluation"]

AS_OF = date(2026, 8, 21)
"""The date of the newest source of this table."""

_GB = 10**9
_MB = 10**6
_USER_GUIDE = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html"
_DISTILLATION = "https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html"
_RFT = "https://docs.aws.amazon.com/bedrock/latest/userguide/rft-prepare-data.html"
_EVALUATION = (
    "https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-prompt-datasets-judge.html"
)
_HAIKU_SCRIPT = "https://github.com/aws-samples/amazon-bedrock-samples/tree/main/custom-models/bedrock-fine-tuning/claude-haiku"
_LLAMA_SCRIPT = "https://github.com/aws-samples/amazon-bedrock-samples/tree/main/custom-models/bedrock-fine-tuning/meta-llama"
_NOVA_SCRIPT = "https://github.com/aws-samples/amazon-nova-samples/tree/main/customization/bedrock-finetuning/understanding"
_NO_TOKEN_LIMITS = TokenLimits()


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one job; None where no source gives one. `tokens` are those of one record.

    `models` is a pattern for the beginning of a canonical model id, empty for all models. `min_records` and
    `max_records` count the training set, `max_total_records` that and the validation set, which is not taken at
    all where `max_validation_records` is 0. `note` says where sources disagree.
    """

    models: str
    purpose: Purpose
    source: str
    min_records: int | None = None
    max_records: int | None = None
    max_validation_records: int | None = None
    max_total_records: int | None = None
    tokens: TokenLimits = _NO_TOKEN_LIMITS
    max_file_bytes: int | None = None
    max_validation_bytes: int | None = None
    note: str = ""

    @property
    def as_of(self) -> date:
        """When the source was looked at."""
        return AS_OF


# The first that fits counts.
LIMITS: tuple[Limits, ...] = (
    Limits(
        "", "distillation", _DISTILLATION, MIN_PAIRS, MAX_PAIRS, max_file_bytes=_GB,
        note="The size is what AWS's sample validator takes.",
    ),
    Limits("", "reinforcement", _RFT, 100, 20_000),
    Limits("", "evaluation", _EVALUATION, 1, 1_000),
    Limits(
        r"amazon\.nova-2-lite", "fine-tuning", _NOVA_SCRIPT, 200, 20_000, 0,
        note="Takes no validation set.",
    ),
    Limits(
        r"amazon\.nova-pro", "fine-tuning", _NOVA_SCRIPT, 8, 20_000,
        note="The guide of December 2024 says 100 to 10,000 records.",
    ),
    Limits(
        r"amazon\.nova-(?:micro|lite)", "fine-tuning", _NOVA_SCRIPT, 8, 20_000,
        note="The guide of December 2024 says 100 to 20,000 records.",
    ),
    Limits(r"amazon\.titan-text-premier", "fine-tuning", _USER_GUIDE),
    Limits(
        r"amazon\.titan-text-(?:express|lite)", "fine-tuning", _USER_GUIDE,
        max_file_bytes=_GB, max_validation_bytes=100 * _MB,
        note="Half as many tokens with larger batches: from 2 on with Express, from 3 on with Lite.",
    ),
    Limits(
        r"anthropic\.claude-3-haiku", "fine-tuning", _HAIKU_SCRIPT, 32, 10_000, 1_000, 10_000,
        max_file_bytes=10 * _GB, max_validation_bytes=_GB,
    ),
    Limits(r"cohere\.command", "fine-tuning", _USER_GUIDE, None, 10_000, 1_000),
    Limits(r"meta\.llama3-2", "fine-tuning", _LLAMA_SCRIPT, None, 10_000, 1_000),
    Limits(r"meta\.llama3-[13]", "fine-tuning", _USER_GUIDE, 100, 10_000, 1_000),
)  # fmt: skip


_JOBS = {"reinforcement": "reinforcement fine-tuning", "evaluation": "model evaluation"}


def limits_of(model_id: str, purpose: Purpose) -> Limits | None:
    """What a job of this purpose takes for a model: the student, or the one that is tuned, by any form of its id.

    None where nothing is known, which does not mean that there are none.
    """
    model = parse_model_id(model_id).model or model_id
    for limits in LIMITS:
        if limits.purpose == purpose and re.match(
            limits.models + r"(?![a-z0-9])" * bool(limits.models), model
        ):
            return dataclasses.replace(limits, tokens=token_limits_of(model) or _NO_TOKEN_LIMITS)
    return None


def limit_warnings(limits: Limits, *, records: int, size_bytes: int) -> tuple[str, ...]:
    """What a training set of so many records and bytes is over or under, in sentences."""
    job = f"{_JOBS.get(limits.purpose, limits.purpose)} job"
    warnings = []
    if limits.min_records is not None and records < limits.min_records:
        warnings.append(f"Only {records:,} of the {limits.min_records:,} records that a {job} needs.")
    if limits.max_records is not None and records > limits.max_records:
        warnings.append(f"{records:,} records are more than the {limits.max_records:,} that a {job} takes.")
    if limits.max_file_bytes is not None and size_bytes > limits.max_file_bytes:
        warnings.append(
            f"{size_bytes:,} bytes are more than the {limits.max_file_bytes:,} that a {job} takes."
        )
    return tuple(warnings)


def route_warnings(routes: Collection[str], *, records: int, size_bytes: int) -> tuple[str, ...]:
    """What the first of the jobs that a format is for says to a training set, as far as all models have it alike."""
    for limits in LIMITS:
        if not limits.models and limits.purpose in routes:
            return limit_warnings(limits, records=records, size_bytes=size_bytes)
    return ()
