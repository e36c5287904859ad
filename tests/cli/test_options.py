"""Values of options, before any work is done for them."""

from __future__ import annotations

import pytest

from logminer.cli.options import number
from logminer.errors import UsageError
from logminer.outputs import check_output


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("20", 20), (7, 7), ("007", 7), (str(2**63 - 1), 2**63 - 1)]
)
def test_counts(text, value):
    assert number("--limit")(text) == value


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1_0", "٣", "²", " 1", "1e3", str(2**63), "9" * 5000])
def test_what_is_no_count(text):
    with pytest.raises(UsageError, match=r"--limit: cannot be .*\n  Give a whole number, 0 or more"):
        number("--limit")(text)


def test_some_counts_begin_at_one():
    with pytest.raises(UsageError, match="Give a whole number, 1 or more"):
        number("--top", 1)("0")


@pytest.mark.parametrize(
    "path",
    ["", "-", "s3://bucket", "s3://bucket/a b", "http://x/y", ".", "./", "x/", "missing/x", "/dev/null"],
)
def test_what_cannot_become_a_file(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as raised:
        check_output(path)
    assert raised.value.where.startswith("-o ")
    assert raised.value.fix


def test_a_file_that_is_there_may_be_replaced(tmp_path):
    (tmp_path / "x.jsonl").touch()
    check_output(str(tmp_path / "x.jsonl"))
    check_output(str(tmp_path / "new.jsonl"))
