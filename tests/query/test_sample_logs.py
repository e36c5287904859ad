"""The whole engine on the sample logs: what a reader should find in them is what logminer finds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from logminer import pipeline

SAMPLE_LOGS = Path(__file__).resolve().parents[2] / "sample_logs"
EXPECTED: dict[str, Any] = json.loads((SAMPLE_LOGS / "expected.json").read_text("utf-8"))
TEACHER = EXPECTED["teacher"]
FORMS = {"inference_profile_arn": "profile_arn"}
"""The sample generator's words for forms of model ids, where they are not ours."""


@pytest.fixture(scope="module")
def rows(sample_store: Path) -> list[dict[str, Any]]:
    """Every record that is no re-delivery."""
    columns = ["request_id", "status", "operation", "region", "request_metadata"]
    return list(pipeline.select(str(sample_store), columns=columns, status="all"))


def test_each_request_has_the_intended_status_and_is_there_once(rows: list[dict[str, Any]]) -> None:
    assert len(rows) == len(EXPECTED["statuses"])
    assert {row["request_id"]: row["status"] for row in rows} == EXPECTED["statuses"]


@pytest.mark.parametrize("column", ["status", "operation", "region"])
def test_counts_by_column(rows: list[dict[str, Any]], sample_store: Path, column: str) -> None:
    expected = EXPECTED[f"by_{column}"]
    assert Counter(row[column] for row in rows) == expected
    assert pipeline.count(str(sample_store), by=column, status="all").by == expected


def test_redelivered_records_are_stored_and_left_out(sample_store: Path) -> None:
    info = pipeline.store_info(str(sample_store))
    assert (info.rows, info.quarantined) == (EXPECTED["records"], EXPECTED["quarantined"])
    assert pipeline.stats(str(sample_store)).redelivered == len(EXPECTED["redelivered"])
    for request_id in EXPECTED["redelivered"]:
        story = pipeline.explain(request_id, str(sample_store))
        assert [record["redelivered"] for record in story.records].count(True) == 1


def test_untagged_records(rows: list[dict[str, Any]], sample_store: Path) -> None:
    untagged = [row for row in rows if row["request_metadata"] is None]
    # Two records have metadata that is an empty object.
    assert len(untagged) == pipeline.keys(str(sample_store)).untagged
    assert len(untagged) >= EXPECTED["untagged"]


def test_the_teachers_funnel(sample_store: Path) -> None:
    found = pipeline.stats(str(sample_store), teacher="meta.llama3-1-405b", filter=TEACHER["filter"])
    (model,) = found.models
    assert (model.model, model.turns) == (TEACHER["model"], "single")
    assert (model.matching, model.pairs) == (TEACHER["records"], TEACHER["pairs"])
    assert model.distinct_pairs == TEACHER["distinct_single_turn_pairs"]
    losses = {loss.reason: loss.count for loss in model.losses}
    assert losses.pop("filter") == model.records - model.matching
    assert losses.pop("multi_turn") == TEACHER["multi_turn_pairs"]
    assert losses.pop("duplicate") == TEACHER["single_turn_pairs"] - TEACHER["distinct_single_turn_pairs"]
    assert losses | {"pair": model.pairs} == TEACHER["by_status"]


def test_the_teachers_pairs_by_form(sample_store: Path) -> None:
    found = pipeline.stats(
        str(sample_store),
        teacher=TEACHER["model"],
        filter=TEACHER["filter"],
        status="pair",
        where="turns = 1",
    )
    forms = {FORMS.get(name, name): count for name, count in TEACHER["single_turn_pairs_by_form"].items()}
    by_id = pipeline.count(
        str(sample_store),
        by="model_id",
        teacher=TEACHER["model"],
        filter=TEACHER["filter"],
        where="turns = 1",
    )
    assert by_id.by is not None
    assert sorted(by_id.by.values()) == sorted(forms.values())
    assert found.models[0].forms.keys() == forms.keys()
    assert found.models[0].pairs == sum(forms.values())


def test_the_filter_matches_records_of_any_model(sample_store: Path) -> None:
    found = pipeline.count(str(sample_store), filter=TEACHER["filter"], status="all")
    assert found.count == TEACHER["matching_records_of_any_model"]


def test_prompts_of_the_teachers_pairs(sample_store: Path) -> None:
    rows = pipeline.select(
        str(sample_store),
        columns=["prompt_hash"],
        teacher=TEACHER["model"],
        filter=TEACHER["filter"],
        where="turns = 1",
    )
    assert len({row["prompt_hash"] for row in rows}) == TEACHER["distinct_single_turn_prompts"]


def test_the_first_records_of_two_keys(sample_store):
    """Conditions on two fields of a struct below a limit, which DuckDB's late materialization does not survive."""
    columns, chosen = ["timestamp", "response", "output_tokens"], "project=CustomerService AND priority=High"
    everything = list(pipeline.select(str(sample_store), columns=columns, filter=chosen))
    assert list(pipeline.select(str(sample_store), columns=columns, filter=chosen, limit=3)) == everything[:3]
