"""`--profile invocation-logs`: what a job would find, and what AWS's own script makes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLE_LOGS

from logminer.errors import UsageError
from logminer.statuses import STATUSES
from logminer.validation.log_script import script_verdict
from logminer.validation.logs import LOG_SEVERITIES, RULE_OF_STATUS, validate_logs

TEACHER = "meta.llama3-1-405b-instruct-v1:0"
HOUR = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-west-2/2026/06/01/10"


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A record with a pair of the teacher."""
    asked = {"messages": [{"role": "user", "content": [{"text": f"Question {number}?"}]}]}
    message = {"role": "assistant", "content": [{"text": "Answer."}]}
    given = {"output": {"message": message}, "stopReason": "end_turn"}
    return {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-06-01T10:00:00Z",
        "requestId": f"r{number}",
        "operation": "Converse",
        "modelId": TEACHER,
        "input": {"inputBodyJson": asked},
        "output": {"outputBodyJson": given},
        **changes,
    }


def folder_of(
    folder: Path, *records: Any, name: str = "20260601T100000000Z_0123456789abcdef.json.gz"
) -> Path:
    """A folder in Bedrock's layout with one log object."""
    hour = folder / HOUR
    hour.mkdir(parents=True, exist_ok=True)
    content = b"".join(json.dumps(each).encode() + b"\n" for each in records)
    (hour / name).write_bytes(gzip.compress(content))
    return folder


def users(*texts: str) -> dict[str, Any]:
    """A request with so many user turns."""
    turns = []
    for text in texts:
        turns += [
            {"role": "user", "content": [{"text": text}]},
            {"role": "assistant", "content": [{"text": "."}]},
        ]
    return {"inputBodyJson": {"messages": turns[:-1]}}


IMAGE = {
    "role": "user",
    "content": [{"text": "?"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}],
}
CUT = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Answ"}]}},
    "stopReason": "max_tokens",
}
EMPTY = {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn"}

FOUND = {
    "failed_call": record(errorCode="ThrottlingException", output={}),
    "body_elsewhere": record(input={"inputBodyS3Path": "s3://my-bucket/data/x_input.json.gz"}),
    "not_text_in_and_out": record(input={"inputBodyJson": {"messages": [IMAGE]}}),
    "unknown_body": record(input={"inputBodyJson": {"x": 1}}, output={"outputBodyJson": {"y": 2}}),
    "several_turns": record(input=users("a", "b")),
    "unusable_answer": record(output={"outputBodyJson": CUT}),
    "unusable_prompt": record(
        input={"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": " "}]}]}}
    ),
    "other_model": record(modelId="anthropic.claude-3-haiku-20240307-v1:0"),
    "not_a_record": {"no": "record"},
}


@pytest.mark.parametrize("rule", FOUND)
def test_what_keeps_a_record_from_being_a_pair(rule: str, tmp_path: Path) -> None:
    report = validate_logs(str(folder_of(tmp_path, record(), FOUND[rule])), teacher=TEACHER, allow_few=True)
    assert report.counts == {rule: 1, "too_few_lines": 1}
    assert (report.lines, report.valid, report.ok) == (2, 1, True)
    (fault,) = [fault for fault in report.faults if fault.rule == rule]
    assert fault.line == 2
    assert fault.file == f"file://{tmp_path}/{HOUR}/20260601T100000000Z_0123456789abcdef.json.gz"
    assert fault.as_dict()["file"] == fault.file


def test_every_status_has_its_rule_and_every_rule_a_case() -> None:
    assert RULE_OF_STATUS.keys() == STATUSES.keys() - {"pair", "forgotten"}
    assert {*FOUND, "too_few_lines", "too_many_lines", "empty_file"} == LOG_SEVERITIES.keys()


