"""What AWS's own validation script checks in a dataset, and nothing more.

The script is `custom-models/model_distillation/dataset-validation` of aws-samples/amazon-bedrock-samples. It
lets blank texts, reserved words, repeated keys and more than 15,000 lines pass, takes a `type` beside a
`text`, and refuses several turns although Amazon Nova can have them. Differences:

- The script drops invalid lines and succeeds if 100 remain; here each is an error, and `valid` counts the
  rest.
- It crashes on bytes that are not UTF-8, on JSON that is nested very deep and on a wrong order of
  roles; here these are faults of their line.
- It skips a file that is not named .jsonl and ends well; here that is an error.
"""

from __future__ import annotations

from functools import partial

from logminer.teachers import MIN_PAIRS
from logminer.validation.conversation import ConversationShape, ends_with_answer, inspect_conversation
from logminer.validation.plans import conversation_plan
from logminer.validation.profile import Bounds, Profile
from logminer.validation.report import Severity
from logminer.validation.strict_rules import MIXED_IN_DISTILLATION

_SHAPE = ConversationShape(max_messages=2, type_allowed=True)

_ERRORS = (
    "file_name",
    "too_few_lines",
    "blank_line",
    "bom",
    "line_too_long",
    "not_utf8",
    "not_json",
    "too_deep",
    "wrong_type",
    "missing_key",
    "unknown_key",
    "schema_version",
    "system_items",
    "message_count",
    "content_items",
    "unknown_role",
    "role_order",
)

_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(_ERRORS, "error"),
    "file_size": "warning",  # for a single local file the script says so and goes on
}

PROFILE = Profile(
    name="aws-script",
    summary="exactly the rules of AWS's own distillation validation script",
    source="https://github.com/aws-samples/amazon-bedrock-samples/tree/main/custom-models/model_distillation"
    "/dataset-validation",
    severities=_SEVERITIES,
    inspect=partial(inspect_conversation, _SHAPE),
    labelled=ends_with_answer,
    bounds=Bounds(MIN_PAIRS),
    quick=conversation_plan(blanks=True),
    mixed_note=MIXED_IN_DISTILLATION,
    splits_at_carriage_return=True,  # the script opens the file in text mode
    refuses_other_names=True,
)
