"""`logminer validate` by exit code, stdout and stderr."""

from __future__ import annotations

import json

import pytest
from conftest import SAMPLE_LOGS, CommandLine, Ran

from .datasets import lines_of

GOOD = b"\n".join(lines_of(100)) + b"\n"
BAD = b'{"schemaVersion": 1}\n' + GOOD


def written(run: CommandLine, name: str, content: bytes) -> str:
    (run.folder / name).write_bytes(content)
    return name


def test_a_good_file(run: CommandLine) -> None:
    ran = run("validate", written(run, "set.jsonl", GOOD))
    assert ran == Ran(0, "set.jsonl: passes distill-single: 100 lines, 100 valid, 0 errors, 0 warnings\n", "")


def test_standard_input(run: CommandLine) -> None:
    ran = run("validate", "-", stdin=GOOD.decode())
    assert ran == Ran(0, "-: passes distill-single: 100 lines, 100 valid, 0 errors, 0 warnings\n", "")
    packed = run("validate", "-", "--json", stdin=BAD.decode())
    assert packed.code == 1
    assert json.loads(packed.stdout)["counts"] == {"missing_key": 1, "schema_version": 1}


def test_annotations_for_a_workflow(run: CommandLine) -> None:
    ran = run("validate", written(run, "a,b: 100%.jsonl", BAD), "--format", "github")
    assert (ran.code, ran.stderr) == (1, "")
    place = "file=a%2Cb%3A 100%25.jsonl,line=1"
    assert ran.lines == [
        f"::error title=missing_key,{place}::$: the key `messages` is missing. Add the key.",
        (
            f"::error title=schema_version,{place}::$.schemaVersion: the value is not "
            '"bedrock-conversation-2024". Write "schemaVersion": "bedrock-conversation-2024".'
        ),
        "::notice::a,b: 100%25.jsonl: does not pass distill-single: 101 lines, 100 valid, 2 errors, 0 warnings",
    ]
    assert "file=" not in run("validate", "-", "--format", "github", stdin="{}").stdout
    many = run("validate", written(run, "many.jsonl", b"{}\n" * 2_000), "--format", "github")
    assert many.lines[-2] == "::notice::3,000 more are not shown"


def test_fixing(run: CommandLine) -> None:
    ran = run(
        "validate", written(run, "in.jsonl", b"\xef\xbb\xbf" + GOOD + b"\n"), "--fix", "-o", "out.jsonl"
    )
    assert ran == Ran(
        0,
        "out.jsonl: mended: byte order mark removed: 1\n"
        "out.jsonl: mended: blank line removed: 1\n"
        "out.jsonl: passes distill-single: 100 lines, 100 valid, 0 errors, 0 warnings\n",
        "",
    )
    assert (run.folder / "out.jsonl").read_bytes() == GOOD


def test_logs(run: CommandLine) -> None:
    ran = run(
        "validate", SAMPLE_LOGS, "--profile", "invocation-logs", "--teacher", "amazon.nova-pro", "--show", "1"
    )
    assert ran.code == 1
    assert ran.stderr == ""
    assert ran.lines[0].endswith("pairs, at least 100 are needed")
    facts = json.loads(run("validate", SAMPLE_LOGS, "--profile", "invocation-logs", "--json").stdout)
    assert (facts["lines"], facts["ok"]) == (887, True)
    assert facts["faults"][0]["file"].startswith("file://")


def test_a_report_of_a_dataset_names_no_other_file(run: CommandLine) -> None:
    facts = json.loads(run("validate", written(run, "bad.jsonl", BAD), "--json").stdout)
    assert facts.keys() == {
        *("ok", "path", "profile", "lines", "valid", "labelled", "size_bytes", "errors", "warnings"),
        *("faults", "counts", "notes"),
    }
    assert facts["faults"][0].keys() == {"line", "path", "rule", "severity", "message", "fix"}


def test_the_model_and_the_validation_set(run: CommandLine) -> None:
    name = written(run, "sft.jsonl", b"\n".join(lines_of(10)))
    assert run("validate", name, "--profile", "nova-sft").code == 0
    few = run("validate", name, "--profile", "nova-sft", "--model", "lite-2.0")
    assert few.lines[0] == "sft.jsonl: 10 valid lines, at least 200 are needed"
    assert run("validate", name, "--profile", "nova-sft", "--model", "lite-2.0", "--allow-few").code == 0
    assert run("validate", name, "--profile", "llama-conversation").code == 1
    assert run("validate", name, "--profile", "llama-conversation", "--held-out").code == 0


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (["--fix"], "error: --fix: needs a file to write\n  Name it with -o mended.jsonl.\n"),
        (["-o", "x.jsonl"], "error: -o: goes with --fix\n  Give --fix too, or leave -o out.\n"),
        (
            ["--format", "x"],
            "error: --format: there is no format 'x'\n  Formats are: table, json, github, text\n",
        ),
        (
            ["--format", "github", "--json"],
            "error: --json and --format github: contradict each other\n  Give one of them.\n",
        ),
        (
            ["--held-out"],
            (
                "error: --held-out: a job with distill-single takes no validation set\n"
                "  Leave it out, or choose another profile or model.\n"
            ),
        ),
        (
            ["--profile", "invocation-logs", "--model", "x"],
            "error: --model: does not go with invocation-logs\n  Leave it out.\n",
        ),
    ],
)
def test_options_that_can_not_be_meant(run: CommandLine, arguments: list[str], stderr: str) -> None:
    assert run("validate", written(run, "set.jsonl", GOOD), *arguments) == Ran(2, "", stderr)


def test_other_addresses_are_refused(run: CommandLine) -> None:
    ran = run("validate", "ftp://host/set.jsonl")
    assert (
        ran.stderr
        == "error: ftp://host/set.jsonl: is neither a local path nor s3://bucket/key\n  Give one of these.\n"
    )
    assert ran.code == 2
