"""Every option of a selection, alone and together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.errors import UsageError
from logminer.pipeline import make_selection

from .logs import (
    CLAUDE,
    LLAMA,
    LLAMA_70B,
    LLAMA_ARN,
    LLAMA_GEO,
    NOVA,
    OPAQUE,
    ids,
    make_store,
    record,
    store_of,
)

DAY_BEFORE = "2026-06-02T23:59:59.999Z"
MIDNIGHT = "2026-06-03T00:00:00Z"
NOON = "2026-06-03T12:00:00Z"
NEXT_DAY = "2026-06-04T00:00:00Z"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Records that differ in one thing each, in several files."""
    return make_store(
        tmp_path_factory.mktemp("selection"),
        [
            record("before", at=DAY_BEFORE),
            record("midnight", at=MIDNIGHT, metadata={"project": "A", "priority": "High"}),
            record("noon", at=NOON, metadata={"project": "B"}),
        ],
        [
            record("next", at=NEXT_DAY, region="us-west-2", metadata={"team": "web"}),
            record("account", at=NOON, account="444455556666", prompt="account"),
            record("invoke", at=NOON, operation="ConverseStream", prompt="invoke"),
            record("caller", at=NOON, identity="arn:aws:iam::111122223333:role/app", prompt="caller"),
            record("short", at=NOON, tokens=(1, 2), prompt="short"),
            record("uncounted", at=NOON, tokens=(None, None), prompt="uncounted"),
            record("tools", at=NOON, tools=True, prompt="tools"),
            record("odd", at=NOON, stop="new_reason", prompt="odd"),
            record("error", at=NOON, error="ThrottlingException"),
            record("truncated", at=NOON, stop="max_tokens"),
        ],
        [record("noon", at=NOON, prompt="again")],
    )


