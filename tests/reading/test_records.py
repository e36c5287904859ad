"""What is wrong inside a record costs the field it is in, and is named; the record stays."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from logminer.conversations import record_decoder
from logminer.framing import Quarantined
from logminer.records import NotARecord
from logminer.statuses import STATUS_DETAILS

from .logs import (
    HOUR,
    LOG_NAME,
    assert_untouched,
    details,
    line,
    lines,
    only_row,
    outcomes,
    read,
    record,
    said,
)

WRONG_FOR_TEXT = [5, 1.5, True, ["x"], {"a": 1}]


def with_value(path: str, value: Any) -> dict[str, Any]:
    """The good record with `value` at a dotted path."""
    changed: Any = record(1)
    *parents, last = path.split(".")
    target = changed
    for key in parents:
        target = target[int(key)] if key.isdigit() else target.setdefault(key, {})
    target[last] = value
    return changed


ENVELOPE_TEXTS = {
    "schemaType": "schema_type",
    "accountId": "account_id",
    "region": "region",
    "inferenceRegion": "inference_region",
    "requestId": "request_id",
    "operation": "operation",
    "modelId": "model_id",
    "errorCode": "error_code",
}


@pytest.mark.parametrize(("field", "attribute"), ENVELOPE_TEXTS.items())
@pytest.mark.parametrize("wrong", WRONG_FOR_TEXT, ids=repr)
def test_a_wrong_type_in_a_text_of_the_envelope_is_null(field, attribute, wrong):
    row = only_row(read(line(with_value(field, wrong))))
    assert getattr(row.record, attribute) is None
    assert details(row) == [f"wrong_type:{field}"]
    assert row.conversation.status == "pair"
    assert said(row) == ("Where is 1?", "Here, {1}.")


WRONG_ELSEWHERE = {
    "identity": ["x", 5, []],
    "identity.arn": [5, {}],
    "requestMetadata": ["x", 5, ["a"], True],
    "input": ["x", 5, []],
    "output": ["x", 5, []],
    "input.inputContentType": [5],
    "output.outputContentType": [[]],
    "input.inputTokenCount": ["7", 7.5, True, [], {}, -1.5],
    "input.cacheReadInputTokenCount": ["7", 7.5],
    "input.cacheWriteInputTokenCount": ["7", False],
    "output.outputTokenCount": ["7", 1e300, {}],
    "input.inputBodyS3Path": [5, []],
    "output.outputBodyS3Path": [5, {}],
    "input.inputBodyJson": [5, True, 1.5],
    "output.outputBodyJson": [5, True, 1.5],
    "input.inputBodyJson.messages": ["x", 5, {}, [5], ["x"], [None]],
    "input.inputBodyJson.system": [5, {}, [5]],
    "input.inputBodyJson.inferenceConfig": ["x", []],
    "input.inputBodyJson.inferenceConfig.maxTokens": ["x", [], True],
    "input.inputBodyJson.inferenceConfig.stopSequences": ["x", 5, [5], ["a", None]],
    "output.outputBodyJson.output": [5, []],
    "output.outputBodyJson.output.message": ["x", 5],
    "output.outputBodyJson.stopReason": [5, {}],
    "output.outputBodyJson.usage": [5, "x"],
    "output.outputBodyJson.usage.inputTokens": ["5", 1.5],
    "output.outputBodyJson.metrics": [5, "x"],
}
WRONG = [(path, wrong) for path, values in WRONG_ELSEWHERE.items() for wrong in values]


@pytest.mark.parametrize(("path", "wrong"), WRONG, ids=repr)
def test_a_wrong_type_anywhere_is_named_and_the_record_stays(path, wrong):
    found = read(lines(record(0), with_value(path, wrong), record(2)))
    assert outcomes(found) == ["request-0", "request-1", "request-2"]
    assert_untouched(found[0], 0)
    assert_untouched(found[2], 2)
    assert [word for word in details(found[1]) if word.startswith("wrong_type:")] == [f"wrong_type:{path}"]


def test_wrong_types_in_items_are_named_by_their_path():
    path = "input.inputBodyJson.messages.0.content.0.text"
    row = only_row(read(line(with_value(path, 5))))
    assert "wrong_type:input.inputBodyJson.messages[].content[].text" in details(row)


def test_every_word_of_a_detail_is_documented():
    wrongs = [with_value(path, wrong) for path, wrong in WRONG]
    for value in read(lines(*wrongs)):
        for word in details(value):
            assert word in STATUS_DETAILS or word.partition(":")[0] + ":" in STATUS_DETAILS, word


def test_null_is_absent_everywhere():
    row = only_row(
        read(line(dict.fromkeys(record(0)) | {"requestId": "a", "timestamp": "2026-06-03T00:00:00Z"}))
    )
    assert row.record.request_metadata is None
    assert row.conversation.status == "body_missing"


@pytest.mark.parametrize("side", [{"input": {"inputTokenCount": 0}}, {"output": {"outputBodyJson": ""}}])
def test_anything_in_one_side_makes_a_record(side):
    assert only_row(read(line({"timestamp": "2026-06-03T00:00:00Z", **side}))).conversation.status


def test_one_known_field_makes_a_record():
    for field in ("schemaType", "requestId", "modelId", "operation"):
        assert len(read(line({field: "x", "timestamp": "2026-06-03T00:00:00Z"}))) == 1
        assert outcomes(read(line({field: 5}))) == ["not_a_record"]


# --- text ---------------------------------------------------------------------------------------------------


def replaced(text: bytes) -> tuple[Any, list[str]]:
    row = only_row(read(text))
    assert "replaced_text" in details(row)
    return row, details(row)


def test_lone_surrogates_in_texts_become_replacement_characters():
    row, words = replaced(line(record(1)).replace(b"Where", b"\\ud83d W\\udc00here"))
    assert said(row) == ("\ufffd W\ufffdhere is 1?", "Here, {1}.")
    assert words == ["replaced_text"]


def test_surrogate_pairs_are_one_character():
    found = read(line(record(1)).replace(b"Where", b"\\ud83d\\ude00 Where"))
    row = only_row(found)
    assert said(row)[0] == "\U0001f600 Where is 1?"
    assert details(row) == []


def test_lone_surrogates_beside_a_pair():
    row, _ = replaced(line(record(1)).replace(b"Where", b"\\ude00\\ud83d\\ude00\\ud83d"))
    assert said(row)[0] == "\ufffd\U0001f600\ufffd is 1?"


def test_an_escaped_backslash_makes_no_surrogate():
    row = only_row(read(line(record(1)).replace(b"Where", b"\\\\ud83d")))
    assert said(row)[0] == "\\ud83d is 1?"
    assert details(row) == []


@pytest.mark.parametrize("field", ["requestId", "modelId", "operation", "region"])
def test_lone_surrogates_in_the_envelope(field):
    row, _ = replaced(line(record(1, **{field: "MARK"})).replace(b"MARK", b"a\\udfffb"))
    assert "a\ufffdb" in (row.record.request_id, row.record.model_id, row.record.operation, row.record.region)


def test_lone_surrogates_in_metadata_keys_and_values():
    text = line(record(1, requestMetadata={"kKEY": "v", "k": "vVALUE"}))
    row, _ = replaced(text.replace(b"KEY", b"\\ud800").replace(b"VALUE", b"\\udfff"))
    assert row.record.request_metadata == {"k\ufffd": "v", "k": "v\ufffd"}


def test_lone_surrogates_in_what_is_passed_on():
    value = record(1)
    body = value["input"]["inputBodyJson"]
    tool = {"toolSpec": {"name": "n", "description": "MARK", "inputSchema": {"json": {"MARK": 1.10}}}}
    body["toolConfig"] = {"tools": [tool]}
    call = {
        "toolUse": {"toolUseId": "t", "name": "n", "input": {"MARK": ["MARK", 12345678901234567890, 1e3]}}
    }
    body["messages"].append({"role": "assistant", "content": [call]})
    body["messages"].append(
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "MARK"}]}}]}
    )
    row, _ = replaced(line(value).replace(b"MARK", b"\\udbff!"))
    assert json.loads(row.conversation.tools) == [
        {"toolSpec": {"name": "n", "description": "\ufffd!", "inputSchema": {"json": {"\ufffd!": 1.1}}}}
    ]
    messages = json.loads(row.conversation.messages)
    assert messages[1]["content"][0]["toolUse"]["input"] == {
        "\ufffd!": ["\ufffd!", 12345678901234567890, 1000.0]
    }
    assert messages[2]["content"][0]["toolResult"]["content"] == [{"text": "\ufffd!"}]


def test_lone_surrogates_in_what_nobody_reads_change_nothing():
    found = read(line({**record(1), "newField": "MARK"}).replace(b"MARK", b"\\ud800"))
    assert_untouched(found[0], 1)


def test_escaped_nul_is_a_character():
    found = read(line(record(1)).replace(b"Where", b"Wh\\u0000ere"))
    assert said(only_row(found))[0] == "Wh\0ere is 1?"


# --- duplicate keys -----------------------------------------------------------------------------------------


def doubled(text: bytes, key: str, first: bytes) -> bytes:
    """`text` with another value of `key` before its own."""
    marker = json.dumps(key).encode() + b": "
    assert marker in text
    return text.replace(marker, marker + first + b", " + marker, 1)


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("requestId", b'"other"'),
        ("requestId", b"5"),
        ("requestMetadata", b'{"project": "Other", "more": "x"}'),
        ("project", b'"Other"'),
        ("input", b'{"inputTokenCount": 99, "cacheReadInputTokenCount": 4}'),
        ("inputBodyJson", b'{"messages": [], "system": [{"text": "x"}]}'),
        ("inputBodyJson", b'"text"'),
        ("messages", b"[]"),
        ("messages", b'"x"'),
        ("text", b'"Other"'),
        ("role", b'"assistant"'),
        ("output", b"null"),
        ("stopReason", b'"max_tokens"'),
        ("outputTokenCount", b"99"),
        ("timestamp", b'"2020-01-01T00:00:00Z"'),
    ],
)
def test_of_duplicate_keys_the_last_wins(key, first, slow):
    text = doubled(line(record(1)), key, first)
    if slow:
        text = text[:-1] + b', "newField": "\\ud800"}'
    (found,) = read(text)
    assert_untouched(found, 1)


def test_of_duplicate_keys_the_last_wins_even_if_it_is_worse():
    text = line(record(1))[:-1]
    for end, status in (
        (b', "input": null}', "body_missing"),
        (b', "errorCode": "a", "errorCode": "b"}', "error"),
    ):
        assert only_row(read(text + end)).conversation.status == status


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "count", "word"),
    [
        ("12", 12, None),
        ("12.0", 12, None),
        ("1.2e1", 12, None),
        ("-0", 0, None),
        ("0", 0, None),
        ("2147483647", 2**31 - 1, None),
        ("2147483648", None, "bad_count"),
        ("-1", None, "bad_count"),
        ("9223372036854775808", None, "bad_count"),
        (str(10**30), None, "bad_count"),
        ("-" + "9" * 30, None, "bad_count"),
        ("1" * 400, None, "bad_count"),
        ("1" * 5_000, None, "wrong_type:input.inputTokenCount"),
        ("1e999", None, "wrong_type:input.inputTokenCount"),
        ("12.5", None, "wrong_type:input.inputTokenCount"),
    ],
)
@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_token_counts(written, count, word, slow):
    text = line(record(1)).replace(b'"inputTokenCount": 7', b'"inputTokenCount": ' + written.encode())
    if slow:
        text = text[:-1] + b', "newField": "\\ud800"}'
    row = only_row(read(text))
    assert row.conversation.input_tokens == count
    assert details(row) == ([word] if word else [])


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", str(10**30), "1" * 400, "1" * 5_000, "1e-999", "0.1e1"]
)
def test_numbers_of_any_size_in_bodies(number):
    value = record(1)
    body = value["input"]["inputBodyJson"]
    body["inferenceConfig"] = {"maxTokens": "MARK", "temperature": "MARK"}
    call = {"toolUse": {"toolUseId": "t", "name": "n", "input": {"a": "MARK"}}}
    body["messages"].append({"role": "assistant", "content": [call]})
    body["toolConfig"] = {
        "tools": [{"toolSpec": {"name": "n", "inputSchema": {"json": {"maximum": "MARK"}}}}]
    }
    value["output"]["outputBodyJson"]["metrics"] = {"latencyMs": "MARK"}
    row = only_row(read(line(value).replace(b'"MARK"', number.encode())))
    for text in (row.conversation.messages, row.conversation.tools, row.conversation.params):
        assert text is None or json.loads(text)


# --- metadata -----------------------------------------------------------------------------------------------


def metadata(text: str) -> tuple[dict[str, str] | None, list[str]]:
    row = only_row(read(line(record(1, requestMetadata="MARK")).replace(b'"MARK"', text.encode())))
    return row.record.request_metadata, details(row)


@pytest.mark.parametrize(
    "written",
    ["1.10", "1", "-0", "0.0", "1e5", "1E+5", "-12.500", "9" * 70, str(10**30), "1e999", "true", "false"],
)
def test_numbers_and_booleans_in_metadata_count_as_written(written):
    assert metadata(f'{{"a": {written}, "b": "x"}}') == ({"a": written, "b": "x"}, [])


def test_null_in_metadata_is_absent_and_an_empty_string_a_value():
    assert metadata('{"a": null, "b": "", "": "c", " ": "d"}') == ({"b": "", "": "c", " ": "d"}, [])


def test_objects_in_metadata_are_of_a_wrong_type_and_the_rest_stays():
    assert metadata('{"a": {"b": "c"}, "d": ["e"], "f": "g"}') == ({"f": "g"}, ["wrong_type:requestMetadata"])


def test_ten_thousand_keys():
    many = {f"key {number} é\U0001f600": f"value {number}" for number in range(10_000)}
    assert metadata(json.dumps(many)) == (many, [])
    assert metadata(json.dumps(many | {"n": 5}, ensure_ascii=False)) == (many | {"n": "5"}, [])


# --- timestamps ---------------------------------------------------------------------------------------------


def moment(timestamp: Any, name: str = "anything.json") -> tuple[datetime | None, list[str]]:
    value = record(1)
    if timestamp is None:
        del value["timestamp"]
    else:
        value["timestamp"] = timestamp
    (found,) = read(line(value), name)
    if isinstance(found, Quarantined):
        assert found.reason == "no_timestamp"
        assert found.raw == line(value)
        return None, []
    return datetime.fromtimestamp(found.time_us / 1e6, UTC), details(found)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-06-03T08:00:04Z", "2026-06-03T08:00:04"),
        ("2026-06-03T08:00:04.123Z", "2026-06-03T08:00:04.123"),
        ("2026-06-03T08:00:04.123456Z", "2026-06-03T08:00:04.123456"),
        ("2026-06-03T08:00:04.123456789Z", "2026-06-03T08:00:04.123456"),
        ("2026-06-03T08:00:04", "2026-06-03T08:00:04"),
        ("2026-06-03 08:00:04", "2026-06-03T08:00:04"),
        ("2026-06-03T08:00:04+00:00", "2026-06-03T08:00:04"),
        ("2026-06-03T10:30:04+02:30", "2026-06-03T08:00:04"),
        ("2026-06-02T23:00:04-09:00", "2026-06-03T08:00:04"),
        ("20260603T080004Z", "2026-06-03T08:00:04"),
    ],
)
def test_timestamps_are_utc(written, meant):
    assert moment(written) == (datetime.fromisoformat(meant).replace(tzinfo=UTC), [])


NO_TIMES = [
    None,
    "",
    "garbage",
    "now",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "1970-01-01T00:00:00Z",
    "2026-13-03T08:00:04Z",
    "2026-06-03T08:00:04Z ",
    "\u0662\u0660\u0662\u0666-06-03T08:00:04Z",
    5,
    1780473604123,
    {},
]


@pytest.mark.parametrize("timestamp", NO_TIMES, ids=repr)
def test_without_a_usable_timestamp_the_name_tells_then_the_folder_then_nothing(timestamp):
    at, words = moment(timestamp, f"{HOUR}/{LOG_NAME}")
    assert at == datetime(2026, 6, 3, 8, 0, 4, tzinfo=UTC)
    assert "timestamp_from_name" in words
    at, words = moment(timestamp, f"{HOUR}/other.json.gz")
    assert at == datetime(2026, 6, 3, 8, tzinfo=UTC)
    assert "timestamp_from_folder" in words
    assert moment(timestamp, "somewhere/else.json.gz") == (None, [])


@pytest.mark.parametrize(
    "name",
    [
        "20261303T080004784Z_x.json.gz",
        "00010101T000000000Z_x.json.gz",
        "99991231T235959999Z_x.json.gz",
        "x20260603T080004784Z.json.gz",
        "20260603T080004784Z/other.json.gz",
        "BedrockModelInvocationLogs/us-west-2/2026/13/03/08/x.json.gz",
        "BedrockModelInvocationLogs/us-west-2/9999/12/31/23/x.json.gz",
    ],
)
def test_impossible_stamps_are_no_times(name):
    assert moment(None, name) == (None, [])


# --- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "no JSON", "5", '"text"', "null", "{", "[" * 100_000, "\\", '"' * 9])
def test_a_body_that_is_some_other_string_is_not_recognized(text):
    for path in ("input.inputBodyJson", "output.outputBodyJson"):
        row = only_row(read(line(with_value(path, text))))
        assert row.conversation.status == "unrecognized"


def test_chunks_that_are_none_are_left_out_and_named():
    chunks = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Here, "}}},
        5,
        "[DONE]",
        None,
        ["x"],
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "{1}."}}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    row = only_row(read(line(with_value("output.outputBodyJson", chunks))))
    assert said(row) == ("Where is 1?", "Here, {1}.")
    assert details(row) == ["wrong_type:output.outputBodyJson[]"]


def test_a_stream_as_a_string_is_a_stream():
    chunks = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Here, {1}."}}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    value = with_value("output.outputBodyJson", json.dumps(json.dumps(chunks)))
    assert_untouched(only_row(read(line(value))), 1)


def test_converting_anything_raises_nothing_but_the_finding():
    decoder = record_decoder()
    for value in (None, 5, "x", [], [{}], True, {}, {"input": 5}, {"input": {"inputBodyJson": [[]]}}):
        with pytest.raises(NotARecord):
            decoder.convert(value)


def test_findings_never_hold_what_was_read():
    for text in itertools.chain(
        [b"secret", b'{"secret": 1}'], [line(with_value("modelId", {"secret": "secret"}))]
    ):
        for value in read(text, "x.json"):
            said_of_it = value.reason if isinstance(value, Quarantined) else " ".join(details(value))
            assert "secret" not in said_of_it
