"""How many tokens one training record of a model may have, as data with a date.

What AWS publishes for fine-tuning; distillation trains the same students, and has no limits of its own in
writing. A model that is missing here has no limit that is known. Sources:

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html and the model pages there
- https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html
- aws-samples/amazon-bedrock-samples, custom-models/bedrock-fine-tuning (Claude 3 Haiku, Llama 3.2 90B)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

AS_OF = date(2026, 8, 21)
"""The date of the newest source of this table."""


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """The most tokens of one record. None is no limit."""

    prompt: int | None = None
    answer: int | None = None
    total: int | None = None


_LLAMA = TokenLimits(16_000, 16_000, 16_000)
_NOVA = TokenLimits(total=32_000)

# By the beginning of the bare model id; the longest one that fits is meant.
TOKEN_LIMITS: dict[str, TokenLimits] = {
    "amazon.nova-lite-v1": _NOVA,
    "amazon.nova-micro-v1": _NOVA,
    "amazon.titan-text-express": TokenLimits(total=4_096),
    "amazon.titan-text-lite": TokenLimits(total=4_096),
    "amazon.titan-text-premier": TokenLimits(total=4_096),
    "anthropic.claude-3-haiku": TokenLimits(total=32_000),
    "cohere.command-light-text": TokenLimits(4_096, 2_048),
    "cohere.command-text": TokenLimits(4_096, 2_048),
    "meta.llama3-1": _LLAMA,
    "meta.llama3-2": _LLAMA,
    "meta.llama3-2-90b": TokenLimits(10_000, 10_000, 10_000),
    "meta.llama3-3": _LLAMA,
}


def token_limits_of(model_id: str) -> TokenLimits | None:
    """The limits of a model, by its bare foundation-model id; None where none are known."""
    fitting = [beginning for beginning in TOKEN_LIMITS if _begins(model_id, beginning)]
    return TOKEN_LIMITS[max(fitting, key=len)] if fitting else None


def loosest_limits(model_ids: Iterable[str]) -> TokenLimits:
    """Limits that only a record breaks which is too long for every one of the models."""
    limits = [token_limits_of(model_id) or TokenLimits() for model_id in model_ids]
    return TokenLimits(
        _largest(limit.prompt for limit in limits),
        _largest(limit.answer for limit in limits),
        _largest(limit.total for limit in limits),
    )


def _begins(model_id: str, beginning: str) -> bool:
    return model_id.startswith(beginning) and not model_id[len(beginning) : len(beginning) + 1].isalnum()


def _largest(limits: Iterable[int | None]) -> int | None:
    """The largest limit; None where one of them is no limit, or there are none."""
    known = list(limits)
    numbers = [limit for limit in known if limit is not None]
    return max(numbers) if numbers and len(numbers) == len(known) else None
