"""What several folders of tests share: a store of the sample logs, and the command line run as users run it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

SAMPLE_LOGS = Path(__file__).resolve().parents[1] / "sample_logs"
TERMINAL = (40, 100)
"""Lines and columns."""
SECONDS = 60
"""No command of a test takes longer."""


@dataclass(frozen=True)
class Ran:
    """How a command ended. On a terminal both streams come together, in `stdout`."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.stdout.splitlines()


class CommandLine:
    """Runs logminer as a process of its own, in a folder, with nothing of the caller's settings."""

    program = (sys.executable, "-W", "error", "-m", "logminer")

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """A small environment, and `more`."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
            **more,
        }

    def __call__(self, *arguments: str | Path, stdin: str = "", **environment: str) -> Ran:
        """Run with stdin, stdout and stderr in pipes."""
        done = subprocess.run(
            [*self.program, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(environment),
            input=stdin.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def on_terminal(self, *arguments: str | Path, **environment: str) -> Ran:
        """Run on a terminal of 100 columns; line ends come as line feeds."""
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *TERMINAL, 0, 0))
        process = subprocess.Popen(
            [*self.program, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(environment),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        try:
            written = _read_all(controller, time.monotonic() + SECONDS)
            code = process.wait(SECONDS)
        finally:
            process.kill()
            os.close(controller)
        return Ran(code, written.decode().replace("\r\n", "\n"), "")

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command that the test ends by itself."""
        return subprocess.Popen(
            [*self.program, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def _read_all(controller: int, deadline: float) -> bytes:
    written = bytearray()
    while time.monotonic() < deadline:
        if not select.select([controller], [], [], 1)[0]:
            continue
        try:
            piece = os.read(controller, 1 << 16)
        except OSError:  # how Linux says that nobody has the terminal open any more
            return bytes(written)
        if not piece:
            return bytes(written)
        written += piece
    raise TimeoutError(f"no end after {SECONDS} s: {bytes(written[-500:])!r}")


@pytest.fixture
def run(tmp_path: Path) -> CommandLine:
    """The command line in a new folder."""
    return CommandLine(tmp_path)


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the sample logs, to be read only; `fresh_store` gives one that may be changed."""
    folder = tmp_path_factory.mktemp("sample")
    ran = CommandLine(folder)("ingest", SAMPLE_LOGS, "--store", "store")
    assert ran.code == 0, ran.stderr
    return folder / "store"


@pytest.fixture
def fresh_store(sample_store: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of the store of the sample logs."""

    def copy() -> Path:
        return Path(shutil.copytree(sample_store, tmp_path / "store"))

    return copy
