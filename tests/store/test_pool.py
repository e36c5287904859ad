"""Worker processes: what they are told, what they answer, and how each side survives the other's end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logminer.errors import ConfigurationError, StorageError
from logminer.ingestion import pool
from logminer.ingestion.driver import Portions, new_run, open_or_create
from logminer.ingestion.pool import Done, Handed, HandOver, Read, Start, WorkerProcess, answers
from logminer.sources import list_source

from .ground import Ground, alive, check_invariants, children_of, record, wait_until

PATCHED = """
import sys; sys.path[:] = sys.argv[1:]
from logminer.ingestion import pool, worker
{patch}
pool.main()
"""


def start_of(ground: Ground) -> Start:
    open_or_create(ground.storage)
    return Start(ground.storage.uri, new_run())


def read_all(ground: Ground) -> Read:
    return Read(list_source(str(ground.logs)).objects, ["_x_"])


def with_patch(patch: str) -> str:
    return PATCHED.format(patch=patch)


def test_a_worker_reads_and_hands_over(ground: Ground) -> None:
    ground.write("a", [record("1"), record("2"), b"broken"])
    worker = WorkerProcess(start_of(ground))
    worker.ask(read_all(ground))
    worker.ask(HandOver())
    (_, done), (_, handed) = answers([worker])
    worker.close()
    assert isinstance(done, Done)
    assert (done.tally.records, done.tally.quarantined) == (2, 1)
    assert isinstance(handed, Handed)
    assert [file.rows for file in handed.harvest.files] == [2]


def test_a_fault_of_its_own_is_shown_whole(ground: Ground) -> None:
    ground.write("a", [record("1")])
    patch = "def read(*_): raise ZeroDivisionError('a fault')\nworker.IngestWorker.read = read"
    worker = WorkerProcess(start_of(ground), with_patch(patch))
    worker.ask(read_all(ground))
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*ZeroDivisionError: a fault"):
        worker.answer()
    worker.close()


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        ("PermissionError(13, 'Permission denied', 'x.gz')", ConfigurationError, "Permission denied"),
        ("OSError(5, 'Input/output error', 'x.gz')", StorageError, "x.gz: cannot read: Input/output error"),
    ],
)
def test_an_error_keeps_its_exit_code(ground: Ground, raised: str, kind: type[Exception], said: str) -> None:
    ground.write("a", [record("1")])
    patch = f"def read(*_): raise {raised}\nworker.IngestWorker.read = read"
    worker = WorkerProcess(start_of(ground), with_patch(patch))
    worker.ask(read_all(ground))
    with pytest.raises(kind, match=said):
        worker.answer()
    worker.close()


def test_after_an_error_its_files_are_gone(ground: Ground) -> None:
    ground.write("a", [record("1")])
    patch = "def harvest(self):\n    self._write(min(self._groups))\n    raise OSError(28, 'No space', 'x')\n"
    worker = WorkerProcess(start_of(ground), with_patch(patch + "worker.IngestWorker.harvest = harvest"))
    worker.ask(read_all(ground))
    worker.ask(HandOver())
    with pytest.raises(StorageError, match="No space"):
        list(answers([worker]))
    worker.close()
    assert not list(ground.store.glob("invocations/date=*/*"))


def test_what_is_printed_does_not_get_between_the_messages(
    ground: Ground, capfd: pytest.CaptureFixture[str]
) -> None:
    ground.write("a", [record("1")])
    patch = """
import os
read = worker.IngestWorker.read
def loud(*arguments):
    print("some library", flush=True)
    os.write(1, b"has something to say\\n")
    return read(*arguments)
