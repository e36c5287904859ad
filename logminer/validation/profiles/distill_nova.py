"""Conversations of several turns, which only Amazon Nova teachers take.

A conversation that ends with an assistant turn is labelled; one that ends with a user turn is a prompt
that the teacher answers. Both start with user and alternate.
"""

from __future__ import annotations

from functools import partial

from logminer.teachers import MAX_PAIRS, MIN_PAIRS
from logminer.validation.conversation import ConversationShape, ends_with_answer, inspect_conversation
from logminer.validation.fast import scan_strict
from logminer.validation.profile import Profile
from logminer.validation.strict_rules import strict_severities

_SHAPE = ConversationShape(max_messages=None)

PROFILE = Profile(
    name="distill-nova",
    summary="distillation with an Amazon Nova teacher: several turns allowed",
    source="https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html",
    # Nova's guide forbids the words and AWS's validator for Nova refuses a file that has them.
    severities=strict_severities(reserved_word="error"),
    scan=partial(scan_strict, max_messages=_SHAPE.max_messages),
    inspect=partial(inspect_conversation, _SHAPE),
    labelled=ends_with_answer,
    min_lines=MIN_PAIRS,
    max_lines=MAX_PAIRS,
)
