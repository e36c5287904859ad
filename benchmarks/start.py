"""How long the command takes to start, beside what it cannot do without."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.corpora import fingerprint
from benchmarks.figures import Bound, Line, Row, Setting, time_line
from benchmarks.harness import LOGMINER, ROOT, Contender, Run, alternate, command_output, timed_command

_FILTER = "project=CustomerService AND priority=High"


def start_rows(setting: Setting) -> Iterable[Line]:
    """Help, and a count of the sample store without and with a filter."""
    store = _sample_store(setting)
    count = ["count", "--store", str(store)]
    contenders = {
        "import typer": _command([sys.executable, "-c", "import typer"]),
        "import duckdb": _command([sys.executable, "-c", "import duckdb"]),
        "logminer --help": _command([*_program(), "--help"]),
        "logminer count": _command([*_program(), *count]),
        "logminer count --filter": _command([*_program(), *count, "--filter", _FILTER]),
    }
    for contender in contenders.values():
        contender()  # compiles, and fills the file cache
    timings = alternate(contenders, 4 * setting.rounds)
    for name, peer, bound in (
        ("logminer --help", "import typer", Bound("less", 1.5, 1.1)),
        ("logminer count", "import duckdb", Bound("less", 2.5, 2.0)),
        ("logminer count --filter", "import duckdb", Bound("less", 3.0, 2.3)),
    ):
        yield time_line("start", name, timings[name], timings[peer], bound)


def _command(command: list[str]) -> Contender:
    return lambda: Run(timed_command(command))


def _program() -> list[str]:
    """The installed command, or the package where it is not installed."""
    script = Path(sys.executable).with_name("logminer")
    return [str(script)] if script.exists() else list(LOGMINER)


def _sample_store(setting: Setting) -> Path:
    """The sample logs, ingested once."""
    sources = [*(ROOT / "logminer").rglob("*.py")]
    store = setting.folder / f"sample-store-{fingerprint(sources)}"
    if not store.exists():
        command_output([*LOGMINER, "ingest", str(ROOT / "sample_logs"), "--store", str(store)])
    return store


ROWS = (Row("start", "start of the command", start_rows),)
