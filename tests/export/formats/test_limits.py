"""The table of limits is sound, and says what it says for any form of an id."""

from __future__ import annotations

import pytest

from logminer.exports.limits import LIMITS, limit_warnings, limits_of
from logminer.teachers import TEACHERS


@pytest.mark.parametrize(
    ("model", "purpose", "expected"),
    [
        ("amazon.nova-lite-v1:0:300k", "fine-tuning", (8, 20_000)),
        ("us.amazon.nova-pro-v1:0", "fine-tuning", (8, 20_000)),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0", "fine-tuning", (200, 20_000)),
        ("anthropic.claude-3-haiku-20240307-v1:0:200k", "fine-tuning", (32, 10_000)),
        ("meta.llama3-1-8b-instruct-v1:0:128k", "fine-tuning", (100, 10_000)),
        ("meta.llama3-2-90b-instruct-v1:0", "fine-tuning", (None, 10_000)),
        ("cohere.command-light-text-v14", "fine-tuning", (None, 10_000)),
        ("anything.at-all", "distillation", (100, 15_000)),
        ("", "reinforcement", (100, 20_000)),
        ("", "evaluation", (1, 1_000)),
    ],
)
def test_limits_of(model: str, purpose: str, expected: tuple[int | None, int]) -> None:
    limits = limits_of(model, purpose)  # type: ignore[arg-type]
    assert limits is not None
    assert (limits.min_records, limits.max_records) == expected


@pytest.mark.parametrize("model", ["amazon.nova-litest-v1:0", "meta.llama4-x", "", "xamazon.nova-pro-v1:0"])
def test_nothing_is_known_of_others(model: str) -> None:
    assert limits_of(model, "fine-tuning") is None


def test_every_student_of_distillation_has_limits_for_fine_tuning() -> None:
    for student in {each for teacher in TEACHERS for each in teacher.students}:
        assert limits_of(student, "fine-tuning") is not None, student


def test_the_table_is_sound_and_dated() -> None:
    for limits in LIMITS:
        assert limits.source.startswith("https://")
        assert limits.as_of.year >= 2026
        assert (limits.min_records or 0) <= (limits.max_records or 10**9)
        assert limits.max_records is None or (limits.max_validation_records or 0) <= limits.max_records


def test_tokens_are_those_of_the_model() -> None:
    haiku = limits_of("us.anthropic.claude-3-haiku-20240307-v1:0", "fine-tuning")
    anything = limits_of("", "evaluation")
    assert haiku is not None
    assert anything is not None
    assert (haiku.tokens.total, anything.tokens.total) == (32_000, None)


def test_warnings() -> None:
    limits = limits_of("amazon.nova-pro-v1:0", "distillation")
    assert limits is not None
    assert limit_warnings(limits, records=100, size_bytes=10**9) == ()
    assert limit_warnings(limits, records=99, size_bytes=10**9 + 1) == (
        "Only 99 of the 100 records that a distillation job needs.",
        "1,000,000,001 bytes are more than the 1,000,000,000 that a distillation job takes.",
    )
    (warning,) = limit_warnings(limits, records=15_001, size_bytes=1)
    assert "15,001 records are more than the 15,000" in warning
