"""What Amazon Bedrock Model Distillation accepts: teachers, students, turns and bounds, as data with a date.

The table changes often and differs between accounts and Regions, so nothing here is a reason to refuse an
id that is missing: callers warn and name `AS_OF`. Sources:

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-distillation.html and the page "Supported models
  and Regions for distillation" beside it
- https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html (turns, bounds)
- https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html (reserved words)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Turns = Literal["single", "multi"]
Access = Literal["on_demand", "inference_profile"]

AS_OF = date(2026, 8, 21)
"""The date of the newest source of this table."""

MIN_PAIRS = 100
"""Fewest prompts or pairs of a distillation job; what Bedrock drops as invalid does not count."""

MAX_PAIRS = 15_000
"""Most prompts or pairs of a distillation job."""

RESERVED_WORDS = (
    "System:",
    "User:",
    "Bot:",
    "Assistant:",
    "Thought:",
    "[EOS]",
    "<image>",
    "<video>",
    "<unk>",
)
"""Words that Amazon Nova's prompt template is made of; a dataset must not contain them."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """One teacher model of distillation.

    `access` lists how the model can be called as a teacher, empty where AWS's page does not say. `students`
    are base model ids as a customization job takes them, with their context suffix. `note` is a
    sentence for people, or empty.
    """

    model_id: str
    access: tuple[Access, ...]
    students: tuple[str, ...]
    regions: tuple[str, ...]
    note: str = ""

    @property
    def turns(self) -> Turns:
        """How many turns a training conversation for this teacher may have."""
        return turn_rule(self.model_id)


_NOVA_LITE = "amazon.nova-lite-v1:0:300k"
_NOVA_MICRO = "amazon.nova-micro-v1:0:128k"
_NOVA_PRO = "amazon.nova-pro-v1:0:300k"
_LLAMA_3_1_8B = "meta.llama3-1-8b-instruct-v1:0:128k"
_LLAMA_3_1_70B = "meta.llama3-1-70b-instruct-v1:0:128k"
_LLAMA_3_2_1B = "meta.llama3-2-1b-instruct-v1:0:128k"
_LLAMA_3_2_3B = "meta.llama3-2-3b-instruct-v1:0:128k"
_LLAMA_3_3_70B = "meta.llama3-3-70b-instruct-v1:0:128k"
_CLAUDE_3_HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
_ANTHROPIC_NOTE = "AWS's page lists distillation of Anthropic models as currently not available."

TEACHERS = (
    Teacher(
        "amazon.nova-premier-v1:0",
        ("inference_profile",),
        (_NOVA_LITE, _NOVA_MICRO, _NOVA_PRO),
        ("us-east-1",),
    ),
    Teacher("amazon.nova-pro-v1:0", (), (_NOVA_LITE, _NOVA_MICRO), ("us-east-1",)),
    Teacher(
        "anthropic.claude-3-5-sonnet-20240620-v1:0", (), (_CLAUDE_3_HAIKU,), ("us-west-2",), _ANTHROPIC_NOTE
    ),
    Teacher(
        "anthropic.claude-3-5-sonnet-20241022-v2:0", (), (_CLAUDE_3_HAIKU,), ("us-west-2",), _ANTHROPIC_NOTE
    ),
    Teacher(
        "meta.llama3-1-405b-instruct-v1:0",
        ("on_demand",),
        (_LLAMA_3_1_8B, _LLAMA_3_1_70B, _LLAMA_3_2_1B, _LLAMA_3_3_70B),
        ("us-west-2",),
    ),
    Teacher(
        "meta.llama3-1-70b-instruct-v1:0",
        ("on_demand", "inference_profile"),
        (_LLAMA_3_1_8B, _LLAMA_3_2_1B, _LLAMA_3_2_3B),
        ("us-west-2",),
    ),
    Teacher(
        "meta.llama3-3-70b-instruct-v1:0",
        ("inference_profile",),
        (_LLAMA_3_1_8B, _LLAMA_3_2_1B, _LLAMA_3_2_3B),
        ("us-west-2",),
    ),
)
"""Known teachers, sorted by id."""

# `amazon.nova` as a whole name segment, after the start, an ARN's slash or the dot of a geo label.
_NOVA = re.compile(r"(?:^|[./])amazon\.nova(?:$|[-.:])")


def turn_rule(model_id: str) -> Turns:
    """Tell whether training conversations for the teacher `model_id` may have several user turns.

    Takes any form of an id: bare, shortened, with a geo label or context suffix, an ARN. Amazon Nova takes
    several turns; Anthropic and Meta take one, and a provider that AWS says nothing about (or an id that does
    not show its provider) gets that stricter rule too.
    """
    return "multi" if is_nova(model_id) else "single"


def is_nova(model_id: str) -> bool:
    """Tell whether `model_id`, in any form that shows it, is an Amazon Nova model."""
    return _NOVA.search(model_id) is not None


def find_teacher(model_id: str) -> Teacher | None:
    """Look up the bare foundation-model id of a teacher; None is no proof that Bedrock refuses it."""
    return next((teacher for teacher in TEACHERS if teacher.model_id == model_id), None)