worker.IngestWorker.read = loud
"""
    worker = WorkerProcess(start_of(ground), with_patch(patch))
    worker.ask(read_all(ground))
    answer = worker.answer()
    worker.close()
    assert isinstance(answer, Done)
    assert "has something to say" in capfd.readouterr().err


@pytest.mark.parametrize(
    "bytes_", [b"\xff" * 64, b"\x05" + b"\0" * 7 + b"hello", b"\x01" + b"\0" * 7 + b"\x90"], ids=repr
)
def test_what_is_no_message(ground: Ground, bytes_: bytes) -> None:
    program = f"import os, sys; os.write(1, {bytes_!r}); sys.stdin.read()"
    worker = WorkerProcess(start_of(ground), program)
    with pytest.raises(StorageError, match="no message"):
        worker.answer()
    worker.close()


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import sys; sys.exit(7)", "exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("import os; os.write(1, b'\\x09\\0\\0\\0\\0\\0\\0\\0half'); os._exit(3)", "exit code 3"),
    ],
)
def test_a_worker_that_ends_by_itself(ground: Ground, program: str, how: str) -> None:
    worker = WorkerProcess(start_of(ground), program)
    with pytest.raises(StorageError, match=how):
        worker.answer()
    worker.close()


def test_a_worker_that_is_told_what_is_no_message(ground: Ground) -> None:
    ground.write("a", [record("1")])
    worker = WorkerProcess(start_of(ground))
    worker._input.write(b"\xff" * 16)
    worker._input.flush()
    with pytest.raises(StorageError, match="ended unexpectedly"):
        worker.answer()
    worker.close()


def test_a_worker_that_does_not_end_is_killed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_END_SECONDS", 0.2)
    worker = WorkerProcess(start_of(ground), "import time; time.sleep(600)")
    begun = time.monotonic()
    worker.close()
    assert time.monotonic() - begun < 5
    assert worker._process.returncode == -signal.SIGKILL


def test_a_worker_that_cannot_be_started(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ground.folder / "no-python"))
    with pytest.raises(StorageError, match="cannot start a worker"):
        WorkerProcess(start_of(ground))


def test_very_many_unreadable_objects_block_nobody(ground: Ground) -> None:
    """Their names fill the pipe of the answer while the next request fills the other one."""
    for number in range(3_000):
        ground.write(f"{number:04}-{'x' * 100}", [b"{}"])
    objects = list_source(str(ground.logs)).objects
    for path in ground.logs.iterdir():
        path.unlink()
    worker = WorkerProcess(start_of(ground))
    for at in range(0, 3_000, 1_000):
        worker.ask(Read(objects[at : at + 1_000], []))
    tallies = [answer.tally for _, answer in answers([worker]) if isinstance(answer, Done)]
    worker.close()
    assert [len(tally.unreadable) for tally in tallies] == [1_000] * 3


def test_modules_of_the_current_folder_are_not_loaded(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that somebody else wrote must not decide what runs in it."""
    (ground.folder / "logminer").mkdir()
    (ground.folder / "logminer" / "__init__.py").write_text("raise SystemExit('wrong module')")
    (ground.folder / "msgspec.py").write_text("raise SystemExit('wrong module')")
    monkeypatch.chdir(ground.folder)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    ground.write("a", [record("1")])
    worker = WorkerProcess(start_of(ground))
    worker.ask(read_all(ground))
    assert isinstance(worker.answer(), Done)
    worker.close()


DRIVER = """
import sys, time
from logminer.ingestion.driver import new_run, open_or_create
from logminer.ingestion.pool import Read, Start, WorkerProcess
from logminer.sources import list_source
from logminer.store.storage import open_storage
storage = open_storage(sys.argv[1])
open_or_create(storage)
worker = WorkerProcess(Start(storage.uri, new_run()), sys.argv[3])
worker.ask(Read(list_source(sys.argv[2]).objects, []))
if sys.argv[4] == "idle":
    worker.answer()
print("ready", flush=True)
time.sleep(600)
"""
# A worker that has a file open and is in the middle of an object.
SLOW = """
import time
read = worker.read_log
def slow(*arguments):
    for value in read(*arguments):
        yield value
        time.sleep(0.02)
worker.read_log = slow
worker._ROW_GROUP_ROWS = 1
"""


@pytest.mark.parametrize("state", ["idle", "at work"])
def test_workers_of_a_driver_that_dies_end_and_leave_nothing(ground: Ground, state: str) -> None:
    ground.write("a", [record(str(number)) for number in range(10 if state == "idle" else 2_000)])
    command = [sys.executable, "-c", DRIVER, str(ground.store), str(ground.logs), with_patch(SLOW), state]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    driver.stdout.readline()
    wait_until(lambda: list(ground.store.glob("invocations/date=*/*")), "a file")
    (worker,) = children_of(driver.pid)
    driver.kill()
    driver.wait()
    driver.stdout.close()
    wait_until(lambda: not alive(worker), "the end of the worker")
    assert not list(ground.store.glob("invocations/date=*/*"))


def test_processes_and_one_process_do_the_same(ground: Ground, many_logs: Path) -> None:
    other = Ground(ground.folder / "other")
    ground.ingest(many_logs, workers=1)
    other.ingest(many_logs, workers=2, portions=Portions(one_process_bytes=0))
    columns = (
        "source_uri",
        "source_position",
        "request_id",
        "redelivered",
        "response",
        "pair_hash",
        "timestamp::VARCHAR",
    )
    assert ground.rows(*columns) == other.rows(*columns)
    check_invariants(other)
