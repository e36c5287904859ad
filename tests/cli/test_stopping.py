"""What ends a command early: a reader that has had enough, a full disk, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from cli.logs import hour_folder, record, write_log
from logminer.cli.ingest import _say_report
from logminer.ingestion.driver import IngestReport

OBJECTS = 6_000


@pytest.mark.parametrize(
    "command", ["select", "select --json", "select --format csv", "stats --json", "--help"]
)
def test_a_reader_that_has_had_enough_is_no_error(run, sample_store, command):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed_pipe:
        done = subprocess.run(
            [*run.program, *command.split()],
            cwd=run.folder,
            env=run.environment({"LOGMINER_STORE": str(sample_store)}),
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, b"Error" in done.stderr, b"error" in done.stderr) == (0, False, False)


def test_a_full_disk_is_named(run, sample_store):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*run.program, "select"],
            cwd=run.folder,
            env=run.environment({"LOGMINER_STORE": str(sample_store)}),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == b"error: cannot write to stdout: No space left on device\n"


def test_ctrl_c_keeps_what_is_read_and_running_again_completes(run, tmp_path):
    folder = hour_folder(tmp_path / "logs")
    for number in range(OBJECTS):
        write_log(folder / f"{number:05}.json.gz", [record(number)])
    interrupted = _interrupt_while_reading(run, tmp_path)
    assert interrupted["interrupted"] is True
    assert 0 < interrupted["records"] < OBJECTS
    assert run("count", "--store", "store").stdout == f"{interrupted['records']}\n"

    completed = run("ingest", "logs", "--store", "store", "--json")
    assert completed.code == 0
    assert json.loads(completed.stdout)["records"] == OBJECTS - interrupted["records"]
    assert run("count", "--store", "store").stdout == f"{OBJECTS}\n"
    assert run("ingest", "logs", "--store", "store").stderr.startswith(
        f"nothing new; {OBJECTS:,} log objects"
    )


def _interrupt_while_reading(run, tmp_path):
    """Ctrl-C at growing delays after the store appears, until one falls into the reading."""
    for step in range(60):
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        process = run.start("ingest", "logs", "--store", "store", "--workers", "1", "--json")
        while not (tmp_path / "store/invocations/_delta_log").exists():
            time.sleep(0.005)
        time.sleep(step % 20 / 40)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        facts = json.loads(stdout) if stdout else {"records": 0}
        if 0 < facts["records"] < OBJECTS:
            assert process.returncode == 130, stderr
            assert stderr.decode().splitlines() == [
                "stopping: committing what is read; press Ctrl-C again to stop at once",
                "interrupted",
            ]
            return facts
    raise AssertionError("no delay fell into the reading")


def test_a_run_that_was_stopped_before_its_first_object_does_not_say_that_nothing_is_new(capsys):
    _say_report(IngestReport("20260601T100000Z-0a1b2c3d", interrupted=True))
    assert capsys.readouterr().err == "nothing was read yet; run the same command again to go on\n"


def test_ctrl_c_ends_a_question(run, sample_store):
    """An interruption that comes when DuckDB is as good as done changes nothing, so more than one is tried."""
    for delay in (1.5, 1.0, 0.7, 2.0, 0.5, 0.4, 0.3):
        process = run.start(
            "count",
            "--where",
            "levenshtein(repeat('ab', 1200) || response, repeat('ba', 1200) || response) >= 0",
            LOGMINER_STORE=str(sample_store),
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        if process.returncode != 0:
            assert (process.returncode, stdout, stderr) == (130, b"", b"interrupted\n")
            return
        assert (stdout, stderr) == (b"742\n", b"")
    raise AssertionError("no interruption ended the question")
