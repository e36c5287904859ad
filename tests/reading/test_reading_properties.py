"""Random bytes and random mutations of real records: never an exception, never a lost neighbour."""

from __future__ import annotations

import functools
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer import inflating
from logminer.conversations import conversation_of, record_decoder
from logminer.framing import Quarantined, ReadRecord, read_values
from logminer.inflating import inflate
from logminer.json_text import tolerant_decoder
from logminer.lenient import Faults, convert_leniently
from logminer.records import NotARecord, parse_tolerantly
from logminer.store.rows import Row

from .logs import assert_untouched, line, lines, read, record, sample_lines


@functools.cache
def samples() -> list[bytes]:
    """Real lines of all kinds that are no longer than 20 KB, without those that are planted as broken."""
    found = []
    for text in sample_lines():
        try:
            record_decoder().decode(text)
        except NotARecord:
            continue
        if len(text) <= 20_000:
            found.append(text)
    return found


GOOD = [record(number) for number in range(4)]
PRETTY = [json.dumps(good, indent=2).encode() for good in GOOD]
# What structure is made of, beside bytes of any kind.
TOKENS = st.sampled_from(
    [
        *[
            b"{",
            b"}",
            b"[",
            b"]",
            b'"',
            b"\\",
            b",",
            b":",
            b"\n",
            b"\r\n",
            b" ",
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
        ],
        *[b"\\ud800", b"\\u0000", b"null", b"NaN", b"1e999", b'{"', b'"}', b"}\n{", b"[{", b"}]"],
        *[b"2026-06-03T08:00:00Z ", b"1780473600000 ", b"\x1f\x8b", b'"input":', b'"requestId":"x"'],
    ]
)


def positions_in_order(data: bytes) -> list[Row | Quarantined]:
    return read(data)  # asserts positions and reasons


@given(st.binary(max_size=300) | st.lists(TOKENS, max_size=60).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_random_bytes_never_raise(data):
    positions_in_order(data)
    positions_in_order(gzip.compress(data))
    positions_in_order(b"\x1f\x8b" + data)


@given(st.binary(max_size=200) | st.lists(TOKENS, max_size=40).map(b"".join), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_the_same_whatever_the_borders(data, size):
    whole = list(read_values(io.BytesIO(data), record_decoder()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflating, "_READ_BYTES", size)
        assert list(read_values(io.BytesIO(data), record_decoder())) == whole


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """A text with a few places flipped, cut, doubled, filled in, or spliced with another text."""
    text = bytearray(draw(texts))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(text) - 1)))
        end = min(len(text), at + draw(st.integers(1, 400)))
        kind = draw(st.sampled_from(["flip", "cut", "end", "head", "insert", "double", "splice"]))
        if kind == "flip" and text:
            text[at] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del text[at:end]
        elif kind == "end":
            del text[at:]
        elif kind == "head":
            del text[:at]
        elif kind == "insert":
            text[at:at] = draw(TOKENS | st.binary(min_size=1, max_size=8))
        elif kind == "double":
            text[at:at] = text[at:end]
        else:
            other = draw(texts)
            text[at:] = other[min(at, len(other)) :]
    return bytes(text)


def real_lines() -> st.SearchStrategy[bytes]:
    return st.deferred(lambda: st.sampled_from(samples()))


def assert_neighbours(found: list[Row | Quarantined]) -> None:
    """That all good records are there, in order and untouched."""
    ids = {good["requestId"] for good in GOOD}
    rows = [value for value in found if isinstance(value, Row) and value.record.request_id in ids]
    assert [row.record.request_id for row in rows] == [good["requestId"] for good in GOOD]
    for number, row in enumerate(rows):
        assert_untouched(row, number)


@given(mutated(real_lines()), mutated(real_lines()), st.sampled_from([b"\n", b"\r\n", b"\n\n \n"]))
@settings(max_examples=400, deadline=None)
@example(b'{"a":', b"[", b"\n")
@example(b'{"a": [', b'}}}]"', b"\n")
@example(b'[{"a": "', b"{", b"\n")
def test_mutated_lines_lose_no_neighbour(first, second, between):
    parts = [line(GOOD[0]), first, line(GOOD[1]), line(GOOD[2]), second, line(GOOD[3])]
    assert_neighbours(positions_in_order(between.join(parts)))


@given(
    mutated(real_lines()), st.sampled_from([b"2026-10-05T10:00:00.000Z ", b"1780473600000 ", b"\xef\xbb\xbf"])
)
@settings(max_examples=100, deadline=None)
def test_mutated_lines_lose_no_neighbour_behind_a_stamp(bad, stamp):
    parts = [stamp + text for text in (line(GOOD[0]), bad, line(GOOD[1]), line(GOOD[2]), line(GOOD[3]))]
    assert_neighbours(positions_in_order(gzip.compress(b"\n".join(parts))))


@given(mutated(real_lines()))
@settings(max_examples=100, deadline=None)
def test_mutated_lines_lose_no_neighbour_in_an_array(bad):
    parts = [line(GOOD[0]), bad, line(GOOD[1]), line(GOOD[2]), line(GOOD[3])]
    assert_neighbours(positions_in_order(b"[\n" + b",\n".join(parts) + b"\n]\n"))


@given(mutated(real_lines()))
@settings(max_examples=150, deadline=None)
def test_mutated_lines_lose_no_pretty_neighbour(bad):
    parts = [PRETTY[0], bad, PRETTY[1], PRETTY[2], PRETTY[3]]
    assert_neighbours(positions_in_order(b"\n".join(parts) + b"\n"))


def pretty_lines() -> st.SearchStrategy[bytes]:
    return real_lines().map(lambda text: json.dumps(json.loads(text), indent=2).encode())


