"""`--fix`: what is mended, that texts stay, and that what is written is what the report is about."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer.errors import CheckFailed, LogminerError, UsageError
from logminer.validation import Allowance, Report, resolve_profile, validate_file
from logminer.validation.mending import MENDS
from logminer.validation.running import fix_source

from .datasets import VERSION, conversation
from .test_validation_properties import lines as odd_lines

GOOD = conversation("What?", "That.")


def fix(data: bytes, folder: Path, profile: str = "distill-single") -> tuple[bytes, Report]:
    (folder / "in.jsonl").write_bytes(data)
    output = folder / "out.jsonl"
    allowance = Allowance(min_lines=0)
    report = fix_source(str(folder / "in.jsonl"), str(output), resolve_profile(profile), allowance)
    return output.read_bytes(), report


def line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name != key}


@pytest.mark.parametrize(
    ("given", "mended", "mends"),
    [
        (b"\xef\xbb\xbf" + line(GOOD), line(GOOD), {"byte_order_mark": 1}),
        (line(conversation("a")) + b"\xef\xbb\xbf" + line(GOOD), line(conversation("a")) + line(GOOD), {"byte_order_mark": 1}),
        (line(GOOD)[:-1] + b"\r\n", line(GOOD), {"line_ends": 1}),
        (line(GOOD)[:-1], line(GOOD), {"line_ends": 1}),
        (b"\n \t\n" + line(GOOD) + b"\r\n", line(GOOD), {"line_ends": 1, "blank_lines": 3}),
        (line(GOOD) * 3, line(GOOD), {"duplicate_lines": 2}),
        (line(GOOD).replace(b",", b",\r", 1), line(GOOD), {"line_breaks": 1}),
        (line({**GOOD, "system": []}), line(GOOD), {"empty_system": 1}),
        (line({**GOOD, "system": None}), line(GOOD), {"empty_system": 1}),
        (line(without(GOOD, "schemaVersion")), line(GOOD), {"schema_version": 1}),
        (line({**GOOD, "schemaVersion": "bedrock-conversion-2024"}), line(GOOD), {"schema_version": 1}),
        (line({**GOOD, "id": 7, "note": "x"}), line(GOOD), {"unknown_keys": 2}),
        (line(GOOD).replace(b'{"text"', b'{"type":"text","text"'), line(GOOD), {"item_types": 2}),
        (line(GOOD).replace(b'"role":"user"', b'"role":"user","role":"user"'), line(GOOD), {"duplicate_keys": 1}),
    ],
)  # fmt: skip
def test_what_is_mended(given: bytes, mended: bytes, mends: dict[str, int], tmp_path: Path) -> None:
    written, report = fix(given, tmp_path)
    assert written == mended
    assert report.mends == mends
    assert report.ok
    assert report.as_dict()["mends"] == mends


UNTOUCHED = [
    b"{bad",
    b"\xff" + line(GOOD)[:-1],
    line({**GOOD, "tools": [], "id": 1}).replace(b'"id":1', b'"role":NaN')[:-1],
    line({**GOOD, "schemaVersion": "other"})[:-1],
    line({"schemaVersion": VERSION, "prompt": "x"})[:-1],
    line(conversation("", "x"))[:-1],
    line(conversation("User: x", "y"))[:-1],
    line(GOOD).replace(b'"role":"user"', b'"role":"user","role":"assistant"')[:-1],
    line({**GOOD, "system": [{"text": "a"}, {"text": "b"}]})[:-1],
    line(GOOD).replace(b"What?", b"\\ud800")[:-1],
    b"[" * 100_000,
    line({**GOOD, "toolConfig": {}})[:-1],
]


@pytest.mark.parametrize("given", UNTOUCHED)
def test_what_needs_guessing_stays_byte_for_byte_and_is_reported(given: bytes, tmp_path: Path) -> None:
    written, report = fix(given + b"\n", tmp_path)
    assert written == given + b"\n"
    assert report.mends == {}
    assert report.errors + report.warnings > 0


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    value = (
        b'{"recordId":"r","modelInput":{"a":1.10,"b":123456789012345678901234567890,"c":1E5},"note":0.50}\n'
    )
    written, report = fix(value, tmp_path, "batch")
    assert written == value.replace(b',"note":0.50', b"")
    assert report.mends == {"unknown_keys": 1}


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    written, report = fix(gzip.compress(line(GOOD)), tmp_path)
    assert (written, report.mends, report.ok) == (line(GOOD), {"unpacked": 1}, True)


def test_a_file_is_replaced_by_itself_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n" + line(GOOD))
    report = fix_source(str(path), str(path), resolve_profile("distill-single"), Allowance(min_lines=0))
    assert (path.read_bytes(), report.ok) == (line(GOOD), True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["set.jsonl"]


@pytest.mark.parametrize(
    ("content", "output", "error", "message"),
    [
        (gzip.compress(line(GOOD) * 500)[:-9], "out.jsonl", CheckFailed, "so nothing is written"),
        ("{}".encode("utf-16"), "out.jsonl", CheckFailed, "so nothing is written"),
        (b"{}", "out.json", UsageError, "does not end in .jsonl"),
        (b"{}", "nowhere/out.jsonl", UsageError, "the folder does not exist"),
    ],
)
def test_nothing_is_written(
    content: bytes, output: str, error: type[LogminerError], message: str, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(content)
    with pytest.raises(error, match=message):
        fix_source(str(source), str(tmp_path / output), resolve_profile("distill-single"), Allowance())
    assert [each.name for each in tmp_path.iterdir()] == ["in.jsonl"]


def all_texts(data: bytes) -> list[str]:
    """The texts of the conversations in a file, as far as its lines are such."""
    found = []
    for each in data.splitlines():
        value = json.loads(each)
        found += [item["text"] for message in value["messages"] for item in message["content"]]
    return found


texts = st.text(st.characters(codec="utf-8"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=4, unique_by=tuple))
@example(rows=[["\u2028", "\x85"], ["\ufeff"]])
def test_texts_never_change(rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    given = [
        json.dumps(without(conversation(*row), "schemaVersion") | {"id": number, "system": []}).encode()
        for number, row in enumerate(rows)
    ]
    folder = tmp_path_factory.mktemp("texts")
    written, _ = fix(b"\xef\xbb\xbf" + b"\r\n\r\n".join(given), folder)
    assert all_texts(written) == [text for row in rows for text in row]


@settings(max_examples=60, deadline=None)
@given(
    content=st.lists(odd_lines() | st.binary(max_size=20), max_size=4),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_mending_again_changes_nothing_and_the_report_is_true(
    content: list[bytes], end: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    profile = resolve_profile("distill-single")
    try:
        once, report = fix(end.join(content), folder)
    except CheckFailed:
        return
    fresh = validate_file(folder / "out.jsonl", profile, Allowance(min_lines=0))
    assert fresh.counts == report.counts
    assert report.mends is not None
    assert report.mends.keys() <= MENDS.keys()
    again, second = fix(once, folder)
    assert (again, second.mends) == (once, {})