def test_a_hundred_pairs_of_the_teacher_are_needed(tmp_path: Path) -> None:
    other = record(modelId="anthropic.claude-3-haiku-20240307-v1:0")
    logs = str(folder_of(tmp_path, *(record(number) for number in range(99)), other))
    report = validate_logs(logs, teacher="meta.llama3-1-405b")
    assert (report.ok, report.counts) == (False, {"other_model": 1, "too_few_lines": 1})
    assert validate_logs(logs).ok, "of any model there are a hundred"
    assert any(
        note.startswith("a job that trains on the logged answers") for note in validate_logs(logs).notes
    )


def test_several_turns_are_for_nova(tmp_path: Path) -> None:
    turns = record(input=users("a", "b"), modelId="us.amazon.nova-pro-v1:0")
    logs = str(folder_of(tmp_path, turns, record(1, input=users("a", "b"))))
    assert validate_logs(logs).counts["several_turns"] == 1
    assert validate_logs(logs, teacher="amazon.nova-pro").counts == {"other_model": 1, "too_few_lines": 1}


def test_what_is_no_log_object_is_passed_over_and_no_content_is_shown(tmp_path: Path) -> None:
    logs = folder_of(tmp_path, record(), FOUND["unknown_body"], b"S3CRET".decode())
    (logs / HOUR / "amazon-bedrock-logs-permission-check").write_bytes(b"x")
    (logs / HOUR / "data").mkdir()
    (logs / HOUR / "data" / "x_input.json.gz").write_bytes(gzip.compress(b"{}"))
    report = validate_logs(str(logs), teacher=TEACHER)
    assert report.notes[0] == "log objects: 1; other files, passed over: 1"
    assert "S3CRET" not in json.dumps(report.as_dict())


def test_no_records_at_all(tmp_path: Path) -> None:
    report = validate_logs(str(folder_of(tmp_path)))
    assert (report.ok, report.counts) == (False, {"empty_file": 1})
    with pytest.raises(UsageError, match="no such file"):
        validate_logs(str(tmp_path / "nowhere"))


def test_the_sample_logs() -> None:
    expected = json.loads((SAMPLE_LOGS / "expected.json").read_text("utf-8"))
    report = validate_logs(str(SAMPLE_LOGS), teacher=TEACHER)
    assert report.lines == 887
    assert report.counts["not_a_record"] == 2
    assert report.ok
    assert any("AWS's own script counts" in note for note in report.notes), expected.keys()


def anthropic(content: Any) -> dict[str, Any]:
    return {"inputBodyJson": {"messages": [{"role": "user", "content": content}]}}


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (record(), "valid"),
        (record(errorCode="ThrottlingException"), "valid"),
        (
            record(input={"inputBodyS3Path": "s3://b/data/x"}, output={"outputBodyS3Path": "s3://b/data/y"}),
            "valid",
        ),
        (record(input={"inputBodyJson": {"prompt": "x"}}), "valid"),
        (record(output={"outputBodyJson": EMPTY}), "valid"),
        (record(input=users("a", "b")), "multi-turn"),
        (record(input={"inputBodyJson": {"messages": [IMAGE]}}), "multi-modal"),
        (record(input=anthropic("one string")), "multi-modal"),
        (record(input=anthropic([{"type": "text", "text": "x"}])), "valid"),
        (record(input=anthropic([{"text": ""}])), "multi-modal"),
        (record(input={"inputBodyJson": None}), "crash"),
        ({"modelId": "x", "input": {}}, "incomplete"),
        ([], "incomplete"),
    ],
)
def test_the_verdict_of_the_script(value: Any, verdict: str) -> None:
    assert script_verdict(json.dumps(value).encode(), "file:///x.json.gz") == verdict
    assert script_verdict(json.dumps(value).encode(), "file:///x.json") == "not a .gz object"


def test_the_script_on_what_is_no_json() -> None:
    assert script_verdict(b"{", "x.gz") == "no JSON"
    assert script_verdict(b"[" * 100_000, "x.gz") == "no JSON"