@given(mutated(pretty_lines()))
@settings(max_examples=150, deadline=None)
def test_mutated_pretty_objects_lose_no_neighbour(bad):
    parts = [PRETTY[0], bad, PRETTY[1], line(GOOD[2]), PRETTY[3]]
    assert_neighbours(positions_in_order(b"\n".join(parts) + b"\n"))


@given(mutated(pretty_lines()))
@settings(max_examples=150, deadline=None)
def test_mutated_objects_lose_no_neighbour_in_a_pretty_array(bad):
    inner = [text.replace(b"\n", b"\n  ") for text in (PRETTY[0], bad, *PRETTY[1:])]
    assert_neighbours(positions_in_order(b"[\n  " + b",\n  ".join(inner) + b"\n]\n"))


@given(st.integers(0, 3), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_member_leaves_those_before_it_whole(damaged, data):
    members = [gzip.compress(lines(good, record(9))) for good in GOOD]
    members[damaged] = data.draw(mutated(st.just(members[damaged])))
    found = positions_in_order(b"".join(members))
    rows = [value.record.request_id for value in found[: 2 * damaged] if isinstance(value, Row)]
    assert rows == [each for good in GOOD[:damaged] for each in (good["requestId"], "request-9")]
    for number in range(damaged):
        assert_untouched(found[2 * number], number)


@given(st.binary(max_size=3_000), st.integers(1, 50), st.integers(1, 50), st.booleans())
@settings(max_examples=150, deadline=None)
def test_inflating_gives_back_what_was_compressed(content, read_bytes, piece_bytes, zeros):
    half = len(content) // 2
    packed = (
        gzip.compress(content[:half]) + bytes(7 * zeros) + gzip.compress(content[half:]) + bytes(3 * zeros)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflating, "_READ_BYTES", read_bytes)
        patch.setattr(inflating, "_INFLATE_BYTES", piece_bytes)
        assert b"".join(inflate(io.BytesIO(packed))) == content


# --- fast and slow path -------------------------------------------------------------------------------------


def test_both_paths_give_equal_records_for_all_samples():
    decoder = record_decoder()
    for text in samples():
        fast, slow = decoder.decode(text), decoder.convert(parse_tolerantly(text))
        assert slow.details in ((), fast.details)
        assert conversation_of(slow.record) == conversation_of(fast.record)
        assert envelope(slow) == envelope(fast)


def envelope(decoded: Any) -> list[Any]:
    fields = decoded.record.__struct_fields__
    return [getattr(decoded.record, name) for name in fields if name not in ("input", "output")]


@given(
    real_lines(),
    st.sampled_from([b',"x":"\\ud800"}', b',"requestMetadata":{"a":1}}', b',"schemaVersion":[]}']),
)
@settings(max_examples=100, deadline=None)
def test_a_record_that_takes_the_slow_path_is_the_same(text, odd_end):
    row, slow = read(lines(text, text.rstrip()[:-1] + odd_end))
    assert isinstance(row, Row)
    assert isinstance(slow, Row)
    assert slow.conversation == row.conversation
    assert slow.time_us == row.time_us


JSON_NUMBERS = (
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**40), 10**40)
)
JSON_TEXTS = st.text(st.characters(codec=None, exclude_categories=[]), max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | JSON_NUMBERS | JSON_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *[
        "schemaType",
        "timestamp",
        "accountId",
        "identity",
        "requestId",
        "operation",
        "modelId",
        "requestMetadata",
    ],
    *["input", "output", "inputBodyJson", "outputBodyJson", "inputTokenCount", "inputBodyS3Path", "messages"],
    *[
        "content",
        "text",
        "role",
        "system",
        "toolConfig",
        "tools",
        "toolUse",
        "message",
        "stopReason",
        "usage",
    ],
    *["choices", "delta", "results", "completion", "prompt", "generation", "stop_reason", "type", "trace"],
]
LIKE_RECORDS = st.recursive(
    JSON_VALUES,
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=25,
)


@given(LIKE_RECORDS)
@settings(max_examples=400, deadline=None)
def test_converting_any_json_value_raises_nothing_but_the_finding(value):
    plain = tolerant_decoder.decode(json.dumps(value))
    try:
        decoded = record_decoder().convert(plain)
    except NotARecord:
        return
    conversation_of(decoded.record, decoded.details)


@given(
    st.sampled_from(
        [int, str, int | None, float | None, dict[str, str] | None, list[int] | str, list[str | None]]
    ),
    JSON_VALUES,
)
@settings(max_examples=200, deadline=None)
def test_lenient_conversion_gives_the_type_or_none(kind, value):
    faults = Faults()
    converted = convert_leniently(tolerant_decoder.decode(json.dumps(value)), kind, faults, "x")
    if converted is None:
        assert value is None or faults.details() == ("wrong_type:x",)
    else:
        json.dumps(converted).encode("utf-8")
        assert isinstance(converted, int | float | str | dict | list)


@given(st.lists(LIKE_RECORDS, max_size=4), st.sampled_from([None, 1, 2]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_values_leave_their_neighbours_alone(values, indent, ascii_only):
    def text(value: object) -> bytes:
        return json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    parts = [text(GOOD[0]), *map(text, values), text(GOOD[1]), text(GOOD[2]), text(GOOD[3])]
    assert_neighbours(positions_in_order(b"\n".join(parts)))


def test_the_samples_are_many():
    assert len(samples()) > 300
    values = list(read_values(io.BytesIO(b"\n".join(samples())), record_decoder()))
    assert all(isinstance(value, ReadRecord) for value in values)
    assert len(values) == len(samples())
