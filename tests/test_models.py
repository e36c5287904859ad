"""Model identity: every spelling of a model id, aliases, and what a teacher argument means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.models import PROVIDERS, ModelId, ModelNames, looks_not_text, match_teacher, parse_model_id

LLAMA = "meta.llama3-1-405b-instruct-v1:0"
OPUS = "anthropic.claude-opus-4-6-v1"
WEST = "arn:aws:bedrock:us-west-2:123456789012:"
PROFILE = f"{WEST}application-inference-profile/a1b2c3d4e5f6"

FORMS = [
    # logged, model, form
    (LLAMA, LLAMA, "bare"),
    ("anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7", "bare"),
    ("anthropic.claude-v2:1", "anthropic.claude-v2:1", "bare"),
    ("amazon.nova-micro-v1:0:128k", "amazon.nova-micro-v1:0", "bare"),
    ("amazon.nova-lite-v1:0:300k", "amazon.nova-lite-v1:0", "bare"),
    ("anthropic.claude-3-haiku-20240307-v1:0:200k", "anthropic.claude-3-haiku-20240307-v1:0", "bare"),
    ("anthropic.claude-v2:1:200k", "anthropic.claude-v2:1", "bare"),
    ("amazon.nova-micro-v1:24k", "amazon.nova-micro-v1", "bare"),
    ("amazon.nova-premier-v1:0:mm", "amazon.nova-premier-v1:0", "bare"),
    ("cohere.embed-english-v3:0:512", "cohere.embed-english-v3:0", "bare"),
    ("openai.gpt-5.6-sol", "openai.gpt-5.6-sol", "bare"),
    ("zai.glm-4.7", "zai.glm-4.7", "bare"),
    ("ibm.granite-4.1-8b", "ibm.granite-4.1-8b", "bare"),
    ("newcomer.model-one-v1:0", "newcomer.model-one-v1:0", "bare"),
    (
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "geo_profile",
    ),
    (f"global.{OPUS}", OPUS, "geo_profile"),
    (f"us-gov.{OPUS}", OPUS, "geo_profile"),
    ("eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "geo_profile"),
    ("apac.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "geo_profile"),
    ("jp.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "geo_profile"),
    ("ca.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "geo_profile"),
    ("in.moonshotai.kimi-k3", "moonshotai.kimi-k3", "geo_profile"),
    ("mars-1.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "geo_profile"),
    ("us.zai.glm-4.7", "zai.glm-4.7", "geo_profile"),
    ("us.newcomer.model-one-v1:0:128k", "newcomer.model-one-v1:0", "geo_profile"),
    (f"{WEST}inference-profile/us.{OPUS}", OPUS, "profile_arn"),
    (f"{WEST}inference-profile/{OPUS}", OPUS, "profile_arn"),
    (f"arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.{OPUS}", OPUS, "profile_arn"),
    (f"arn:aws:bedrock:us-west-2::foundation-model/{LLAMA}", LLAMA, "foundation_arn"),
    (f"arn:aws-cn:bedrock:cn-north-1::foundation-model/{LLAMA}:128k", LLAMA, "foundation_arn"),
    (PROFILE, None, "application_profile"),
    (f"{WEST}provisioned-model/a1b2c3d4e5f6", None, "provisioned"),
    (f"{WEST}custom-model/amazon.nova-lite-v1:0:300k/a1b2c3d4e5f6", None, "custom"),
    (f"{WEST}custom-model-deployment/a1b2c3d4e5f6", None, "custom"),
    (f"{WEST}imported-model/a1b2c3d4e5f6", None, "imported"),
    (f"{WEST}prompt-router/a1b2c3d4e5f6", None, "router"),
    (f"{WEST}default-prompt-router/anthropic.claude:1", None, "router"),
    (f"{WEST}prompt/ABCDEFGHIJ:2", None, "prompt"),
    ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/my-endpoint", None, "endpoint"),
    ("arn:aws:sagemaker:us-east-1:123456789012:foundation-model/meta.llama", None, "unknown"),
    (f"{WEST}something-new/meta.llama3-1-405b-instruct-v1:0", None, "unknown"),
    (f"{WEST}inference-profile/a1b2c3d4e5f6", None, "profile_arn"),
    (f"arn:aws:s3:::bucket/{LLAMA}", None, "unknown"),
    (f"notarn:aws:bedrock:us-west-2::foundation-model/{LLAMA}", None, "unknown"),
    ("a1b2c3d4e5f6", None, "unknown"),
    ("", None, "unknown"),
    (".", None, "unknown"),
    ("meta.", None, "unknown"),
    (f"{LLAMA}\n", None, "unknown"),
    ("meta." + "a" * 2048, None, "unknown"),
]


@pytest.mark.parametrize(("logged", "model", "form"), FORMS)
def test_every_form(logged: str, model: str | None, form: str) -> None:
    found = parse_model_id(logged)
    assert (found.logged, found.model, found.form) == (logged, model, form)


def test_what_an_arn_tells() -> None:
    assert parse_model_id(PROFILE) == ModelId(
        PROFILE, None, "application_profile", "us-west-2", "123456789012", "a1b2c3d4e5f6"
    )
    foundation = f"arn:aws:bedrock:us-west-2::foundation-model/{LLAMA}"
    assert parse_model_id(foundation) == ModelId(
        foundation, LLAMA, "foundation_arn", "us-west-2", None, LLAMA
    )
    assert parse_model_id(LLAMA) == ModelId(LLAMA, LLAMA, "bare")


@pytest.mark.parametrize(
    "model",
    [
        "amazon.nova-micro-v1:128k:0",  # no variant at the end
        "amazon.nova-micro:128k",  # no version before it
        "amazon.nova-micro-v1:0:128K",
        "anthropic.claude-instant-v1:2",
        "us.anthropic",
        "us.anthropic.",
        "meta.llama.5-v1:0",
        "us.",
        "META.llama3-1-405b-instruct-v1:0",
    ],
)
def test_what_is_no_variant_and_no_geo_label_stays(model: str) -> None:
    found = parse_model_id(model).model
    assert found == (model if model != "us." else None)


LABELS = [
    *sorted(PROVIDERS),
    "us",
    "eu",
    "global",
    "newco",
    "x",
    "claude-3",
    "v1",
    "-v1",
    "0",
    "512",
    "128k",
    "mm",
]
MARKS = [
    ".",
    ":",
    "-",
    "/",
    "arn:aws:bedrock:us-west-2:1:",
    "foundation-model/",
    "inference-profile/",
    "é",
    "\n",
]
model_pieces = st.sampled_from(LABELS + MARKS)
model_texts = st.lists(model_pieces, max_size=12).map("".join) | st.text(max_size=40)


@settings(max_examples=400, deadline=None)
@given(model_texts)
def test_a_canonical_id_is_its_own(text: str) -> None:
    model = parse_model_id(text).model
    if model is not None:
        again = parse_model_id(model)
        assert (again.model, again.form) == (model, "bare")


@settings(deadline=None)
@given(model_texts, model_texts, st.dictionaries(model_texts, model_texts, max_size=4))
def test_no_text_and_no_alias_raises(asked: str, logged: str, aliases: dict[str, str]) -> None:
    names = ModelNames(aliases)
    match = match_teacher(asked, [logged, *aliases], names)
    assert all(known.model == found.model for found in match.candidates for known in found.logged)
    assert not (match.candidates and match.near)
    assert isinstance(looks_not_text(asked), bool)


@pytest.mark.parametrize("key", [PROFILE, "a1b2c3d4e5f6"])
@pytest.mark.parametrize(
    "target", [LLAMA, f"us.{LLAMA}", f"{LLAMA}:128k", f"arn:aws:bedrock:us-west-2::foundation-model/{LLAMA}"]
)
def test_an_alias_resolves_an_opaque_id(key: str, target: str) -> None:
    found = ModelNames({key: target}).resolve(PROFILE)
    assert (found.logged, found.model, found.form) == (PROFILE, LLAMA, "application_profile")
    assert (found.region, found.resource) == ("us-west-2", "a1b2c3d4e5f6")


def test_aliases_lead_to_aliases() -> None:
    provisioned = f"{WEST}provisioned-model/p1"
    names = ModelNames({PROFILE: provisioned, "p1": "our-teacher", "our-teacher": LLAMA})
    assert names.resolve(PROFILE).model == LLAMA
    assert names.resolve("our-teacher") == ModelId("our-teacher", LLAMA, "unknown")


def test_aliases_in_a_circle_or_into_nothing_stay_unresolved() -> None:
    assert ModelNames({"a": "b", "b": "a"}).resolve("a").model is None
    assert ModelNames({PROFILE: "nobody"}).resolve(PROFILE).model is None
    assert ModelNames({"a": "a"}).resolve("a").model is None


def test_a_custom_model_is_named_by_the_end_of_its_arn() -> None:
    logged = f"{WEST}custom-model/amazon.nova-lite-v1:0:300k/c1"
    assert ModelNames({}).resolve(logged).model is None
    assert ModelNames({"c1": "amazon.nova-lite-v1:0"}).resolve(logged).model == "amazon.nova-lite-v1:0"
    full = ModelNames({"amazon.nova-lite-v1:0:300k/c1": LLAMA, "c1": OPUS})
    assert full.resolve(logged).model == LLAMA


def test_no_alias_changes_an_id_that_names_its_model() -> None:
    assert ModelNames({LLAMA: OPUS}).resolve(LLAMA).model == LLAMA


# --- the teacher --------------------------------------------------------------------------------------------

SONNETS = ["anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-20241022-v2:0"]
LLAMA_70B = "meta.llama3-1-70b-instruct-v1:0"
LOGGED = [
    LLAMA,
    f"us.{LLAMA}",
    f"{WEST}inference-profile/us.{LLAMA}",
    PROFILE,
    LLAMA_70B,
    *SONNETS,
    "anthropic.claude-opus-4-1",
    "anthropic.claude-opus-4",
    "zai.glm-4.7",
    f"{WEST}provisioned-model/unknown",
    "garbage",
]
NAMES = ModelNames({"a1b2c3d4e5f6": LLAMA})


@pytest.mark.parametrize(
    ("argument", "models"),
    [
        (LLAMA, [LLAMA]),
        (f"us.{LLAMA}", [LLAMA]),
        (f"eu.{LLAMA}", [LLAMA]),
        (f"{LLAMA}:128k", [LLAMA]),
        (f"arn:aws:bedrock:us-west-2::foundation-model/{LLAMA}", [LLAMA]),
        (PROFILE, [LLAMA]),
        ("a1b2c3d4e5f6", [LLAMA]),
        ("meta.llama3-1-405b", [LLAMA]),
        ("us.meta.llama3-1-405b", [LLAMA]),
        ("meta.llama3-1-405b-instruct-v1", [LLAMA]),
        ("meta.llama3-1-405b-", [LLAMA]),
        ("meta.llama3-1", [LLAMA, LLAMA_70B]),
        ("meta", [LLAMA, LLAMA_70B]),
        ("meta.llama3-1-4", []),
        ("meta.llama3-1-405b-instruct-v1:1", []),
        ("META.llama3-1-405b", []),
        ("llama3-1-405b", []),
        ("", []),
        ("-", []),
        ("anthropic.claude-3-5-sonnet", SONNETS),
        (SONNETS[0], [SONNETS[0]]),
        ("anthropic.claude-opus-4", ["anthropic.claude-opus-4"]),
        ("anthropic.claude-opus", ["anthropic.claude-opus-4", "anthropic.claude-opus-4-1"]),
        ("zai.glm-4", ["zai.glm-4.7"]),
        ("arn:aws:bedrock:us-west-2::foundation-model/meta.llama3-1-405b", []),
        (f"{WEST}provisioned-model/unknown", []),
        ("garbage", []),
    ],
)
def test_what_a_teacher_argument_means(argument: str, models: list[str]) -> None:
    match = match_teacher(argument, LOGGED, NAMES)
    assert [candidate.model for candidate in match.candidates] == models
    assert match.asked.logged == argument


def test_a_candidate_names_the_forms_as_logged() -> None:
    (candidate,) = match_teacher("meta.llama3-1-405b", [*LOGGED, LLAMA], NAMES).candidates
    assert [(known.logged, known.form) for known in candidate.logged] == [
        (PROFILE, "application_profile"),
        (f"{WEST}inference-profile/us.{LLAMA}", "profile_arn"),
        (LLAMA, "bare"),
        (f"us.{LLAMA}", "geo_profile"),
    ]


@pytest.mark.parametrize(
    ("argument", "near"),
    [
        ("llama3-1-405b", LLAMA),
        ("Meta.Llama3-1-405b", LLAMA),
        ("meta.llama3-1-4", LLAMA),
        ("meta.lama3-1-70b-instruct-v1:0", LLAMA_70B),
        ("anthropic.claude-3-5-sonnet-20241022-v1:0", SONNETS[1]),
    ],
)
def test_near_models_are_suggested(argument: str, near: str) -> None:
    match = match_teacher(argument, LOGGED, NAMES)
    assert not match.candidates
    assert match.near[0] == near
    assert len(match.near) <= 3


def test_nothing_is_near_to_nonsense() -> None:
    assert match_teacher("zzzz", LOGGED, NAMES).near == ()
    assert match_teacher("", LOGGED, NAMES).near == ()
    assert match_teacher(LLAMA, [], NAMES).near == ()


def test_long_ids_from_callers_are_not_compared() -> None:
    logged = [f"meta.{'ab' * 1000}{number}" for number in range(2000)]
    assert match_teacher("abab", logged, ModelNames({})).near == ()


@pytest.mark.parametrize(
    "model",
    [
        "amazon.titan-embed-text-v2:0",
        "amazon.titan-embed-image-v1",
        "amazon.nova-2-multimodal-embeddings-v1:0",
        "cohere.embed-english-v3",
        "cohere.embed-v4:0",
        "us.cohere.embed-v4:0",
        "amazon.rerank-v1:0",
        "cohere.rerank-v3-5:0",
        "stability.sd3-5-large-v1:0",
        "us.stability.stable-image-inpaint-v1:0",
        "amazon.titan-image-generator-v2:0",
        "amazon.nova-canvas-v1:0",
        "amazon.nova-reel-v1:1",
        "amazon.nova-sonic-v1:0",
        "luma.ray-v2:0",
        "twelvelabs.marengo-embed-2-7-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0",
    ],
)
def test_models_that_write_no_text(model: str) -> None:
    assert looks_not_text(model)


@pytest.mark.parametrize(
    "model",
    [
        LLAMA,
        "amazon.nova-pro-v1:0",
        "amazon.titan-text-premier-v1:0",
        "cohere.command-r-plus-v1:0",
        "mistral.pixtral-large-2502-v1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "openai.gpt-oss-120b-1:0",
        "qwen.qwen3-vl-235b-a22b",
        "newcomer.embedded-writer-v1:0",
        PROFILE,
        "",
    ],
)
def test_models_that_write_text(model: str) -> None:
    assert not looks_not_text(model)
