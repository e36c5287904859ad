"""The funnel: it adds up, each loss has its name, and its last number is what an export writes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.errors import CheckFailed
from logminer.query.stats import ModelStats
from logminer.teachers import turn_rule

from .logs import CLAUDE, LLAMA, LLAMA_GEO, NOVA, OPAQUE, Record, make_store, record, store_of

SINGLE = ["one", "two"]
SEVERAL = [("one", "yes", "and then"), ("two", "no", "and then")]

calls = st.builds(
    record,
    st.integers(0, 30).map(str),
    at=st.sampled_from(["2026-06-03T08:00:00Z", "2026-06-03T09:00:00Z", "2026-06-04T08:00:00Z"]),
    model=st.sampled_from([LLAMA, LLAMA_GEO, NOVA, CLAUDE, OPAQUE, None]),
    metadata=st.sampled_from([None, {"project": "A"}, {"project": "B", "priority": "High"}]),
    prompt=st.sampled_from([*SINGLE, *SEVERAL]),
    answer=st.sampled_from(["yes", "no", " "]),
    system=st.sampled_from([None, "Be brief."]),
    stop=st.sampled_from(["end_turn", "end_turn", "end_turn", "max_tokens", "guardrail_intervened", "odd"]),
    error=st.sampled_from([None, None, None, "ThrottlingException"]),
    tokens=st.sampled_from([(10, 20), (11, None), (None, 5)]),
    tools=st.booleans(),
)
stores = st.lists(st.lists(calls, min_size=1, max_size=8), min_size=1, max_size=3)
selections = st.fixed_dictionaries(
    {},
    optional={
        "filter": st.sampled_from(["project=A", "project!=A", "project=A OR priority=High"]),
        "has_key": st.just(["project"]),
        "since": st.just("2026-06-03T09:00"),
        "until": st.just("2026-06-04"),
        "exclude_detail": st.sampled_from([["tools_offered"], ["stop:"]]),
        "min_output_tokens": st.just(6),
        "where": st.just("system IS NULL"),
        "aliases": st.just({OPAQUE: NOVA}),
    },
)
statuses = st.sampled_from(["all", "pair", "pair,truncated", "error", "truncated,blocked"])


@settings(max_examples=25, deadline=None)
@given(stores, selections, statuses)
def test_the_funnel_adds_up(batches: list[list[Record]], selection: dict[str, Any], status: str) -> None:
    with store_of(*batches) as store:
        found = pipeline.stats(store, status=status, **selection)
        scope = {
            name: value
            for name, value in selection.items()
            if name in ("since", "until", "min_output_tokens")
        }
        everything = list(pipeline.select(store, status="all", **scope))
        selected = list(pipeline.select(store, status=status, **selection))
    assert found.rows == sum(map(len, batches))
    assert sum(model.records for model in found.models) == sum(found.statuses.values()) == len(everything)
    assert sum(model.matching for model in found.models) == len(selected)
    for model in found.models:
        assert model.records == sum(loss.count for loss in model.losses) + model.distinct_pairs
        assert all(loss.count > 0 and loss.about for loss in model.losses)
        assert sum(model.logged.values()) == model.records
        check_pairs(
            model, [row for row in selected if row["status"] == "pair" and row["model"] == model.model]
        )


def check_pairs(model: ModelStats, rows: list[dict[str, Any]]) -> None:
    """The numbers of a model's pairs, counted once more by hand."""
    several = turn_rule(model.model or "") == "multi"
    distinct: dict[str, dict[str, Any]] = {}
    for row in rows:
        if several or row["turns"] == 1:
            distinct.setdefault(row["pair_hash"], row)
    assert (model.pairs, model.distinct_pairs) == (len(rows), len(distinct))
    assert model.input_tokens == sum(row["input_tokens"] or 0 for row in distinct.values())
    assert model.output_tokens == sum(row["output_tokens"] or 0 for row in distinct.values())
    times = [row["timestamp"] for row in rows]
    assert (model.first, model.last) == (min(times, default=None), max(times, default=None))