PAIRS = {
    "before", "midnight", "noon", "next", "account", "invoke", "caller", "short", "uncounted", "tools", "odd",
}  # fmt: skip
ONE_DAY = PAIRS - {"before", "next"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, PAIRS),
        ({"status": "all"}, PAIRS | {"error", "truncated"}),
        ({"status": "error"}, {"error"}),
        ({"status": "error, truncated"}, {"error", "truncated"}),
        ({"status": ["error", "truncated"]}, {"error", "truncated"}),
        ({"status": ["error", "all"]}, PAIRS | {"error", "truncated"}),
        ({"since": "2026-06-03"}, PAIRS - {"before"}),
        ({"until": "2026-06-03"}, {"before"}),
        ({"since": "2026-06-03", "until": "2026-06-04"}, ONE_DAY),
        ({"since": NOON, "until": NEXT_DAY}, ONE_DAY - {"midnight"}),
        ({"since": MIDNIGHT, "until": NOON}, {"midnight"}),
        ({"since": "2026-06-02T23:59:59.999", "until": MIDNIGHT}, {"before"}),
        ({"since": "2026-06-03T02:00+02:00", "until": "2026-06-03T00:00:00.000001Z"}, {"midnight"}),
        ({"since": "2026-06-05"}, set()),
        ({"region": "us-west-2"}, {"next"}),
        ({"region": ["us-west-2", "eu-west-1"]}, {"next"}),
        ({"account": ["444455556666"]}, {"account"}),
        ({"operation": ["ConverseStream"]}, {"invoke"}),
        ({"identity": "arn:aws:iam::*:role/a?p"}, {"caller"}),
        ({"identity": "role/app"}, set()),
        ({"min_input_tokens": 10}, PAIRS - {"short", "uncounted"}),
        ({"max_input_tokens": 1}, {"short"}),
        ({"min_output_tokens": 3, "max_output_tokens": 20}, PAIRS - {"short", "uncounted"}),
        ({"max_output_tokens": 2}, {"short"}),
        ({"exclude_detail": "tools_offered"}, PAIRS - {"tools"}),
        ({"exclude_detail": ["stop:", "tools_offered"]}, PAIRS - {"tools", "odd"}),
        ({"exclude_detail": ["stop:new_reason"]}, PAIRS - {"odd"}),
        ({"exclude_detail": ["stop:new"]}, PAIRS),
        ({"filter": "project=A"}, {"midnight"}),
        ({"filter": "project!=A"}, PAIRS - {"midnight"}),
        ({"filter": "project!=A", "has_key": "project"}, {"noon"}),
        ({"filter": "project=A OR team=web"}, {"midnight", "next"}),
        ({"filter": "project=A AND priority=High"}, {"midnight"}),
        ({"filter_json": {"equals": {"project": "B"}}}, {"noon"}),
        ({"has_key": ["project", "priority"]}, {"midnight"}),
        ({"where": "output_tokens = 2 OR region = 'us-west-2'"}, {"short", "next"}),
        ({"where": "output_tokens = 2", "region": ["us-east-1"], "since": NOON}, {"short"}),
        ({"version": 0}, set()),
        (
            {
                "teacher": LLAMA, "since": "2026-06-03", "until": "2026-06-04", "region": "us-east-1",
                "account": "111122223333", "operation": "Converse", "min_input_tokens": 1, "filter": "project!=X",
                "has_key": "project", "exclude_detail": "prefill", "where": "turns = 1", "status": "pair",
            },
            {"midnight", "noon"},
        ),
    ],
)  # fmt: skip
def test_options(store: str, options: dict[str, Any], expected: set[str]) -> None:
    found = ids(store, **options)
    assert sorted(found) == sorted(expected)
    assert pipeline.count(store, **options).count == len(expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"status": "pairs"}, "--status: 'pairs' is not known"),
        ({"status": ","}, "--status: names no status"),
        ({"exclude_detail": "stop"}, "--exclude-detail: 'stop' is not known"),
        ({"exclude_detail": "prefill:x"}, "'prefill:x' is not known"),
        ({"since": "yesterday"}, "--since: 'yesterday' is no point in time"),
        ({"since": "2026-06-03", "until": "2026-06-03"}, "--until: the time span is empty"),
        ({"since": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))}, "outside of all calendars"),
        ({"filter": "a=b", "filter_json": {"equals": {"a": "b"}}}, "give one of the two"),
        ({"filter_json": "no/such/file"}, "--filter-json no/such/file: cannot read"),
        ({"filter_json": "a\0b"}, "cannot read"),
        ({"filter": "a=b AND c=d OR e=f"}, "one operator"),
        ({"version": 99}, "the store has no version 99"),
    ],
)
def test_what_cannot_be_meant(store: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline.count(store, **options)
    assert said.lower() in str(caught.value).lower()


def test_an_option_that_does_not_exist_is_no_option() -> None:
    with pytest.raises(TypeError, match="has_keys"):
        make_selection(has_keys=["a"])  # type: ignore[call-arg]


def test_a_selection_as_options_means_the_same_again() -> None:
    options: dict[str, Any] = {
        "teacher": LLAMA, "filter": "project=A AND priority!='b c'", "has_key": ["k"], "since": "2026-06-03",
        "until": "2026-06-04T00:00:01Z", "region": ["r"], "account": ["a"], "operation": ["o"], "identity": "*",
        "min_input_tokens": 0, "max_input_tokens": 1, "min_output_tokens": 2, "max_output_tokens": 3,
        "exclude_detail": ["prefill"], "status": ["pair", "truncated"], "where": "true", "version": 0,
    }  # fmt: skip
    selection = make_selection(**options)
    assert selection.as_options().keys() == options.keys()
    assert make_selection(**selection.as_options()) == selection
    assert make_selection(status="all").as_options() == {"status": "all"}


instants = st.datetimes(
    datetime(2026, 6, 1),
    datetime(2026, 6, 5),
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11, minutes=-30))]
    ),
)


@pytest.fixture(scope="module")
def hourly(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, datetime]]:
    """A store with records around every midnight and noon of four days, and the time of each."""
    times = [
        datetime(2026, 6, day, hour, 0, 0, tzinfo=UTC) + timedelta(milliseconds=shift)
        for day in range(1, 5)
        for hour in (0, 12)
        for shift in (-1, 0, 1)
    ]
    by_id = {f"{number:02}": time for number, time in enumerate(times)}
    records = [record(name, at=time.isoformat()) for name, time in by_id.items()]
    return make_store(tmp_path_factory.mktemp("hourly"), records[::2], records[1::2]), by_id


@settings(max_examples=40, deadline=None)
@given(instants, instants)
def test_time_spans_are_half_open_and_files_are_left_out_without_loss(
    hourly: tuple[str, dict[str, datetime]], first: datetime, second: datetime
) -> None:
    store, times = hourly
    since, until = sorted([first, second + timedelta(microseconds=1)])
    if since < until:
        found = ids(store, since=since, until=until)
        assert found == [name for name, time in times.items() if since <= time < until]


