"""One request's story."""

from __future__ import annotations

from pathlib import Path

import pytest

from logminer import pipeline
from logminer.errors import UsageError
from logminer.query.explain import explain_status

from .logs import LLAMA, make_store, record


def test_deliveries_conditions_and_exports(tmp_path: Path) -> None:
    store = make_store(
        tmp_path,
        [record("a", metadata={"project": "A"}), record("b", prompt="b", stop="max_tokens")],
        [record("a", metadata={"project": "A"})],
    )
    report = pipeline.export(str(tmp_path / "train.jsonl"), store, allow_few=True)
    story = pipeline.explain(
        "a", store, filter="project=A", teacher=LLAMA, since="2027-01-01", where="turns > 1"
    )
    assert [record["redelivered"] for record in story.records] == [False, True]
    assert story.records[0]["request_metadata"] == {"project": "A"}
    assert story.conditions[0] == {
        "stored": True, "teacher": True, "since": False, "filter": True, "where": False, "status": True,
    }  # fmt: skip
    assert story.conditions[1]["stored"] is False
    assert [entry.export_id for entry in story.exports] == [report.entry.export_id]
    assert pipeline.explain("b", store).exports == ()
    assert pipeline.explain("b", store).conditions == ({"stored": True, "status": False},)


def test_a_request_that_is_not_there(tmp_path: Path) -> None:
    store = make_store(tmp_path, [record("a")])
    with pytest.raises(UsageError, match="no record of the request 'x'"):
        pipeline.explain("x", store)


def test_words_of_another_version_are_no_error() -> None:
    assert explain_status("truncated", "stop:new prefill")[0].startswith("truncated: ")
    assert len(explain_status("truncated", "stop:new prefill")) == 3
    assert explain_status("nonsense", "gibberish") == [
        "nonsense: a status of another version of logminer",
        "gibberish: a word of another version of logminer",
    ]
