"""One user turn, with or without its answer: what every teacher of a distillation job takes."""

from __future__ import annotations

from functools import partial

from logminer.reserved_words import has_reserved_word
from logminer.teachers import MAX_PAIRS, MIN_PAIRS
from logminer.validation.conversation import ConversationShape, ends_with_answer, inspect_conversation
from logminer.validation.plans import conversation_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.strict_rules import MIXED_IN_DISTILLATION, strict_severities

_SHAPE = ConversationShape(max_messages=2)

PROFILE = Profile(
    name="distill-single",
    summary="distillation with any teacher: one user turn, the answer optional",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html",
    # Only Nova's prompt template has the reserved words. Anthropic and Meta teachers take them, but a file of
    # this profile may go to a Nova student one day, so they are worth a warning.
    severities=strict_severities(reserved_word="warning"),
    inspect=partial(inspect_conversation, _SHAPE),
    labelled=ends_with_answer,
    bounds=Bounds(MIN_PAIRS, MAX_PAIRS),
    quick=conversation_plan(has_reserved_word),
    mixed_note=MIXED_IN_DISTILLATION,
)