def test_naive_datetimes_are_utc(hourly: tuple[str, dict[str, datetime]]) -> None:
    store, times = hourly
    noon = datetime(2026, 6, 2, 12)
    expected = [name for name, time in times.items() if time >= noon.replace(tzinfo=UTC)]
    assert ids(store, since=noon) == expected
    assert ids(store, since=noon, until=datetime.max.replace(tzinfo=UTC)) == expected
    assert ids(store, until=datetime.min.replace(tzinfo=UTC)) == []


def test_ages_count_from_now(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    store = make_store(
        tmp_path,
        [
            record("old", at=(now - timedelta(days=8)).isoformat()),
            record("new", at=(now - timedelta(days=6)).isoformat()),
        ],
    )
    assert ids(store, since="7d") == ids(store, since="1w") == ["new"]
    assert ids(store, until="150h") == ["old"]


# --- teachers -------------------------------------------------------------------------------------------------

FORMS = {"bare": LLAMA, "geo": LLAMA_GEO, "arn": LLAMA_ARN, "suffix": f"{LLAMA}:128k"}
APPLICATION = {OPAQUE: LLAMA}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Records of one model in all forms of its id, and of others."""
    others = {"opaque": OPAQUE, "70b": LLAMA_70B, "nova": NOVA, "claude": CLAUDE, "none": None}
    named = {**FORMS, **others}
    return make_store(
        tmp_path_factory.mktemp("models"),
        [record(name, model=model, prompt=name) for name, model in named.items()],
    )


@pytest.mark.parametrize(
    "teacher",
    [
        LLAMA,
        LLAMA_GEO,
        f"eu.{LLAMA}",
        LLAMA_ARN,
        f"arn:aws:bedrock:us-west-2::foundation-model/{LLAMA}",
        f"{LLAMA}:128k",
        "meta.llama3-1-405b",
        "meta.llama3-1-405b-",
    ],
)
def test_a_teacher_in_any_form_means_all_forms(models: str, teacher: str) -> None:
    assert set(ids(models, teacher=teacher)) == FORMS.keys()
    with_alias = set(ids(models, teacher=teacher, aliases=APPLICATION))
    assert with_alias == FORMS.keys() | {"opaque"}, "an alias given later needs no rewriting"


@pytest.mark.parametrize("teacher", [OPAQUE, "abcd1234efgh", "application-inference-profile/abcd1234efgh"])
def test_an_opaque_id_means_what_its_alias_says(models: str, teacher: str) -> None:
    assert ids(models, teacher=teacher) == []
    found = ids(models, teacher=teacher, aliases={teacher: "meta.llama3-1-405b-instruct-v1:0", OPAQUE: LLAMA})
    assert set(found) == FORMS.keys() | {"opaque"}


def test_a_beginning_means_every_model_that_begins_so(models: str) -> None:
    assert set(ids(models, teacher="meta.llama3-1")) == FORMS.keys() | {"70b"}
    assert ids(models, teacher="meta.llama3-1-4") == []
    assert {model.model for model in pipeline.stats(models, teacher="meta.llama3").models} == {
        LLAMA,
        LLAMA_70B,
    }


def test_an_exact_id_wins_over_a_beginning() -> None:
    longer = "meta.llama3-1-405b-instruct-v1:0-tuned"
    with store_of([record("exact", model="meta.llama3-1-405b"), record("longer", model=longer)]) as store:
        assert ids(store, teacher="meta.llama3-1-405b") == ["exact"]
        assert ids(store, teacher="meta.llama3-1") == ["exact", "longer"]


def test_a_teacher_without_records_is_no_error_but_a_hint(models: str) -> None:
    found = pipeline.count(models, teacher="meta.llama3-1-450b-instruct-v1:0")
    assert found.count == 0
    assert found.hints[0].startswith(
        "No record is of the model 'meta.llama3-1-450b-instruct-v1:0'. There is: "
    )
    assert LLAMA in found.hints[0]
    assert '[models.aliases] "zzz" = "MODEL"' in pipeline.count(models, teacher="zzz").hints[0]


def test_the_column_model_is_what_the_id_means(models: str) -> None:
    rows = pipeline.select(models, columns=["request_id", "model", "model_id"], aliases=APPLICATION)
    found = {row["request_id"]: (row["model"], row["model_id"]) for row in rows}
    assert {found[name] for name in FORMS} == {(LLAMA, model_id) for model_id in FORMS.values()}
    assert found["opaque"] == (LLAMA, OPAQUE)
    assert found["none"] == (None, None)
    assert pipeline.count(models, by="model").by == {LLAMA: 4, None: 2, NOVA: 1, CLAUDE: 1, LLAMA_70B: 1}
