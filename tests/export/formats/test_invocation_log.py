"""Pairs written as invocation logs are, read again, the same pairs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from botocore_shapes import check_shape
from conftest import SAMPLE_LOGS
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.conversations.templates import holds_special_token
from logminer.exports import export_format
from logminer.exports.formats import invocation_log
from logminer.pairs import PromptResponsePair

from .pairs import NOON_US, TEACHER, log_records, make_pair, text_pairs, written

FORM = export_format("invocation-log")
KEPT = (
    "request_id", "timestamp", "request_metadata", "system", "messages", "response", "prompt_hash", "pair_hash",
    "input_tokens", "output_tokens", "turns", "account_id", "region", "tools",
)  # fmt: skip


def put(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def ingested(folder: Path, *columns: str) -> list[dict[str, Any]]:
    store = str(folder / "store")
    pipeline.ingest(str(folder / "AWSLogs"), store=store, workers=1)
    assert pipeline.store_info(store).quarantined == 0
    return list(pipeline.select(store, columns=columns, status="all"))


def test_the_sample_logs_survive(sample_store: Path, tmp_path: Path) -> None:
    """All pairs of one teacher, of whatever family and operation they were."""
    columns = (*KEPT, "model", "source_uri", "source_position", "params", "stop_reason")
    teacher = "meta.llama3-1-405b-instruct-v1:0"
    rows = list(pipeline.select(str(sample_store), columns=columns, teacher=teacher))
    assert len(rows) > 100
    pairs = [
        make_pair(
            **{name: row[name] for name in columns if name not in ("timestamp", "request_metadata")},
            time_us=round(row["timestamp"].timestamp() * 1e6),
            request_metadata=row["request_metadata"] or {},
        )
        for row in rows
    ]
    files = written(FORM, [pair for pair in pairs if FORM.misfit(pair) is None])
    again = ingested(put(files, tmp_path), *KEPT, "status", "model_id", "operation")
    assert [{name: row[name] for name in KEPT} for row in rows] == [
        {name: row[name] for name in KEPT} for row in again
    ]
    assert {(row["status"], row["model_id"], row["operation"]) for row in again} == {
        ("pair", teacher, "Converse")
    }
    assert SAMPLE_LOGS.exists()


@settings(max_examples=25, deadline=None)
@given(st.lists(text_pairs(), min_size=1, max_size=5))
def test_any_texts_survive(drawn: list[PromptResponsePair]) -> None:
    pairs = [msgspec.structs.replace(pair, source_position=number) for number, pair in enumerate(drawn)]
    with TemporaryDirectory() as folder:
        again = ingested(
            put(written(FORM, pairs), Path(folder)),
            "system",
            "messages",
            "response",
            "request_metadata",
            "status",
        )
    found = [
        (row["system"], row["messages"], row["response"], row["request_metadata"] or {})
        for row in again
        if row["status"] == "pair"
    ]
    # Texts that hold a template's tokens are no pair either way.
    usual = [pair for pair in pairs if not holds_special_token(f"{pair.messages}{pair.system}")]
    expected = [
        (pair.system, json.loads(pair.messages), pair.response, pair.request_metadata) for pair in usual
    ]
    assert all(each in found for each in expected)


def test_records_are_what_the_service_would_have_logged() -> None:
    pair = make_pair(
        system="Be brief.",
        params={"max_tokens": 200, "temperature": 0.5, "stop_sequences": ["x"], "response_schema": {}},
        tools=[{"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}],
        request_metadata={"b": "1", "a": "2"},
    )
    (record,) = log_records(written(FORM, [pair]))
    body = record["input"]["inputBodyJson"]
    assert check_shape("bedrock-runtime", "Converse", {"modelId": TEACHER, **body}) == []
    answer = {**record["output"]["outputBodyJson"], "metrics": {"latencyMs": 1}}
    assert check_shape("bedrock-runtime", "ConverseResponse", answer) == []
    assert list(record["requestMetadata"]) == ["a", "b"]
    assert "identity" not in record
    assert "secret" not in json.dumps(record)


def test_the_same_pairs_are_the_same_objects_at_any_time() -> None:
    pairs = [make_pair(prompt=f"p{n}", time_us=NOON_US + n * 10**9) for n in range(20)]
    files = written(FORM, pairs)
    assert written(FORM, pairs) == files
    assert all(gzip.decompress(content) and content[4:8] == b"\0\0\0\0" for content in files.values())
    hours = {name.rpartition("/")[0] for name in files}
    assert len(hours) == len(files) == 6


def test_equal_objects_do_not_take_each_others_place(monkeypatch: Any) -> None:
    monkeypatch.setattr(invocation_log, "_MAX_RECORDS", 2)
    files = written(FORM, [make_pair()] * 5)
    assert (len(files), len(log_records(files))) == (3, 5)


def test_memory_is_bounded_whatever_the_order(monkeypatch: Any) -> None:
    monkeypatch.setattr(invocation_log, "_MAX_BUFFERED_BYTES", 5000)
    pairs = [make_pair(prompt="p" * 500, time_us=NOON_US + n % 7 * 3_600_000_000) for n in range(50)]
    files = written(FORM, pairs)
    assert len(log_records(files)) == 50
    assert len(files) > 7


def test_pairs_that_were_one_record_get_ids_of_their_own() -> None:
    pairs = [
        make_pair(source_uri=f"file:///a#turn={n}", pair_hash=f"{n}" * 32, prompt=f"p{n}") for n in range(2)
    ]
    ids = {record["requestId"] for record in log_records(written(FORM, pairs))}
    assert len(ids) == 2
    assert "r-1" not in ids


def test_names_are_those_that_bedrock_gives() -> None:
    (name,) = written(FORM, [make_pair()])
    assert name.startswith("AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/2026/05/28/20/")
    assert Path(name).name.startswith("20260528T202640000Z_")
    for field, value in (("account_id", "../.."), ("region", "a/../b"), ("region", "us-east-1\n")):
        (name,) = written(FORM, [make_pair(**{field: value})])
        assert ".." not in name
        assert "\n" not in name
        assert name.count("/") == 8
