"""Every way the bytes of good records arrive gives the same records."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable

import pytest

from logminer import inflating
from logminer.conversations import record_decoder
from logminer.framing import ReadRecord, read_values

from .logs import (
    assert_untouched,
    line,
    lines,
    only_row,
    outcomes,
    read,
    read_file,
    reading,
    record,
    said,
)

RECORDS = [record(number) for number in range(4)]
ONE_LINE_EACH = lines(*RECORDS)
BOM = b"\xef\xbb\xbf"


def pretty(indent: int) -> bytes:
    return b"".join(json.dumps(value, indent=indent).encode() + b"\n" for value in RECORDS)


def stamped(stamp: str) -> bytes:
    return b"".join(stamp.encode() + b" " + line(value) + b"\n" for value in RECORDS)


def stringified(levels: int) -> bytes:
    """Records whose bodies are JSON strings, which may hold JSON strings again."""
    values = []
    for value in json.loads(json.dumps(RECORDS)):
        for side, body in (("input", "inputBodyJson"), ("output", "outputBodyJson")):
            for _ in range(levels):
                value[side][body] = json.dumps(value[side][body])
        values.append(value)
    return lines(*values)


def events(*values: object) -> list[dict[str, object]]:
    """Log events around records, as `filter-log-events` gives them."""
    return [
        {
            "logStreamName": "aws/bedrock/modelinvocations",
            "timestamp": 1780473600000 + number,
            "message": json.dumps(value),
            "ingestionTime": 1780473600500,
            "eventId": f"{number:056}",
        }
        for number, value in enumerate(values)
    ]


def delivery(*values: object) -> bytes:
    """What a subscription filter delivers."""
    log_events = [
        {"id": f"{number:056}", "timestamp": 1780473600000, "message": json.dumps(value)}
        for number, value in enumerate(values)
    ]
    return json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "bedrock",
            "logStream": "aws/bedrock/modelinvocations",
            "subscriptionFilters": ["all"],
            "logEvents": log_events,
        }
    ).encode()


CONTROL = json.dumps(
    {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health."}],
    }
).encode()


def mixture() -> bytes:
    first, second, third, fourth = RECORDS
    return b"".join(
        (
            BOM + line(first) + b"\r\n\r\n",
            json.dumps(second, indent=2).encode() + b" ",
            b"[" + line(third) + b"\n,\n",
            b"2026-06-03T08:00:00.000Z " + line(fourth) + b"]",
        )
    )


ARRIVALS: dict[str, bytes] = {
    "lines": ONE_LINE_EACH,
    "no final newline": ONE_LINE_EACH.rstrip(),
    "gzip": gzip.compress(ONE_LINE_EACH),
    "several gzip members": b"".join(gzip.compress(lines(value)) for value in RECORDS),
    "members cut inside records": b"".join(
        gzip.compress(ONE_LINE_EACH[at : at + 500]) for at in range(0, len(ONE_LINE_EACH), 500)
    ),
    "empty gzip member": gzip.compress(b"") + gzip.compress(ONE_LINE_EACH) + gzip.compress(b""),
    "zero padding": gzip.compress(lines(*RECORDS[:2]))
    + bytes(700)
    + gzip.compress(lines(*RECORDS[2:]))
    + bytes(9),
    "uncompressed deflate": gzip.compress(ONE_LINE_EACH, compresslevel=0),
    "CRLF": ONE_LINE_EACH.replace(b"\n", b"\r\n"),
    "BOM": BOM + ONE_LINE_EACH,
    "BOM in gzip": gzip.compress(BOM + ONE_LINE_EACH),
    "BOM before each": b"".join(BOM + line(value) + b"\n" for value in RECORDS),
    "blank lines": b"\n \n\t\r\n" + ONE_LINE_EACH.replace(b"\n", b"\n\n   \n") + b"\n\n",
    "white space around": b"".join(b"  \t" + line(value) + b" \r\n" for value in RECORDS),
    "pretty": pretty(2),
    "pretty without indentation": pretty(0),
    "pretty, CRLF": pretty(4).replace(b"\n", b"\r\n"),
    "pretty, gzip": gzip.compress(pretty(1)),
    "pretty, nothing between": pretty(2).replace(b"}\n{", b"}{").rstrip(),
    "concatenated": b"".join(line(value) for value in RECORDS),
    "concatenated, spaces between": b"  ".join(line(value) for value in RECORDS),
    "two on a line": b"\n".join(line(RECORDS[at]) + line(RECORDS[at + 1]) for at in (0, 2)),
    "array on one line": json.dumps(RECORDS).encode(),
    "array on one line, gzip": gzip.compress(json.dumps(RECORDS).encode()),
    "array over lines": b"[\n" + b",\n".join(line(value) for value in RECORDS) + b"\n]\n",
    "array, comma first": b"[" + b"\n,".join(line(value) for value in RECORDS) + b"]",
    "array, pretty": json.dumps(RECORDS, indent=2).encode(),
    "array, pretty, no indentation": json.dumps(RECORDS, indent=0).encode(),
    "array in an array": json.dumps([RECORDS[:1], RECORDS[1:]]).encode(),
    "several arrays": json.dumps(RECORDS[:2]).encode() + b"\n" + json.dumps(RECORDS[2:]).encode(),
    "no array at its beginning": b",\n".join(line(value) for value in RECORDS) + b"]",
    "CloudWatch export": stamped("2026-10-05T10:00:00.000Z"),
    "CloudWatch export, no fraction": stamped("2026-10-05T10:00:00Z"),
    "CloudWatch export, epoch": stamped("1780473600000"),
    "CloudWatch export, gzip": gzip.compress(stamped("2026-10-05T10:00:00.000Z")),
    "CloudWatch export, BOM": BOM + stamped("2026-10-05T10:00:00.000Z"),
    "CloudWatch export, pretty": b"".join(
        b"2026-10-05T10:00:00.000Z " + json.dumps(value, indent=2).encode() + b"\n" for value in RECORDS
    ),
    "filter-log-events": json.dumps({"events": events(*RECORDS), "searchedLogStreams": []}).encode(),
    "filter-log-events, pretty": json.dumps({"events": events(*RECORDS)}, indent=4).encode(),
    "get-log-events": json.dumps({"events": events(*RECORDS), "nextForwardToken": "f/1"}).encode(),
    "pages of events": b"\n".join(json.dumps({"events": events(value)}).encode() for value in RECORDS),
    "subscription": gzip.compress(delivery(*RECORDS)),
    "Firehose": CONTROL + delivery(*RECORDS[:3]) + delivery(RECORDS[3]) + CONTROL,
    "Firehose, gzip members": b"".join(
        gzip.compress(part) for part in (CONTROL, delivery(*RECORDS[:1]), delivery(*RECORDS[1:]))
    ),
    "bodies are strings": stringified(1),
    "bodies are strings of strings": stringified(3),
    "a mixture": mixture(),
    "a mixture, gzip": gzip.compress(mixture()),
}


@pytest.mark.parametrize("data", ARRIVALS.values(), ids=ARRIVALS.keys())
def test_every_arrival_gives_all_records(data, tmp_path):
    found = read_file(tmp_path, data)
    assert len(found) == len(RECORDS)
    for number, value in enumerate(found):
        assert_untouched(value, number)


def test_a_bad_event_costs_itself_alone():
    good = events(RECORDS[0], RECORDS[1])
    bad = [{"message": "START RequestId: 1"}, {"timestamp": 1}, {"message": 7}, "text"]
    data = json.dumps({"events": [good[0], *bad, good[1]]}).encode()
    assert _ids(data) == [
        RECORDS[0]["requestId"],
        "invalid_json",
        "not_a_record",
        "not_a_record",
        "not_an_object",
        RECORDS[1]["requestId"],
    ]


def test_positions_count_events():
    data = delivery(*RECORDS[:2]) + CONTROL + delivery(*RECORDS[2:])
    assert [value.position for value in read_values(io.BytesIO(data), record_decoder())] == [0, 1, 2, 3]


def _ids(data: bytes) -> list[str | None]:
    values = read_values(io.BytesIO(data), record_decoder())
    return [
        value.decoded.record.request_id if isinstance(value, ReadRecord) else value.reason for value in values
    ]


@pytest.mark.parametrize("data", ARRIVALS.values(), ids=ARRIVALS.keys())
def test_borders_of_reads_and_pieces_change_nothing(data, monkeypatch):
    expected = _ids(data)
    for size in (1, 2, 3, 7, 64, 500):
        monkeypatch.setattr(inflating, "_READ_BYTES", size)
        monkeypatch.setattr(inflating, "_INFLATE_BYTES", size)
        assert _ids(data) == expected


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_border_at_every_byte_changes_nothing(pack: Callable[[bytes], bytes], monkeypatch):
    small = {"requestId": "a", "timestamp": "2026-06-03T08:00:00Z"}
    data = pack(
        BOM + lines(small, b'{"requestId":', b"oops", {**small, "requestId": "b"}, b"[1,", small)[:-1]
    )
    expected = _ids(data)
    assert expected == ["a", "cut_off", "b", "not_an_object", "a"]
    for size in range(1, len(data) + 1):
        monkeypatch.setattr(inflating, "_READ_BYTES", size)
        assert _ids(data) == expected


def test_short_reads_are_no_end_of_the_object():
    data = gzip.compress(ONE_LINE_EACH)
    values = list(read_values(reading(data, 1), record_decoder()))
    assert [type(value) for value in values] == [ReadRecord] * len(RECORDS)


def test_a_record_keeps_the_text_it_was_read_from():
    (value,) = read_values(io.BytesIO(b" [" + line(RECORDS[0]) + b"]"), record_decoder())
    assert isinstance(value, ReadRecord)
    assert value.text == line(RECORDS[0])


def test_objects_without_values_give_nothing():
    for data in (b"", b"\n \r\n", gzip.compress(b""), gzip.compress(b"\n\n"), b"[]", b"[\n]\n", BOM):
        assert read(data) == []


def test_positions_are_ordinals_of_values_whatever_they_are():
    good = RECORDS[0]
    data = lines(b"nonsense", good, [1, 2], b"{}", b"", good, {"foo": 1}, b"null", good, b'{"cut": ')
    assert outcomes(read(data)) == [
        "invalid_json",
        "request-0",
        "not_an_object",
        "not_a_record",
        "request-0",
        "not_a_record",
        "not_an_object",
        "request-0",
        "cut_off",
    ]


def test_fast_and_slow_path_give_the_same_positions():
    slow = record(1, accountId=5)
    values = [RECORDS[0], slow, b"{}", RECORDS[2], slow, b"3", RECORDS[3]]
    as_lines = read(lines(*values))
    as_array = read(b"[" + b",".join(line(value) for value in values) + b"]")
    assert outcomes(as_lines) == outcomes(as_array)


def test_a_large_line_is_read():
    text = "A question. " * ((30 << 20) // 12)
    large = record(1)
    large["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = text
    found = read(gzip.compress(lines(RECORDS[0], large, RECORDS[2]), compresslevel=1))
    assert outcomes(found) == ["request-0", "request-1", "request-2"]
    assert said(only_row(found[1:2]))[0] == text


def test_records_of_one_long_line_take_no_square_of_its_length():
    values = [{"requestId": str(number), "x": "y" * 200} for number in range(20_000)]
    assert len(_ids(json.dumps(values).encode())) == len(values)
