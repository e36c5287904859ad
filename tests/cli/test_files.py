"""Files that commands write, and stores that they cannot read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Everything is imported by a first run, since the second has no right to read the checkout where root owns it.
_TWICE = """
import os, sys
from logminer.cli.running import run
sys.argv = ["logminer", *{words!r}, "-o", "allowed/first.jsonl"]
assert run() == 0
if os.geteuid() == 0:
    os.seteuid(65534)
sys.argv[-1] = "forbidden/second.jsonl"
sys.exit(run())
"""


@pytest.fixture
def public_folder():
    """A folder that anyone may look into, unlike those of tests."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize("words", [["select"], ["export", "--teacher", "meta.llama3-1-405b"]], ids=" ".join)
def test_a_folder_without_permission(run, public_folder, fresh_store, words):
    (public_folder / "allowed").mkdir()
    (public_folder / "forbidden").mkdir(mode=0o555)
    done = subprocess.run(
        [sys.executable, "-c", _TWICE.format(words=words)],
        cwd=public_folder,
        env=run.environment({"LOGMINER_STORE": str(fresh_store())}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-2:] == [
        "error: -o forbidden/second.jsonl: no permission to write in the folder",
        "  Choose another folder for it.",
    ]
    assert os.listdir(public_folder / "forbidden") == []


def test_a_file_is_its_owners_alone_and_replaces_the_one_before(run, sample_store):
    (run.folder / "a.csv").write_text("before")
    done = run(
        "select", "--limit", "1", "--columns", "turns", "-o", "a.csv", LOGMINER_STORE=str(sample_store)
    )
    assert (done.code, done.stderr) == (0, "1 record written to a.csv\n")
    assert (run.folder / "a.csv").read_text() == "turns\n1\n"
    assert oct((run.folder / "a.csv").stat().st_mode)[-3:] == "600"


def test_a_selection_that_fails_leaves_the_file_as_it_was(run, sample_store):
    (run.folder / "a.csv").write_text("before")
    failed = run(
        "select", "--where", "CAST(response AS INT) > 1", "-o", "a.csv", LOGMINER_STORE=str(sample_store)
    )
    assert (failed.code, failed.stdout) == (2, "")
    assert (run.folder / "a.csv").read_text() == "before"
    assert os.listdir(run.folder) == ["a.csv"]


def test_a_failed_condition_does_not_quote_what_people_wrote(run, sample_store):
    answer = json.loads(run("select", "--limit", "1", LOGMINER_STORE=str(sample_store)).stdout)["response"]
    for where in (
        "CAST(response AS INT) > 1",
        "response::DATE > DATE '2020-01-01'",
        "strptime(response, '%d') > now()",
    ):
        failed = run("count", "--where", where, LOGMINER_STORE=str(sample_store))
        assert (failed.code, failed.stdout) == (2, "")
        assert not any(word in failed.stderr for word in answer.split() if len(word) > 6)


def test_a_store_of_a_newer_format_is_refused(run, fresh_store):
    store = fresh_store()
    for commit in store.glob("invocations/_delta_log/*.json"):
        text = commit.read_text()
        commit.write_text(text.replace('"logminer.formatVersion":"1"', '"logminer.formatVersion":"99"'))
    for command in ("count", "stats", "store info", "ingest folder"):
        (run.folder / "folder").mkdir(exist_ok=True)
        failed = run(*command.split(), "--store", store)
        assert failed.code in (3, 4), failed
        assert failed.stdout == ""
        assert "99" in failed.stderr
        assert len(failed.stderr.splitlines()) == 2
        assert failed.stderr.splitlines()[1].startswith("  ")


def test_a_store_that_lost_a_file_is_named(run, fresh_store):
    store = fresh_store()
    next(store.glob("invocations/**/*.parquet")).unlink()
    for command in ("count", "select", "export --teacher meta.llama3-1-405b -o x.jsonl"):
        failed = run(*command.split(), "--store", store)
        assert failed.code == 4
        assert failed.stderr.startswith("error: ")
        assert "Traceback" not in failed.stderr
    assert not (run.folder / "x.jsonl").exists()


def test_an_old_version_can_be_asked(run, sample_store):
    store = str(sample_store)
    newest = json.loads(run("store", "info", "--json", LOGMINER_STORE=store).stdout)["version"]
    assert run("count", "--version", str(newest), LOGMINER_STORE=store).stdout == "742\n"
    assert run("count", "--version", "0", LOGMINER_STORE=store).stdout == "0\n"


def test_a_filter_can_come_from_standard_input(run, sample_store):
    asked = run(
        "count", "--filter-json", "-", stdin='{"equals": {"project": "HR"}}', LOGMINER_STORE=str(sample_store)
    )
    assert (asked.code, asked.stdout, asked.stderr) == (0, "77\n", "")


def test_logs_can_come_from_standard_input(run):
    line = '{"schemaType":"ModelInvocationLog","timestamp":"2026-03-14T00:00:00Z","requestId":"a","operation":"Converse"}'
    done = run("ingest", "-", "--store", "store", "--json", stdin=line + "\n" + line.replace('"a"', '"b"'))
    assert json.loads(done.stdout)["records"] == 2
    assert run("count", "--status", "all", "--store", "store").stdout == "2\n"


def test_a_folder_without_logs_is_said(run):
    (run.folder / "empty").mkdir()
    done = run("ingest", "empty", "--store", "store")
    assert (done.code, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1].startswith("warning: no log object was found; ")
