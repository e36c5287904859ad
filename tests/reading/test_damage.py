"""Damage costs the record it hits, or the rest of the object; it is named, and the neighbours are all there."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest

from logminer import framing, inflating, records
from logminer.framing import Quarantined

from .logs import assert_untouched, line, lines, outcomes, read, read_file, record

GOOD = [record(number) for number in range(6)]
CUT_IN_STRING = line(record(9))[:200]
CUT_BETWEEN = line(record(9)).partition(b'"input"')[0]
DEEP = 100_000

# What stands on a line of its own between good lines, and the reasons it is quarantined for.
BAD_LINES: dict[str, tuple[bytes, list[str]]] = {
    "prose": (b"this is no JSON", ["invalid_json"]),
    "prose with a brace": (b"this is {no JSON", ["invalid_json"]),
    "binary": (bytes(range(11, 256)), ["invalid_utf8"]),
    "cut in a string": (CUT_IN_STRING, ["cut_off"]),
    "cut between values": (CUT_BETWEEN, ["cut_off"]),
    "cut twice": (CUT_BETWEEN + b"\n" + CUT_BETWEEN, ["cut_off"]),
    "cut twice otherwise": (CUT_BETWEEN + b"\n" + CUT_IN_STRING, ["cut_off"]),
    "cut, then prose": (CUT_BETWEEN + b"\noops", ["cut_off"]),
    "head missing": (line(record(9))[300:], ["invalid_json"]),
    "brace too many": (line(record(9)) + b"}", ["request-9", "invalid_json"]),
    "brace missing": (line(record(9))[:-1], ["cut_off"]),
    "comma missing": (line(record(9)).replace(b", ", b" "), ["invalid_json"]),
    "comma too many": (line(record(9))[:-1] + b",}", ["invalid_json"]),
    "NaN": (line(record(9, accountId=float("nan"))), ["invalid_json"]),
    "Infinity": (line(record(9, accountId=float("-inf"))), ["invalid_json"]),
    "raw NUL in a string": (line(record(9)).replace(b"Where", b"Whe\0re"), ["invalid_json"]),
    "raw NULs": (bytes(40), ["invalid_json"]),
    "raw tab in a string": (line(record(9)).replace(b"Where", b"Whe\tre"), ["invalid_json"]),
    "invalid UTF-8 in a text": (line(record(9)).replace(b"Where", b"Whe\xffre"), ["invalid_utf8"]),
    "surrogate as UTF-8": (line(record(9)).replace(b"Where", b"Whe\xed\xa0\x80re"), ["invalid_utf8"]),
    "invalid UTF-8 in an envelope field": (
        line(record(9)).replace(b"us-west", b"us\xfewest"),
        ["invalid_utf8"],
    ),
    "invalid UTF-8 in prose": (b"caf\xe9", ["invalid_utf8"]),
    "number": (b"17", ["not_an_object"]),
    "text": (b'"{}"', ["not_an_object"]),
    "null": (b"null", ["not_an_object"]),
    "list": (b'[1, "a", null, [true]]', ["not_an_object"]),
    "empty object": (b"{}", ["not_a_record"]),
    "foreign object": (b'{"eventVersion": "1.08", "eventName": "InvokeModel"}', ["not_a_record"]),
    "empty sides": (b'{"input": {}, "output": {"foo": 1}}', ["not_a_record"]),
    "offloaded body": (line(record(9)["output"]["outputBodyJson"]), ["not_a_record"]),
    "deep lists": (b"[" * DEEP + b"]" * DEEP, []),
    "deep lists around a number": (b"[" * DEEP + b"1" + b"]" * DEEP, ["not_an_object"]),
    "deep open lists": (b"[" * DEEP, []),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, ["too_deep"]),
    "deep open objects": (b'{"a":' * DEEP, ["cut_off"]),
    "deep envelope": (line(record(9))[:-1] + b', "x": ' + b"[" * DEEP + b"]" * DEEP + b"}", ["too_deep"]),
    "deep list in an array": (b"[" + b"[" * DEEP + b'{"a":1}' + b"]" * DEEP + b"]", ["not_a_record"]),
    "quotes that do not end": (b'"' * 99_999, ["invalid_json"]),
    "many open lists of spaces": (b"[ " * 50_000 + b"x", ["invalid_json"]),
    "backslashes": (b'{"a": "' + b"\\" * 99_999, ["cut_off"]),
}


@pytest.mark.parametrize(("bad", "reasons"), BAD_LINES.values(), ids=BAD_LINES.keys())
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_bad_line_costs_itself_alone(bad, reasons, place):
    found = read(lines(*GOOD[:place], bad, *GOOD[place:]))
    ids = [good["requestId"] for good in GOOD]
    assert outcomes(found) == [*ids[:place], *reasons, *ids[place:]]
    rows = [value for value in found if not isinstance(value, Quarantined)]
    for row in rows:
        if row.record.request_id != "request-9":
            assert_untouched(row, int(str(row.record.request_id).removeprefix("request-")))


@pytest.mark.parametrize(("bad", "reasons"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_among_pretty_objects_costs_itself_alone(bad, reasons):
    first, second = (json.dumps(good, indent=2).encode() for good in GOOD[:2])
    assert outcomes(read(first + b"\n" + bad + b"\n" + second + b"\n")) == [
        "request-0",
        *reasons,
        "request-1",
    ]


@pytest.mark.parametrize("indent", [1, 2, 4])
@pytest.mark.parametrize("array", [False, True])
def test_pretty_objects_that_are_cut_anywhere_cost_themselves_alone(indent, array):
    """The first object ends in the middle of any of its lines; the next begins on a new one."""
    text = json.dumps(GOOD[:3] if array else GOOD[0], indent=indent)
    first = json.dumps([GOOD[0]], indent=indent)[:-1] if array else text
    rest = text[len(first) :] if array else "\n".join(json.dumps(good, indent=indent) for good in GOOD[1:3])
    rest = rest.lstrip(",\n") if array else rest
    for end in range(3 * indent + 3, len(first) - 3, 7):
        found = outcomes(read(f"{first[:end]}\n{rest}\n".encode()))
        assert [each for each in found if each in ("request-1", "request-2")] == ["request-1", "request-2"], (
            end
        )
        assert "request-0" not in found
        assert found.count("cut_off") + found.count("invalid_json") >= 1


@pytest.mark.parametrize("bad", ['{"a": [', ' {\n"a', '{"a":\n"b', "{{{"])
def test_damage_further_out_than_its_neighbours_loses_none(bad):
    first, second, third = (json.dumps(good, indent=2).replace("\n", "\n  ") for good in GOOD[:3])
    found = outcomes(read(f"[\n  {first},\n{bad}\n  {second},\n  {third}\n]".encode()))
    assert found == ["request-0", "cut_off", "request-1", "request-2"]


def test_one_cut_pretty_object_is_one_finding():
    first = json.dumps(GOOD[0], indent=2).partition('"timestamp"')[0]
    second = json.dumps(GOOD[1], indent=2)
    for rest in (second, second.replace("\n", "\r\n"), f"2026-06-03T08:00:00Z {second}", json.dumps(GOOD[1])):
        assert outcomes(read(f"{first}\n{rest}\n".encode())) == ["cut_off", "request-1"]


def test_a_broken_line_inside_a_pretty_object_costs_that_object_once():
    broken = json.dumps(GOOD[0], indent=2).replace('"operation": "Converse"', '"operation": "Conv')
    good = json.dumps(GOOD[1], indent=2)
    assert outcomes(read(f"{broken}\n{good}\n{broken}\n{line(GOOD[2]).decode()}".encode())) == [
        "cut_off",
        "request-1",
        "cut_off",
        "request-2",
    ]


def test_what_looks_like_a_record_inside_a_good_one_is_content():
    """A caller can send a log record as the input of a tool; in a pretty-printed log it stands on its own lines."""
    outer = record(0)
    fake = record(1)
    outer["input"]["inputBodyJson"]["messages"].append(
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "n", "input": fake}}]}
    )
    for indent in (1, 2, 4):
        assert outcomes(read(json.dumps([outer, GOOD[2]], indent=indent).encode())) == [
            "request-0",
            "request-2",
        ]


def test_a_small_object_on_a_line_of_a_pretty_one_is_content():
    """Some writers put what is short on one line; only what looks like a whole record ends the one around it."""
    content = [{"json": {"operation": "refund", "input": {"inputTokenCount": 5}, "timestamp": "yesterday"}}]
    outer = record(0)
    outer["input"]["inputBodyJson"]["messages"][0]["content"].append(
        {"toolResult": {"toolUseId": "t", "content": ["MARK"]}}
    )
    text = json.dumps(outer, indent=2).replace('"MARK"', json.dumps(content[0]["json"]))
    assert outcomes(read(f"{text}\n{json.dumps(GOOD[1], indent=2)}".encode())) == ["request-0", "request-1"]


def test_records_inside_a_foreign_object_that_does_not_end_are_read():
    data = b'{"records": [\n' + b",\n".join(b"  " + line(good) for good in GOOD[:2])
    assert outcomes(read(data)) == ["cut_off", "request-0", "request-1"]


# --- gzip ---------------------------------------------------------------------------------------------------


def noisy_records(count: int) -> list[bytes]:
    """Records that do not compress well, so that damage hits few of them."""
    found = []
    for number in range(count):
        value = record(number)
        value["noise"] = "".join(
            f"{zlib.crc32(bytes([n, number % 256, number // 256])):08x}" for n in range(60)
        )
        found.append(line(value))
    return found


def test_members_before_a_damaged_one_are_read_and_so_is_its_beginning(tmp_path):
    good = gzip.compress(lines(*GOOD))
    noisy = noisy_records(400)
    second = bytearray(gzip.compress(lines(*noisy)))
    second[len(second) // 2 : len(second) // 2 + 60] = bytes(60)
    found = outcomes(read_file(tmp_path, good + bytes(second)))
    ids = [f"request-{number}" for number in range(400)]
    assert found[:6] == ids[:6]
    assert found[-1] == "gzip_damaged"
    assert found[6 : 6 + 150] == ids[:150]


def test_a_wrong_checksum_loses_no_record():
    for at in (-8, -1):
        data = bytearray(gzip.compress(lines(*GOOD)))
        data[at] ^= 1
        assert outcomes(read(bytes(data))) == [*(good["requestId"] for good in GOOD), "gzip_damaged"]


@pytest.mark.parametrize("kept", [1, 5, 8, 10, 17])
def test_a_truncated_member_loses_what_is_missing(kept):
    noisy = noisy_records(20)
    data = gzip.compress(lines(*noisy))
    found = outcomes(read(data[: len(data) * kept // 18]))
    ids = [f"request-{number}" for number in range(20)]
    records_read = [each for each in found if each.startswith("request")]
    assert found[-1] == "gzip_cut_off"
    assert records_read == ids[: len(records_read)]
    assert len(records_read) >= 20 * (kept - 1) // 18 - 1
    assert found[len(records_read) : -1] in ([], ["cut_off"])


def test_a_whole_record_before_the_break_needs_no_line_end():
    data = gzip.compress(lines(*GOOD)[:-1])
    assert outcomes(read(data[:-8]))[-2:] == ["request-5", "gzip_cut_off"]


def test_a_lone_gzip_header_is_cut_off():
    assert outcomes(read(b"\x1f\x8b")) == ["gzip_cut_off"]
    assert outcomes(read(gzip.compress(lines(GOOD[0])) + b"\x1f")) == ["request-0", "gzip_cut_off"]


@pytest.mark.parametrize("garbage", [b"garbage", b"{}", b"\0\0x", b"\x1f\x8c"])
def test_trailing_garbage_is_named(garbage):
    found = outcomes(read(gzip.compress(lines(*GOOD)) + garbage))
    assert found == [*(good["requestId"] for good in GOOD), "gzip_trailing_garbage"]


def test_a_gzip_bomb_is_given_up(monkeypatch):
    monkeypatch.setattr(inflating, "_RATIO_COUNTS_FROM_BYTES", 1 << 20)
    bomb = gzip.compress(lines(GOOD[0]) + b" " * (40 << 20))
    found = outcomes(read(bomb))
    assert found[0] == "request-0"
    assert found[-1] == "gzip_bomb"


def test_a_high_ratio_alone_is_no_bomb():
    data = gzip.compress(lines(GOOD[0]) + b"\n" * (4 << 20) + lines(GOOD[1]))
    assert outcomes(read(data)) == ["request-0", "request-1"]


# --- limits -------------------------------------------------------------------------------------------------


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(framing, "MAX_VALUE_BYTES", 3_000)
    return 3_000


LARGE = record(9)
LARGE["output"]["outputBodyJson"]["output"]["message"]["content"][0]["text"] = "x" * 5_000


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("size", [1, 100, 2_999, 3_001, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_line_over_the_limit_costs_itself_alone(size, pack, monkeypatch):
    monkeypatch.setattr(inflating, "_READ_BYTES", size)
    monkeypatch.setattr(inflating, "_INFLATE_BYTES", size)
    for many in (
        lines(GOOD[0], LARGE, GOOD[1], LARGE, LARGE, GOOD[2]),
        lines(GOOD[0], LARGE, GOOD[1], LARGE)[:-1],
    ):
        found = outcomes(read(pack(many)))
        assert found[:4] == ["request-0", "too_large", "request-1", "too_large"]
        assert found[4:] in ([], ["too_large", "request-2"])


@pytest.mark.usefixtures("small_limit")
def test_a_line_at_the_limit_is_read():
    exact = record(1)
    exact["noise"] = "x" * (3_000 - len(line(exact)) - len(', "noise": ""'))
    assert len(line(exact)) == 3_000
    assert outcomes(read(lines(exact, line(exact) + b" ", GOOD[2]))) == [
        "request-1",
        "too_large",
        "request-2",
    ]


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("large", [LARGE, record(9, noise=["y" * 100] * 100)], ids=["one line", "many lines"])
def test_a_value_over_lines_over_the_limit_costs_itself_alone(large):
    pretty = json.dumps(large, indent=2).encode() + b"\n"
    for rest in (lines(GOOD[1]), pretty + lines(GOOD[1]), json.dumps(GOOD[1], indent=2).encode()):
        found = outcomes(read(lines(GOOD[0]) + pretty + rest))
        assert found in (["request-0", *["too_large"] * count, "request-1"] for count in (1, 2))


@pytest.mark.usefixtures("small_limit")
def test_a_cut_off_value_before_a_line_over_the_limit_is_one_of_its_own():
    assert outcomes(read(lines(CUT_BETWEEN, LARGE, GOOD[1]))) == ["cut_off", "too_large", "request-1"]


@pytest.mark.usefixtures("small_limit")
def test_damage_inside_a_line_over_the_limit_is_found():
    data = gzip.compress(lines(GOOD[0], b"x" * 50_000))[:-9]
    assert outcomes(read(data)) == ["request-0", "too_large", "gzip_cut_off"]


def test_what_only_the_tolerant_parser_reads_has_a_smaller_limit(monkeypatch):
    monkeypatch.setattr(records, "MAX_TOLERANT_BYTES", 2_000)
    slow = {**LARGE, "accountId": 5}
    assert outcomes(read(lines(LARGE, slow, GOOD[0]))) == ["request-9", "too_large", "request-0"]


def test_an_open_object_does_not_fill_the_memory_with_blank_lines():
    data = gzip.compress(b'{"a":\n' + b"\n" * (4 << 20) + b" \n" * (1 << 16))
    tracemalloc.start()
    found = outcomes(read(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["cut_off"]
    assert peak < 60 << 20


def test_raw_bytes_are_kept_up_to_64_kib():
    long = b"no JSON " * 100_000
    (found,) = read(long)
    assert isinstance(found, Quarantined)
    assert found.raw == long[: 64 << 10]
    (found,) = read(lines(CUT_BETWEEN))
    assert found.raw == CUT_BETWEEN.rstrip()


@pytest.mark.parametrize("where", ["tools", "tool input", "trace"])
def test_invalid_utf8_in_what_is_only_passed_on_costs_that_record(where):
    value = record(1)
    body, answer = value["input"]["inputBodyJson"], value["output"]["outputBodyJson"]
    if where == "tools":
        body["toolConfig"] = {"tools": [{"toolSpec": {"name": "MARK"}}]}
    elif where == "tool input":
        call = {"toolUse": {"toolUseId": "t", "name": "n", "input": {"a": "MARK"}}}
        body["messages"][0]["content"].append(call)
    else:
        answer["trace"] = {"action": "ANONYMIZED", "text": "MARK"}
    bad = line(value).replace(b"MARK", b"caf\xe9")
    found = read(lines(GOOD[0], bad, GOOD[2]))
    assert outcomes(found) == ["request-0", "invalid_utf8", "request-2"]
    assert found[1].raw == bad


def test_invalid_utf8_in_what_nobody_reads_costs_nothing():
    bad = line({**record(1), "newField": {"MARK": "MARK"}}).replace(b"MARK", b"caf\xe9")
    found = read(lines(GOOD[0], bad))
    assert outcomes(found) == ["request-0", "request-1"]
    assert_untouched(found[1], 1)


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 1_000, 5_000, DEEP])
def test_nesting_of_any_depth_inside_a_body_costs_that_record_at_most(depth):
    nested = b"[" * depth + b"]" * depth
    value = record(1)
    value["input"]["inputBodyJson"]["toolConfig"] = {"tools": "MARK"}
    value["input"]["inputBodyJson"]["other"] = "MARK"
    result = {"toolResult": {"toolUseId": "t", "content": [{"json": {"a": "MARK"}}]}}
    value["input"]["inputBodyJson"]["messages"].append({"role": "user", "content": [result]})
    found = outcomes(read(lines(GOOD[0], line(value).replace(b'"MARK"', nested), GOOD[2])))
    assert found[0] == "request-0"
    assert found[1] in (("request-1",) if depth <= 100 else ("request-1", "too_deep"))
    assert found[2] == "request-2"
