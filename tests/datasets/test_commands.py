"""The command line of datasets, on the sample logs: exit code, stdout and stderr."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CommandLine, Ran

TEACHER = "meta.llama3-1-405b"
CURATED = (
    "export", "--teacher", TEACHER, "--curate", "--redact", "surrogate", "--history", "split", "--max", "150",
    "--stratify", "project", "--held-out", "10%", "--rejects", "rejects.jsonl", "--save-recipe", "recipe.toml",
    "-o", "train.jsonl",
)  # fmt: skip


@pytest.fixture
def done(run: CommandLine, fresh_store: Callable[[], Path]) -> Ran:
    """One command that does it all, in a folder with the store."""
    fresh_store()
    return run(*CURATED, "--store", "store")


def facts_of(ran: Ran) -> dict[str, object]:
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert isinstance(found, dict)
    return found


def test_one_command_makes_train_held_out_rejects_and_manifest(run: CommandLine, done: Ran) -> None:
    assert (done.code, done.stdout) == (0, "")
    assert f"150 pairs of {TEACHER}-instruct-v1:0 written to {run.folder}/train.jsonl (" in done.stderr
    assert f"17 held out to {run.folder}/train.held-out.jsonl (" in done.stderr
    assert "  history " in done.stderr
    assert "  redaction: 196 values in 77 of 264 pairs" in done.stderr
    assert f"  what it is made of: {run.folder}/train.jsonl.manifest.json" in done.stderr
    names = {path.name for path in run.folder.iterdir() if path.is_file()}
    assert names == {
        "recipe.toml", "rejects.jsonl", "train.held-out.jsonl", "train.held-out.jsonl.pairs.jsonl",
        "train.jsonl", "train.jsonl.manifest.json", "train.jsonl.pairs.jsonl",
    }  # fmt: skip


def test_again_by_recipe_and_by_manifest(run: CommandLine, done: Ran) -> None:
    files = {path: path.read_bytes() for path in run.folder.glob("train*")}
    assert run("export", "--recipe", "recipe.toml").code == 0
    assert {path: path.read_bytes() for path in run.folder.glob("train*")} == files
    made = run("export", "--from-manifest", "train.jsonl", "-o", "b.jsonl", "--store", "store", "--json")
    assert facts_of(made)["lines"] == 150
    assert (run.folder / "b.jsonl").read_bytes() == (run.folder / "train.jsonl").read_bytes()


def test_verify(run: CommandLine, done: Ran) -> None:
    good = run("dataset", "verify", "train.jsonl")
    assert (good.code, good.stdout, good.stderr) == (0, "5 files, 167 lines, all as they were written\n", "")
    path = run.folder / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"order", b"ordEr", 1))
    bad = run("dataset", "verify", "train.jsonl")
    assert (bad.code, bad.stderr) == (1, "")
    assert bad.lines[-1] == "5 files, 167 lines; 2 faults"
    assert f"{path}:1: is not the line that was written" in bad.lines
    asked = run("dataset", "verify", "train.jsonl", "--json")
    assert (asked.code, json.loads(asked.stdout)["ok"]) == (1, False)


def test_show(run: CommandLine, done: Ran) -> None:
    shown = run("dataset", "show", "train.jsonl")
    assert (shown.code, shown.stderr) == (0, "")
    assert "selection       teacher = meta.llama3-1-405b" in shown.lines
    assert any(line.endswith("rules.near_duplicates.threshold = 0.8") for line in shown.lines)
    assert max(len(line) for line in shown.lines) < 120
    assert facts_of(run("dataset", "show", "train.jsonl.manifest.json", "--json"))["store_version"] == 2
    none = run("dataset", "show", "rejects.jsonl")
    assert (none.code, none.stdout) == (2, "")
    assert none.stderr.startswith("error: rejects.jsonl.manifest.json: there is no manifest\n")


def test_diff(run: CommandLine, done: Ran) -> None:
    more = run("export", "--recipe", "recipe.toml", "--max", "160", "-o", "b.jsonl", "--no-rule", "blank")
    assert more.code == 0, more.stderr
    diff = run("dataset", "diff", "train.jsonl", "b.jsonl", "--show", "1")
    assert (diff.code, diff.stderr) == (0, "")
    assert diff.lines[0] == "train     150 -> 160 lines; 150 stay (100.0 %), 10 came, 0 went, 0 changed"
    assert "max: 150 -> 160" in diff.lines
    assert "rules.blank.action: drop -> (none)" in diff.lines
    facts = facts_of(run("dataset", "diff", "train.jsonl", "train.jsonl", "--json"))
    assert (facts["same"], facts["settings"]) == (True, {})


def test_explain_tells_each_verdict(run: CommandLine, done: Ran) -> None:
    rejects = [json.loads(line) for line in (run.folder / "rejects.jsonl").read_text().splitlines()]
    for rule in ("near_duplicates", "choice"):
        dropped = next(each for each in rejects if each["rule"] == rule)
        told = run("explain", dropped["request_id"], "--recipe", "recipe.toml", "--store", "store")
        assert told.code == 0, told.stderr
        assert told.lines[-1].strip().startswith(f"{rule}: dropped: {dropped['reason']}")
    kept = json.loads((run.folder / "train.jsonl.pairs.jsonl").read_text().splitlines()[0])["request_id"]
    facts = facts_of(run("explain", kept, "--recipe", "recipe.toml", "--store", "store", "--json"))
    assert facts["stages"][-1]["verdict"] == "written"  # type: ignore[index]
    assert len(facts["exports"]) == 1  # type: ignore[arg-type]
    assert "stages" not in facts_of(run("explain", kept, "--store", "store", "--json"))
    told = run("explain", kept, "--curate", "--store", "store")
    assert (told.code, told.stderr) == (0, "")
    assert "near_duplicates: kept" in told.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--held-out", "110%"), "--held-out: cannot be '110%'"),
        (("--held-out", "x"), "--held-out: cannot be 'x'"),
        (("--rule", "balnk"), "Did you mean 'blank'?"),
        (("--rule", "length:min_answer_tokens=-3"), "min_answer_tokens"),
        (("--report", "blank:"), "--report blank:"),
        (("--recipe", "none.toml"), "--recipe none.toml: cannot be read"),
        (("--from-manifest", "none.jsonl"), "--teacher: the manifest says how the dataset is made"),
        (("--gold", "none.jsonl"), "none.jsonl"),
        (("--rejects", "no/where.jsonl"), "--rejects no/where.jsonl: the folder does not exist"),
        (("--held-out", "0.5", "--held-out-path", "no/a.jsonl"), "--held-out-path no/a.jsonl: the folder"),
        (("--save-recipe", "no/a.toml"), "--save-recipe no/a.toml: the folder does not exist"),
        (("--redact", "blur"), "--redact: cannot be 'blur'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_mistakes(run: CommandLine, sample_store: Path, words: tuple[str, ...], said: str) -> None:
    ran = run("export", "--teacher", TEACHER, *words, "-o", "x.jsonl", LOGMINER_STORE=str(sample_store))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    assert said in ran.stderr
    assert list(run.folder.iterdir()) == []


def test_a_command_that_is_ended_leaves_no_text_behind(
    run: CommandLine, sample_store: Path, tmp_path: Path
) -> None:
    """By SIGTERM, as `timeout`, containers and batch systems do, at any moment at which texts are on disk."""
    for number in range(20):
        folder = tmp_path / f"temporary-{number}"
        folder.mkdir()
        words = ("export", "--teacher", TEACHER, "--curate", "--redact", "surrogate", "-o", "x.jsonl")
        process = run.start(*words, LOGMINER_STORE=str(sample_store), TMPDIR=str(folder))
        while process.poll() is None and not list(folder.glob("*/*.pairs")):
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
        assert list(folder.iterdir()) == []
        if process.returncode != 0:
            assert (process.returncode, stderr) == (130, b"interrupted\n")
            assert list(run.folder.glob("x.jsonl*")) == []
            return
    raise AssertionError("no signal came in time")
