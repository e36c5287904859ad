"""Whole files: how their bytes arrive, how many lines they have, and files that can't be read."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from logminer.errors import ConfigurationError, LogminerError, StorageError, UsageError
from logminer.validation import (
    Allowance,
    Bounds,
    all_profiles,
    check_line,
    checking,
    dataset_files,
    report_lines,
    resolve_profile,
    validate_file,
)

from .datasets import broken_rules, conversation, lines_of, validate

SINGLE, NOVA, AWS = (all_profiles()[name] for name in ("distill-single", "distill-nova", "aws-script"))


@pytest.mark.parametrize(
    ("count", "profile", "rules"),
    [
        (99, SINGLE, {"too_few_lines": 1}),
        (100, SINGLE, {}),
        (15_000, NOVA, {}),
        (15_001, NOVA, {"too_many_lines": 1}),
        (0, SINGLE, {"empty_file": 1}),
        (0, AWS, {"too_few_lines": 1}),
        (99, AWS, {"too_few_lines": 1}),
        (15_001, AWS, {}),
    ],
)
def test_number_of_lines(count: int, profile: Any, rules: dict[str, int]) -> None:
    report = validate(lines_of(count), profile, min_lines=None)
    assert (report.counts, report.ok, report.valid) == (rules, not rules, count)


def test_few_lines_may_be_allowed_and_bounds_given() -> None:
    allowed = validate(lines_of(2), SINGLE, min_lines=None, allow_few=True)
    assert allowed.ok
    assert [fault.severity for fault in allowed.faults] == ["warning"]
    assert validate(lines_of(2), SINGLE, min_lines=2).ok
    assert validate(lines_of(3), SINGLE, max_lines=2).counts == {"too_many_lines": 1}


def test_lines_with_errors_do_not_count_as_valid() -> None:
    report = validate([*lines_of(99), b"{}"], AWS, min_lines=None)
    assert (report.lines, report.valid) == (100, 99)
    assert report.counts == {"missing_key": 2, "too_few_lines": 1}


LINES = lines_of(3)


@pytest.mark.parametrize(
    "data",
    [
        b"\n".join(LINES),
        b"\n".join(LINES) + b"\n",
        b"\r\n".join(LINES) + b"\r\n",
        gzip.compress(b"\n".join(LINES) + b"\n"),
        gzip.compress(LINES[0] + b"\n") + gzip.compress(b"\n".join(LINES[1:])),
    ],
    ids=["no end", "line feeds", "carriage returns and line feeds", "gzip", "two gzip members"],
)
def test_every_way_lines_arrive(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / ("set.jsonl.gz" if data[:1] == b"\x1f" else "set.jsonl")
    path.write_bytes(data)
    report = validate_file(path, SINGLE, Allowance(min_lines=3))
    assert (report.lines, report.valid, report.labelled, report.ok) == (3, 3, 3, True)
    assert set(report.counts) == ({"compressed"} if path.suffix == ".gz" else set())


@pytest.mark.parametrize("cut", [2, 12, 40, -9, -1])
def test_gzip_that_is_cut_short(cut: int) -> None:
    report = validate(
        gzip.compress(b"\n".join(lines_of(200)))[:cut], SINGLE, name="set.jsonl.gz", min_lines=None
    )
    assert report.counts == {"compressed": 1, "gzip_damaged": 1}
    assert not report.ok


def test_damaged_gzip() -> None:
    packed = bytearray(gzip.compress(b"\n".join(lines_of(2000))))
    packed[len(packed) // 2] ^= 0xFF
    assert "gzip_damaged" in validate(bytes(packed), SINGLE, min_lines=None).counts
    assert "gzip_damaged" in validate(gzip.compress(LINES[0]) + b"rest", SINGLE).counts


def test_gzip_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_UNPACKED_BYTES", 3_000_000)
    monkeypatch.setattr(dataset_files, "MAX_LINE_BYTES", 1_000_000)
    report = validate(gzip.compress(b" " * 90_000_000), SINGLE, name="set.jsonl.gz", min_lines=None)
    assert report.counts == {"compressed": 1, "line_too_long": 1, "unpacked_size": 1}
    assert report.size_bytes < 5_000_000


def test_file_size() -> None:
    small = Bounds(max_file_bytes=100)
    report = validate(LINES, dataclasses.replace(SINGLE, bounds=small))
    assert (report.counts, report.ok) == ({"file_size": 1}, False)
    report = validate(LINES, dataclasses.replace(AWS, bounds=small))
    assert (report.counts, report.ok) == ({"file_size": 1}, True), "AWS's script only mentions it"


def test_names() -> None:
    assert validate(LINES, SINGLE, name="set.json").counts == {"file_name": 1}
    assert validate(LINES, SINGLE, name="set.json").valid == 3
    skipped = validate(LINES, AWS, name="set.jsonl.gz")
    assert (skipped.counts, skipped.lines) == ({"file_name": 1}, 0)


def test_utf16() -> None:
    for profile in (SINGLE, AWS):
        report = validate(b"\n".join(LINES).decode().encode("utf-16"), profile, min_lines=None)
        assert report.counts == {"not_utf8": 1}
        assert report.faults[0].line == 0


def test_carriage_returns_end_lines_for_the_script_alone() -> None:
    data = b"\r".join(LINES) + b"\r"
    assert validate(data, AWS).valid == 3
    assert validate(data, SINGLE).counts == {"carriage_return": 1, "not_json": 1}
    inside = LINES[0].replace(b", ", b",\r")
    assert broken_rules(inside, SINGLE) == [("carriage_return", "$")]
    assert validate([inside], AWS).valid == 0


def test_long_lines() -> None:
    text = "word " * 36_000
    assert broken_rules(conversation(text), SINGLE) == [("line_size", "$")]
    assert check_line(json.dumps(conversation(text)).encode(), SINGLE)[0].severity == "warning"
    assert broken_rules(conversation(text), AWS) == []


def test_a_line_of_30_megabytes() -> None:
    good = json.dumps(conversation("word " * 6_000_000)).encode()
    assert validate([good, LINES[0]], AWS).valid == 2
    assert validate([good[:-1], LINES[0]], SINGLE).counts == {"line_size": 1, "line_too_long": 1}


def test_a_line_beyond_the_bound_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "MAX_LINE_BYTES", 1_000)
    long_line = b"x" * 5_000_000
    report = validate([LINES[0], long_line, LINES[1], b"y" * 999], SINGLE)
    assert [(fault.line, fault.rule) for fault in report.faults] == [(2, "line_too_long"), (4, "not_json")]
    assert (report.lines, report.valid) == (4, 2)
    assert report.faults[0].message == "has 5000001 bytes"


def test_deep_nesting() -> None:
    deep = b'{"schemaVersion":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    for profile in (SINGLE, AWS):
        report = validate([deep, LINES[0]], profile)
        assert report.valid == 1
        assert "too_deep" in report.counts or "schema_version" in report.counts
    assert broken_rules(b"[" * 100_000, SINGLE) in ([("too_deep", "$")], [("not_json", "$")])


def test_duplicates_name_the_first_line() -> None:
    report = validate([LINES[0], LINES[1], LINES[0]], SINGLE)
    assert [(fault.line, fault.message) for fault in report.faults] == [(3, "the same as line 1")]
    assert report.ok


def test_how_many_lines_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "REMEMBERED_LINES", 2)
    report = validate([*LINES, LINES[2], LINES[1]], SINGLE)
    assert [fault.line for fault in report.faults] == [5]
    assert "first 2 distinct lines" in report.notes[0]


def test_faults_are_all_counted_and_some_kept() -> None:
    report = validate([b"{"] * 500 + [b""] * 500, SINGLE, keep=100)
    assert report.counts == {"blank_line": 500, "not_json": 500}
    assert report.errors == 1_000
    kept = [fault.rule for fault in report.faults]
    assert (kept.count("not_json"), kept.count("blank_line")) == (100, 20)
    text = list(report_lines(report, shown=3))
    assert text.count("  and 497 more") == 2
    assert (
        text[-1] == "set.jsonl: does not pass distill-single: 1,000 lines, 0 valid, 1,000 errors, 0 warnings"
    )


def test_the_report_never_shows_the_content() -> None:
    secret = "S3CRET words"
    bad = [
        json.dumps(conversation(secret, secret, secret, **{secret: secret})),
        json.dumps({**conversation(f"User: {secret}"), "schemaVersion": secret}),
        json.dumps(conversation(secret)).replace('"user"', f'"{secret}"'),
        json.dumps(conversation(secret))[:-20],
        f"'{secret}'",
    ]
    report = validate([line.encode() for line in bad], NOVA)
    assert report.valid == 0
    assert "S3CRET" not in json.dumps(report.as_dict()) + "".join(report_lines(report))


def test_file_names_can_not_steer_the_terminal() -> None:
    assert "\x1b" not in "".join(report_lines(validate([b"{}"], SINGLE, name="a\x1b[31m.jsonl")))


def test_labelled_lines_among_others_are_noted() -> None:
    prompt = json.dumps(conversation("Only a question?")).encode()
    mixed = validate([*LINES, prompt], SINGLE)
    assert mixed.ok
    assert mixed.labelled == 3
    assert mixed.notes[0].startswith("3 of 4 valid lines end with an answer")
    assert validate(LINES, SINGLE).notes == validate([prompt], SINGLE).notes == ()


@pytest.mark.parametrize(
    ("name", "error"), [("", UsageError), ("missing.jsonl", StorageError), ("a\0b.jsonl", UsageError)]
)
def test_what_can_not_be_opened(name: str, error: type[LogminerError], tmp_path: Path) -> None:
    with pytest.raises(error) as raised:
        validate_file(tmp_path / name, SINGLE)
    assert raised.value.fix


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who runs the tests may read everything, so the refusal is played.
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(dataset_files.io, "FileIO", refuse)
    with pytest.raises(ConfigurationError, match="may not be read"):
        validate_file(tmp_path / "set.jsonl", SINGLE)


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reader: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(dataset_files.LineReader, "batches", fail)
    path = tmp_path / "set.jsonl"
    path.write_bytes(LINES[0])
    with pytest.raises(StorageError, match="reading fails after line 0: Input/output error"):
        validate_file(path, resolve_profile("distillation"))


@pytest.mark.parametrize("name", ["distill-single", "aws-script", "batch"])
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    line = json.dumps(conversation("word " * 500, "word " * 500)).encode() + b"\n"
    with path.open("wb") as stream:
        stream.writelines(line for _ in range(4_000))
    tracemalloc.start()
    try:
        report = validate_file(path, all_profiles()[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.lines == 4_000
    assert peak < 8_000_000 < path.stat().st_size
