"""Conversations of several turns, which only Amazon Nova teachers take.

A conversation that ends with an assistant turn is labelled; one that ends with a user turn is a prompt
that the teacher answers. Both start with user and alternate.
"""

from __future__ import annotations

from functools import partial

from logminer.reserved_words import has_reserved_word
from logminer.teachers import MAX_PAIRS, MIN_PAIRS
from logminer.validation.conversation import ConversationShape, ends_with_answer, inspect_conversation
from logminer.validation.plans import conversation_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.strict_rules import MIXED_IN_DISTILLATION, strict_severities

_SHAPE = ConversationShape(max_messages=None)

PROFILE = Profile(
    name="distill-nova",
    summary="distillation with an Amazon Nova teacher: several turns allowed",
    source="https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html",
    # Nova's guide forbids the words and AWS's validator for Nova refuses a file that has them.
    severities=strict_severities(reserved_word="error"),
    inspect=partial(inspect_conversation, _SHAPE),
    labelled=ends_with_answer,
    bounds=Bounds(MIN_PAIRS, MAX_PAIRS),
    quick=conversation_plan(has_reserved_word),
    mixed_note=MIXED_IN_DISTILLATION,
)
