"""The profiles as a collection, and the teachers that pick one."""

from __future__ import annotations

import pytest

from logminer.errors import UsageError
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, TEACHERS, find_teacher, turn_rule
from logminer.validation import RULES, all_profiles, profile_names, resolve_profile
from logminer.validation.profiles import by_name


@pytest.mark.parametrize(
    ("model_id", "turns"),
    [
        ("amazon.nova-pro-v1:0", "multi"),
        ("amazon.nova-pro-v1:0:300k", "multi"),
        ("us.amazon.nova-premier-v1:0", "multi"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "multi"),
        ("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-premier-v1:0", "multi"),
        ("amazon.nova", "multi"),
        ("amazon.novation-v1", "single"),
        ("amazon.titan-text-express-v1", "single"),
        ("notamazon.nova-pro-v1:0", "single"),
        ("meta.llama3-1-405b-instruct-v1:0", "single"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "single"),
        ("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl", "single"),
        ("", "single"),
    ],
)
def test_turn_rule(model_id: str, turns: str) -> None:
    assert turn_rule(model_id) == turns
    profile = {"single": "distill-single", "multi": "distill-nova"}[turns]
    assert resolve_profile("distillation", model_id).name == profile


def test_teachers() -> None:
    ids = [teacher.model_id for teacher in TEACHERS]
    assert ids == sorted(set(ids))
    for teacher in TEACHERS:
        assert teacher.students
        assert teacher.regions
        assert teacher.turns == turn_rule(teacher.model_id)
        assert find_teacher(teacher.model_id) is teacher
        provider = teacher.model_id.partition(".")[0]
        assert all(student.startswith(f"{provider}.") for student in teacher.students)
    assert find_teacher("meta.llama3-1-405b") is None


def test_resolving_names() -> None:
    assert profile_names() == ("aws-script", "distill-nova", "distill-single", "distillation")
    assert resolve_profile("distillation").name == "distill-single"
    assert resolve_profile("aws-script", "amazon.nova-pro-v1:0").name == "aws-script"
    with pytest.raises(UsageError, match=r"Did you mean distill-nova\? The profiles are: aws-script, "):
        resolve_profile("distil-nova")
    with pytest.raises(UsageError, match="'x'"):
        resolve_profile("x")


def test_every_rule_is_used_and_explained() -> None:
    used = set().union(*(profile.severities for profile in all_profiles().values()))
    assert used == set(RULES)
    for rule in RULES.values():
        assert rule.summary
        assert rule.fix.endswith(".")


def test_profiles_keep_to_the_bounds_of_a_job() -> None:
    for name, most in (("distill-single", MAX_PAIRS), ("distill-nova", MAX_PAIRS), ("aws-script", None)):
        profile = all_profiles()[name]
        assert (profile.min_lines, profile.max_lines) == (MIN_PAIRS, most)
        assert profile.source.startswith("https://")
        assert profile.summary


def test_two_profiles_of_one_name_are_refused() -> None:
    profile = resolve_profile("aws-script")
    with pytest.raises(ValueError, match="aws-script"):
        by_name([profile, profile])
