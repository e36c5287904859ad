"""The commands as users run them: what they print, where, and how they end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CommandLine

REQUEST = "a16e1c5e-248c-44ad-bd40-181ebb8987db"


@pytest.fixture
def store(fresh_store: Callable[[], Path], run: CommandLine) -> Path:
    return fresh_store()


def test_compaction_and_vacuum(run: CommandLine, store: Path) -> None:
    ran = run("store", "compact", "--store", store)
    assert (ran.code, ran.stdout) == (0, "")
    assert ran.stderr == "3 files of 3 days written as 3 (0.3 MB as 0.3 MB); store version 5\n"
    again = run("store", "compact", "--store", store)
    assert again.stderr == "every day has few sorted files already; store version 5\n"
    told = run("store", "vacuum", "--store", store, "--older-than", "0m", "--dry-run")
    assert told.stderr.startswith("would delete 3 files of old versions (0.3 MB)\n")
    done = run("store", "vacuum", "--store", store, "--older-than", "0m", "--json")
    facts = json.loads(done.stdout)
    assert (facts["dry_run"], facts["old_files"], facts["oldest_version"]) == (False, 3, 5)
    assert run("count", "--store", store, "--version", "4").code == 2
    assert run("count", "--store", store, "--version", "5").code == 0


def test_forgetting_is_asked_for(run: CommandLine, store: Path) -> None:
    ran = run("store", "forget", "--store", store, "--request-id", REQUEST)
    assert (ran.code, ran.stdout) == (2, "")
    assert "--yes: cannot be undone" in ran.stderr
    told = run("store", "forget", "--store", store, "--request-id", REQUEST, "--dry-run")
    assert told.stderr.startswith("would forget 2 records and 0 quarantined values; store version 2\n")
    done = run("store", "forget", "--store", store, "--request-id", REQUEST, "--yes")
    assert done.code == 0
    assert done.stderr.startswith("forgot 2 records")
    assert done.stdout == told.stdout
    assert done.stdout.count("log object  file://") == 2
    assert run("explain", REQUEST, "--store", store).stdout.count("forgotten: removed") == 2


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_a_terminal_is_asked(run: CommandLine, store: Path, answer: str) -> None:
    controller, terminal = pty.openpty()
    arguments = ["store", "expire", "--store", str(store), "--older-than", "1d"]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "logminer", *arguments],
        cwd=run.folder,
        env=run.environment({}),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    os.write(controller, f"{answer}\n".encode())
    assert process.wait(60) == 0
    said = os.read(controller, 10_000).decode().replace("\r\n", "\n")
    os.close(controller)
    assert process.stdout is not None
    process.stdout.close()
    assert "for ever? [y/N]" in said
    assert ("nothing was changed" in said) == (answer != "y")
    left = json.loads(run("store", "info", "--store", store, "--json").stdout)
    assert (left["rows"] == 0) == (answer == "y")


def test_request_ids_of_a_file(run: CommandLine, store: Path) -> None:
    (run.folder / "ids").write_text(f"{REQUEST}\n\nnobody-knows\n")
    told = run("store", "forget", "--store", store, "--request-ids-from", "ids", "--dry-run", "--json")
    facts = json.loads(told.stdout)
    assert (facts["records"], facts["unknown"]) == (2, ["nobody-knows"])
    told = run("store", "forget", "--store", store, "--request-ids-from", "-", "--dry-run", stdin=REQUEST)
    assert "would forget 2 records" in told.stderr


def test_expiry(run: CommandLine, store: Path) -> None:
    told = run("store", "expire", "--store", store, "--older-than", "1d", "--dry-run")
    assert (told.code, told.stdout) == (0, "")
    assert told.stderr.startswith("would delete 885 records of 3 dates (2024-12-05 to 2026-06-04)\n")
    assert run("store", "expire", "--store", store, "--older-than", "1d", "--yes").code == 0
    info = run("store", "info", "--store", store)
    assert "keeps        records from 20" in info.stdout
    assert run("count", "--store", store).stdout.strip() == "0"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("forget", "say what to forget"),
        ("forget --metadata x", "--metadata: has no ="),
        ("forget --identity '*' --yes", "would forget every record"),
        ("forget --request-ids-from nowhere", "--request-ids-from nowhere: cannot read"),
        ("expire", "missing option '--older-than'"),
        ("expire --older-than 3h --yes", "would leave no whole day"),
        ("vacuum --older-than soon", "'soon' is no length of time"),
        ("vacuum --orphans-older-than 1h", "may still commit"),
        ("vacuum --older-than 999999w", "longer than anything can be ago"),
        ("compact --target-mb 0", "--target-mb: cannot be '0'"),
        ("compact --since x", "'x' is no point in time"),
        ("ddl", "Athena reads S3 alone"),
        ("ddl --location s3://b --engine x", "Known are: athena"),
    ],
)
def test_mistakes(run: CommandLine, sample_store: Path, command: str, said: str) -> None:
    import shlex

    ran = run("store", *shlex.split(command), LOGMINER_STORE=str(sample_store))
    assert (ran.code, ran.stdout) == (2, ""), ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "command", ["compact", "vacuum", "forget --request-id x", "expire --older-than 9d", "ddl"]
)
def test_no_store(run: CommandLine, command: str) -> None:
    ran = run("store", *command.split(), "--store", "nothing")
    assert (ran.code, "there is no store here" in ran.stderr) == (2, True)
    assert [*run.folder.iterdir()] == []


def test_statements(run: CommandLine, store: Path) -> None:
    ran = run("store", "ddl", "--store", store, "--location", "s3://bucket/store")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.startswith(
        "CREATE EXTERNAL TABLE invocations\nLOCATION 's3://bucket/store/invocations/'\n"
    )
    assert ran.stdout.endswith("status <> 'forgotten';\n")
    assert '"metadata_cost_center",  -- key "cost center"\n' in ran.stdout
