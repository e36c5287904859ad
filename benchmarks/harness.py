"""Runs contenders turn by turn, each in processes of its own, and lets none be compared that answers otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.figures import BenchmarkError, Timing
from benchmarks.memory import TreeMemory, can_be_seen

ROOT = Path(__file__).resolve().parents[1]
LOGMINER = (sys.executable, "-m", "logminer")


@dataclass(frozen=True, slots=True)
class Run:
    """One round of one contender; `answer` is any JSON value, and has to be the same for all."""

    seconds: float
    answer: Any = None


Contender = Callable[[], Run]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def alternate(contenders: Mapping[str, Contender], rounds: int) -> dict[str, Timing]:
    """All of them, turn by turn, another one first in each round. Raises BenchmarkError where answers differ."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        turn = number % len(names)
        answers = {}
        for name in [*names[turn:], *names[:turn]]:
            run = contenders[name]()
            seconds[name].append(run.seconds)
            answers[name] = run.answer
            print(f"    round {number + 1}  {name:<34} {run.seconds:10.4f} s", file=sys.stderr)
        check_alike(answers)
    return {name: Timing(name, tuple(each)) for name, each in seconds.items()}


def check_alike(answers: Mapping[str, Any]) -> None:
    """Raise BenchmarkError unless all answers are the same."""
    texts = {name: json.dumps(answer, sort_keys=True, default=str) for name, answer in answers.items()}
    if len(set(texts.values())) > 1:
        told = "\n".join(f"  {name}: {text[:400]}" for name, text in texts.items())
        raise BenchmarkError(f"the answers differ:\n{told}")


def timed_command(command: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """Seconds from a command's start to its end. Raises BenchmarkError where it fails."""
    start = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment(env), text=True
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise BenchmarkError(f"{_shown(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds


def command_output(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """What a command prints. Raises BenchmarkError where it fails."""
    done = subprocess.run(command, capture_output=True, env=_environment(env), text=True)
    if done.returncode:
        raise BenchmarkError(f"{_shown(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def tree_peak(command: Sequence[str], env: Mapping[str, str] | None = None) -> int | None:
    """The most memory in bytes that a command and all its processes hold; None where the system does not say."""
    if not can_be_seen():
        return None
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment(env), text=True
    )
    with TreeMemory(process.pid) as memory:
        _, said = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"{_shown(command)} ended with {process.returncode}:\n{said[-2000:]}")
    return memory.peak_bytes


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """What commands see: no settings of the user's, and this checkout, compiled as it is for every user."""
    own = ("LOGMINER", "AWS_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return kept | {"PYTHONPATH": str(ROOT)} | dict(more or {})


def _shown(command: Sequence[str]) -> str:
    return " ".join(each if len(each) < 60 else each[:57] + "..." for each in command)


class Asked:
    """A process that stays, and answers the same question as often as it is asked; close it in the end.

    `program` is `module:function`: a context manager that opens what is needed, and gives the call that asks.
    """

    def __init__(self, program: str, env: Mapping[str, str] | None = None, **arguments: Any) -> None:
        command = [sys.executable, "-m", "benchmarks.answering", program, json.dumps(arguments)]
        self._program = program
        self.peak_bytes: int | None = None
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(env), text=True
        )

    def __enter__(self) -> Asked:
        """The process itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def __call__(self) -> Run:
        """Ask once. Raises BenchmarkError where the process fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BenchmarkError(f"{self._program} ended") from error
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{self._program} failed; its error stands above")
        told = json.loads(line)
        self.peak_bytes = told["peak_bytes"]
        return Run(told["seconds"], told["answer"])

    def timed(self, timing: Timing) -> Timing:
        """A timing of this process, with its memory."""
        return Timing(timing.name, timing.seconds, self.peak_bytes)


def compare_asked(asked: Mapping[str, Asked], rounds: int) -> dict[str, Timing]:
    """`alternate` for processes that stay; the first answer of each, which finds everything cold, counts for nothing."""
    check_alike({name: each().answer for name, each in asked.items()})
    timings = alternate(asked, rounds)
    return {name: each.timed(timings[name]) for name, each in asked.items()}
