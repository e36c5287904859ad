"""What a command loads before it answers: a help page nothing heavy, a count no more than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "boto3",
    "botocore",
    "deltalake",
    "duckdb",
    "fsspec",
    "lark",
    "msgspec",
    "obstore",
    "pyarrow",
    "pydantic",
    "rich",
}
_PROGRAM = """
import sys
from logminer.cli.running import run
sys.argv = ["logminer", *{words!r}]
try:
    run()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def loaded_by(*words: str, cwd) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(words=list(words))],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return HEAVY & {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("words", [["--help"], ["select", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(tmp_path, words):
    assert loaded_by(*words, cwd=tmp_path) == set()


def test_help_loads_little_of_logminer(tmp_path):
    program = "import sys, logminer.cli.app; print(*(n for n in sys.modules if n.startswith('logminer')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    outside = {name for name in done.stdout.split() if not name.startswith("logminer.cli")}
    assert outside <= {
        "logminer",
        "logminer.config",
        "logminer.errors",
        "logminer.metadata_keys",
        "logminer.schema",
        "logminer.statuses",
        "logminer.teachers",
    }


def test_a_translation_of_a_filter_needs_no_engine(tmp_path):
    assert loaded_by("filter", "a=1", cwd=tmp_path) <= {"lark", "msgspec"}


@pytest.mark.parametrize("words", [[], ["--filter", "project=HR"], ["--json"]], ids=" ".join)
def test_a_count_loads_only_what_it_asks(sample_store, tmp_path, words):
    loaded = loaded_by("count", "--store", str(sample_store), *words, cwd=tmp_path)
    assert loaded <= {"deltalake", "duckdb", "lark", "msgspec"}
    assert ("lark" in loaded) is ("--filter" in words)


def test_the_process_ends_with_the_commands_own_code(tmp_path):
    """Whatever becomes of libraries' threads while Python would wind up."""
    program = (
        "import atexit, os, sys; atexit.register(os.abort); from logminer.cli import main; "
        "sys.argv = ['logminer', *sys.argv[1:]]; main()"
    )
    ends = {}
    for words in (["--version"], ["count", "--store", "none"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        ends[words[0]] = (done.returncode, done.stdout[:9], done.stderr[:7])
    assert ends == {"--version": (0, "logminer ", ""), "count": (2, "", "error: ")}
