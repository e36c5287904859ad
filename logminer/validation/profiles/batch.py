"""Input of batch inference: `{"recordId", "modelInput"}`, where the input is a request body.

The body is that of the model, or of Converse; only that it is an object with something in it is checked. Bounds are
Bedrock's default quotas for a job and a file, which differ between models. Sources:
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html and
https://docs.aws.amazon.com/general/latest/gr/bedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.validation.profile import Bounds, Profile
from logminer.validation.rules import Finding
from logminer.validation.strict_rules import severities
from logminer.validation.values import check_keys, check_text, wrong_type


def _inspect(value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("modelInput",), ("recordId",))
    if "recordId" in value:
        yield from check_text(value["recordId"], "$.recordId")
    body = value.get("modelInput", {"": ""})
    if not isinstance(body, dict):
        yield wrong_type("$.modelInput", body, "an object")
    elif not body:
        yield Finding(
            "bad_value", "$.modelInput", "is empty, must be a request body", "Give the request body."
        )


PROFILE = Profile(
    name="batch",
    summary="input of batch inference",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html",
    severities=severities("unknown_key", "blank_text", "bad_value", "duplicate_id"),
    inspect=_inspect,
    bounds=Bounds(100, 50_000),
    unique_key="recordId",
)
