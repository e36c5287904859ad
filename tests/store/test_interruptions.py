"""Runs that are stopped or killed, as processes: what is committed stays whole, and a further run completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .ground import (
    Ground,
    alive,
    check_invariants,
    children_of,
    committed,
    finish,
    orphans,
    wait_until,
)

ALL = [(number, position) for number in range(40) for position in range(50)]


@pytest.fixture
def expected(many_logs: Path) -> list[tuple[str, int]]:
    """The identities of all records of `many_logs`."""
    return [(f"file://{many_logs}/{number:03}.json.gz", position) for number, position in ALL]


def started(ground: Ground, logs: Path, versions: int, **options: object) -> subprocess.Popen[bytes]:
    """An ingest that has added so many versions."""
    before = committed(ground) if ground.store.exists() else 0
    process = ground.start(logs, **options)  # type: ignore[arg-type]
    wait_until(lambda: committed(ground) >= before + versions or process.poll() is not None, "a commit")
    return process


def complete(ground: Ground, logs: Path, expected: list[tuple[str, int]]) -> None:
    code, _, stderr = finish(ground.start(logs, round_objects=20))
    assert code == 0, stderr
    check_invariants(ground, expected)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_commits_what_is_read(
    ground: Ground, many_logs: Path, expected: list[tuple[str, int]], workers: int
) -> None:
    process = started(ground, many_logs, 3, workers=workers)
    process.send_signal(signal.SIGINT)
    code, stdout, stderr = finish(process)
    assert (code, '"interrupted": true' in stdout) == (130, True), stderr
    assert "Traceback" not in stderr
    stopped_at = ground.positions()
    assert 0 < len(stopped_at) < len(expected)
    assert set(stopped_at) < set(expected)
    assert not orphans(ground)
    complete(ground, many_logs, expected)


def test_ctrl_c_twice_ends_at_once(ground: Ground, many_logs: Path, expected: list[tuple[str, int]]) -> None:
    process = started(ground, many_logs, 2, round_objects=30)
    workers = children_of(process.pid)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    code, _, stderr = finish(process)
    assert (code, stderr.splitlines()[-1]) == (130, "interrupted"), stderr
    assert "KeyboardInterrupt" not in stderr
    wait_until(lambda: not any(map(alive, workers)), "the end of the workers")
    check_invariants(ground)
    complete(ground, many_logs, expected)


def test_a_killed_driver(ground: Ground, many_logs: Path, expected: list[tuple[str, int]]) -> None:
    dice = random.Random(20260601)
    left_behind: set[str] = set()
    for workers in (2, 1, 2, 2):
        process = started(ground, many_logs, dice.randint(1, 4), workers=workers)
        time.sleep(dice.uniform(0, 0.08))
        children = children_of(process.pid)
        process.kill()
        assert finish(process)[0] == -signal.SIGKILL
        wait_until(lambda children=children: not any(map(alive, children)), "the end of the workers")
        check_invariants(ground)
        left_behind |= orphans(ground)
    assert 0 < len(ground.positions()) < len(expected)
    complete(ground, many_logs, expected)
    named = {file.name for file in ground.snapshot().files}
    assert not named & left_behind


def test_a_driver_that_is_killed_before_its_first_commit(
    ground: Ground, many_logs: Path, expected: list[tuple[str, int]]
) -> None:
    process = ground.start(many_logs, round_objects=60, workers=1)
    wait_until(
        lambda: list(ground.store.glob("invocations/date=*/*.parquet")) or process.poll() is not None,
        "a file",
    )
    process.kill()
    finish(process)
    assert ground.positions() == []
    assert orphans(ground)
    complete(ground, many_logs, expected)


def test_a_killed_worker(ground: Ground, many_logs: Path, expected: list[tuple[str, int]]) -> None:
    process = started(ground, many_logs, 3)
    wait_until(lambda: len(children_of(process.pid)) == 2, "the workers")
    workers = children_of(process.pid)
    os.kill(workers[0], signal.SIGKILL)
    code, _, stderr = finish(process)
    assert code == 4, stderr
    assert "a worker process ended unexpectedly (killed by signal 9)" in stderr
    assert "Traceback" not in stderr
    assert not any(map(alive, workers))
    check_invariants(ground)
    complete(ground, many_logs, expected)