@settings(max_examples=15, deadline=None)
@given(stores, selections)
def test_the_last_number_is_the_number_of_lines_of_an_export(
    batches: list[list[Record]], selection: dict[str, Any]
) -> None:
    with store_of(*batches) as store, TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        for model in pipeline.stats(store, **selection).models:
            if model.model is None:
                continue
            asked = {**selection, "teacher": model.model}
            (alone,) = pipeline.stats(store, **asked).models
            assert alone == model
            if not model.distinct_pairs:
                with pytest.raises(CheckFailed, match="no pairs match"):
                    pipeline.export(str(path), store, allow_few=True, **asked)
                continue
            report = pipeline.export(str(path), store, allow_few=True, **asked)
            assert report.entry.lines == len(path.read_bytes().splitlines()) == model.distinct_pairs
            assert (report.model, report.input_tokens) == (model.model, model.input_tokens)
            assert report.output_tokens == model.output_tokens
            losses = {loss.reason: loss.count for loss in model.losses}
            assert report.multi_turn == losses.get("multi_turn", 0)
            assert report.duplicates == losses.get("duplicate", 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One record for each step of the funnel."""
    return make_store(
        tmp_path_factory.mktemp("stats"),
        [
            record("good", metadata={"project": "A"}, tokens=(1, 2)),
            record(
                "same", metadata={"project": "A"}, tokens=(3, 4), at="2026-06-03T09:00:00Z", model=LLAMA_GEO
            ),
            record("several", metadata={"project": "A"}, prompt=SEVERAL[0], at="2026-06-03T10:00:00Z"),
            record("cut", metadata={"project": "A"}, stop="max_tokens"),
            record("failed", metadata={"project": "A"}, error="ThrottlingException"),
            record("other", metadata={"project": "B"}),
            record("untagged", prompt="nobody"),
            record("nova", model=NOVA, metadata={"project": "A"}, prompt=SEVERAL[0]),
            record("opaque", model=OPAQUE, metadata={"project": "A"}),
        ],
        [record("good", metadata={"project": "A"}), record("nova", model=NOVA, metadata={"project": "A"})],
    )


def losses_of(model: ModelStats) -> dict[str, int]:
    return {loss.reason: loss.count for loss in model.losses}


def test_each_loss_by_name(store: str) -> None:
    found = pipeline.stats(store, teacher="meta.llama3", filter="project=A")
    (model,) = found.models
    assert losses_of(model) == {"filter": 2, "error": 1, "truncated": 1, "multi_turn": 1, "duplicate": 1}
    assert (model.records, model.matching, model.pairs, model.distinct_pairs) == (7, 5, 3, 1)
    assert (model.input_tokens, model.output_tokens) == (1, 2), "of equal pairs the first one counts"
    assert model.logged == {LLAMA: 6, LLAMA_GEO: 1}
    assert model.forms == {"bare": 6, "geo_profile": 1}
    assert (found.rows, found.redelivered, found.version) == (11, 1, pipeline.store_info(store).version)
    assert (str(model.first), str(model.last)) == ("2026-06-03 08:00:00+00:00", "2026-06-03 10:00:00+00:00")
    assert model.verdict == "too few"


def test_a_teacher_that_takes_conversations_loses_none(store: str) -> None:
    (model,) = pipeline.stats(store, teacher=NOVA).models
    assert (model.turns, model.distinct_pairs, losses_of(model)) == ("multi", 1, {})


def test_ids_that_nothing_resolves_are_named_whoever_is_asked_for(store: str) -> None:
    for teacher in (None, LLAMA):
        assert pipeline.stats(store, teacher=teacher).unresolved == {OPAQUE: 1}
    resolved = pipeline.stats(store, teacher=LLAMA, aliases={OPAQUE: LLAMA})
    assert resolved.unresolved == {}
    assert resolved.models[0].forms["application_profile"] == 1
    (nameless,) = [model for model in pipeline.stats(store).models if model.model is None]
    assert (nameless.logged, nameless.forms) == ({OPAQUE: 1}, {"application_profile": 1})


def test_a_status_narrows_what_matches(store: str) -> None:
    (model,) = pipeline.stats(store, teacher=LLAMA, status="truncated").models
    assert losses_of(model) == {"status": 6, "truncated": 1}
    assert (model.matching, model.pairs, model.distinct_pairs) == (1, 0, 0)
    assert (model.first, model.input_tokens) == (None, 0)


def test_other_losses_by_their_option(store: str) -> None:
    (model,) = pipeline.stats(store, teacher=LLAMA, has_key=["project"], where="turns = 1").models
    assert losses_of(model) == {"has_key": 1, "where": 1, "error": 1, "truncated": 1, "duplicate": 2}


def test_the_teacher_is_there_even_without_records(store: str) -> None:
    (model,) = pipeline.stats(store, teacher=LLAMA, since="2026-07-01").models
    assert (model.model, model.records, model.distinct_pairs, model.verdict) == (LLAMA, 0, 0, "too few")
    assert pipeline.stats(store, teacher="meta.nothing").models == ()
    assert pipeline.stats(store, teacher="meta.nothing").hints != ()


def test_pairs_that_lack_a_key_of_an_unequal_comparison_are_counted(store: str) -> None:
    found = pipeline.stats(store, teacher=LLAMA, filter="project!=B AND priority!=Low")
    assert found.lacking == {"project": 1, "priority": 4}


@pytest.mark.parametrize(
    ("pairs", "verdict"), [(99, "too few"), (100, "ready"), (15_000, "ready"), (15_001, "too many")]
)
def test_the_verdict(pairs: int, verdict: str) -> None:
    model = ModelStats(LLAMA, {}, {}, "single", pairs, pairs, pairs, pairs, (), 0, 0, first=None, last=None)
    assert model.verdict == verdict
