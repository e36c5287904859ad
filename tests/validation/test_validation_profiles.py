"""The profiles as a collection, and the teachers that pick one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from logminer.errors import UsageError
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, TEACHERS, find_teacher, turn_rule
from logminer.validation import RULES, all_profiles, profile_names, resolve_profile
from logminer.validation.logs import LOG_SEVERITIES
from logminer.validation.profiles import DISTILLATION, INVOCATION_LOGS

from .datasets import broken_rules, conversation, validate

CAPTION = {"image-ref": "s3://my-bucket/1.png", "caption": "A cat."}
REASONING = {"reasoningContent": {"reasoningText": {"text": "Well."}}}


def image(kind: str) -> dict[str, Any]:
    """A content item with an image of this format."""
    return {"image": {"format": kind, "source": {"s3Location": {"uri": f"s3://my-bucket/1.{kind}"}}}}


def chat(asked: dict[str, Any], answer: str, *more: dict[str, Any]) -> dict[str, Any]:
    """A conversation with this content item in the user's message; `more` stands before the answer."""
    line = conversation("x", answer)
    line["messages"][0]["content"] = [asked]
    line["messages"][1]["content"] = [*more, {"text": answer}]
    return line


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
    assert set(profile_names()) == {*all_profiles(), DISTILLATION, INVOCATION_LOGS}
    assert resolve_profile("distillation").name == "distill-single"
    assert resolve_profile("aws-script", "amazon.nova-pro-v1:0").name == "aws-script"
    with pytest.raises(
        UsageError, match=r"Did you mean distill-nova\? The profiles are: anthropic-messages, "
    ):
        resolve_profile("distil-nova")
    with pytest.raises(UsageError, match="'x'"):
        resolve_profile("x")


def test_every_rule_is_used_and_explained() -> None:
    used = set().union(*(profile.severities for profile in all_profiles().values()))
    assert used | LOG_SEVERITIES.keys() == set(RULES)
    for rule in RULES.values():
        assert rule.summary
        assert rule.fix.endswith(".")


def test_profiles_keep_to_the_bounds_of_a_job() -> None:
    for name, most in (("distill-single", MAX_PAIRS), ("distill-nova", MAX_PAIRS), ("aws-script", None)):
        profile = all_profiles()[name]
        assert (profile.bounds.min_lines, profile.bounds.max_lines) == (MIN_PAIRS, most)
        assert profile.source.startswith("https://")
        assert profile.summary


def test_the_alias_is_the_name_of_no_profile() -> None:
    assert DISTILLATION not in all_profiles()
    assert INVOCATION_LOGS not in all_profiles()


LONG = " word" * 12_000  # some 20,000 tokens by the estimate


@pytest.mark.parametrize(
    ("profile", "model", "line", "rules"),
    [
        ("nova-sft", None, chat(image("webp"), "y"), []),
        ("nova-sft", "micro", chat(image("webp"), "y"), ["media_place"]),
        ("nova-sft", "nova-lite", chat(image("webp"), "y"), []),
        ("nova-sft", "amazon.nova-pro-v1:0:300k", chat(image("webp"), "y"), []),
        ("nova-sft", "us.amazon.nova-2-lite-v1:0", chat(image("webp"), "y"), ["media_format"]),
        ("nova-sft", "lite-2.0", chat(image("gif"), "y"), []),
        ("nova-sft", "lite", chat({"text": "x"}, "y", REASONING), ["reasoning_place"]),
        ("nova-sft", "lite-2.0", chat({"text": "x"}, "y", REASONING), []),
        ("nova-sft", "lite", chat({"text": LONG * 2}, "y"), ["too_many_tokens"]),
        ("llama-conversation", None, chat({"text": LONG}, "y"), ["too_many_tokens"]),
        (
            "llama-conversation",
            "meta.llama3-2-90b-instruct-v1:0",
            chat({"text": LONG[:35_000]}, "y"),
            ["too_many_tokens"],
        ),
        ("llama-conversation", "meta.llama3-3-70b-instruct-v1:0", chat({"text": LONG[:35_000]}, "y"), []),
        ("prompt-completion", None, {"prompt": LONG, "completion": "y"}, []),
        (
            "prompt-completion",
            "amazon.titan-text-express-v1",
            {"prompt": LONG, "completion": "y"},
            ["too_many_tokens"],
        ),
        (
            "prompt-completion",
            "cohere.command-text-v14",
            {"prompt": "x", "completion": LONG[:7_000]},
            ["too_many_tokens"],
        ),
        ("prompt-completion", "cohere.command-text-v14", {"prompt": LONG[:7_000], "completion": "x"}, []),
        ("continued-pretraining", None, {"text": "x"}, ["missing_key", "unknown_key"]),
        ("continued-pretraining", "amazon.nova-lite-v1:0", {"text": "x"}, []),
        ("image-caption", "amazon.titan-image-generator-v1", CAPTION | {"caption": "x"}, ["text_length"]),
        ("image-caption", "titan-embed-image", CAPTION | {"caption": ""}, []),
        ("image-caption", "titan-embed-image", CAPTION | {"caption": "x" * 2_561}, ["text_length"]),
    ],
)
def test_the_model_decides(profile: str, model: str | None, line: dict[str, Any], rules: list[str]) -> None:
    chosen = resolve_profile(profile, model=model)
    assert [rule for rule, _ in broken_rules(line, chosen)] == rules
    # Nor may the quick look overlook it.
    for rule in rules:
        assert validate([json.dumps(line).encode()] * 9, chosen).counts[rule] == 9


def test_bounds_of_a_model_and_of_a_validation_set() -> None:
    bounds = {
        ("nova-sft", None): (8, 20_000),
        ("nova-sft", "lite-2.0"): (200, 20_000),
        ("prompt-completion", "cohere.command-light-text-v14"): (None, 10_000),
        ("prompt-completion", "meta.llama3-1-8b-instruct-v1:0"): (100, 10_000),
        ("image-caption", None): (5, 10_000),
        ("image-caption", "amazon.titan-embed-image-v1"): (1_000, 500_000),
        ("anthropic-messages", None): (32, 10_000),
        ("rft", None): (100, 20_000),
        ("bedrock-eval", None): (1, 1_000),
    }
    for (name, model), expected in bounds.items():
        found = resolve_profile(name, model=model).bounds
        assert (found.min_lines, found.max_lines) == expected
    line = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}
    claude = resolve_profile("anthropic-messages")
    many = [json.dumps(line | {"system": str(number)}).encode() for number in range(1_001)]
    assert validate(many, claude, min_lines=None).ok
    assert validate(many, claude, min_lines=None, held_out=True).counts == {"too_many_lines": 1}
    with pytest.raises(UsageError, match="takes no validation set"):
        validate(many, resolve_profile("nova-sft", model="lite-2.0"), held_out=True)


def test_models_that_a_profile_does_not_know() -> None:
    with pytest.raises(UsageError, match=r"nova-sft knows no model 'meta.llama'(.|\n)*amazon.nova-micro"):
        resolve_profile("nova-sft", model="meta.llama")
    with pytest.raises(UsageError, match=r"the same for all models(.|\n)*nova-sft"):
        resolve_profile("rft", model="x")
