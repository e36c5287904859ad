"""Help of every command, and what shells complete."""

from __future__ import annotations

import re

import pytest

from logminer.cli import choices
from logminer.cli.app import app
from logminer.curation import curation_rules
from logminer.exports import export_formats
from logminer.filters import TARGETS
from logminer.query.rows import SELECT_COLUMNS
from logminer.validation.profiles import profile_names

COMMANDS = (
    "ingest", "select", "count", "stats", "keys", "export", "validate", "convert", "filter", "explain",
    "store", "store info", "store history", "store quarantine",
    "dataset", "dataset show", "dataset verify", "dataset diff",
)  # fmt: skip


def test_the_list_of_commands_is_complete_and_no_summary_is_cut(run):
    shown = run("--help")
    assert (shown.code, shown.stderr) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  +(\S.*)$", shown.stdout.partition("Commands:\n")[2], re.MULTILINE)
    commands = [name for name in COMMANDS if " " not in name]
    summaries = dict(listed[: len(commands)])
    assert list(summaries) == commands
    assert all(text.endswith(".") and not text.endswith("...") for text in summaries.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_fits_80_columns(run, command):
    shown = run(*command.split(), "--help")
    assert (shown.code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"Usage: logminer {command}")
    assert f"  Examples:\n    logminer {command}" in shown.stdout or command in ("ingest", "store")
    assert "  Examples:\n" in shown.stdout
    assert max(map(len, shown.lines)) <= 80
    assert "..." not in shown.stdout.replace("SOURCE...", "").replace("[ARGS]...", "")
    assert not re.search(r"<\w+|\{|list\[", shown.stdout), "a type is not what a user gives"


def listed_commands(group, words=()):
    """Every command below a group, with its line in the list."""
    for name, listed in group.commands.listed.items():
        made = group.commands[name]
        yield (*words, name), listed.about, made
        if hasattr(made, "commands"):
            yield from listed_commands(made, (*words, name))


@pytest.mark.parametrize(
    ("about", "made"), [pytest.param(*more, id=" ".join(words)) for words, *more in listed_commands(app)]
)
def test_a_command_is_listed_with_the_first_line_of_its_help(about, made):
    assert made.help.partition("\n")[0] == about


def test_help_has_a_short_name(run):
    assert run("store", "info", "-h") == run("store", "info", "--help")


def test_the_words_for_completion_are_those_of_the_program():
    assert choices.SELECT_COLUMNS == SELECT_COLUMNS
    assert tuple(export_formats()) == choices.EXPORT_FORMATS
    assert tuple(curation_rules()) == choices.RULES
    assert sorted(choices.FILTER_TARGETS) == sorted([*TARGETS, "text"])
    assert sorted(choices.PROFILES) == list(profile_names())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "",
            [
                "ingest",
                "select",
                "count",
                "stats",
                "keys",
                "export",
                "validate",
                "convert",
                "filter",
                "explain",
                "store",
                "dataset",
            ],
        ),
        ("filter --to ", list(choices.FILTER_TARGETS)),
        ("export --to b", ["batch", "bedrock-conversation", "bedrock-eval"]),
        ("validate --profile distill-", ["distill-single", "distill-nova"]),
        ("select --format js", ["json", "jsonl"]),
        ("count --format ", ["text", "json"]),
        ("select --status pair,tr", ["pair,truncated"]),
        ("select --columns request_id,mod", ["request_id,model_id", "request_id,model"]),
        ("count --exclude-detail pre", ["prefill"]),
        ("select --operation InvokeModelW", ["InvokeModelWithResponseStream"]),
        ("stats --teacher amazon.nova-pro", ["amazon.nova-pro-v1"]),
        ("store quarantine --reason cut", ["cut_off"]),
        ("count --by stop_", ["stop_reason", "stop_class"]),
        ("count --limit x --status p", ["pair"]),
    ],
)
def test_shells_complete_values(run, line, expected):
    words = f"logminer {line}"
    completed = run(
        COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1), _LOGMINER_COMPLETE="complete_bash"
    )
    assert (completed.code, completed.lines, completed.stderr) == (0, expected, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(run, shell):
    script = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (script.code, script.stderr) == (0, "")
    assert f"complete_{shell}" in script.stdout
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    line = {"COMP_WORDS": "logminer filter --to te", "COMP_CWORD": "3"}
    asked = {"_TYPER_COMPLETE_ARGS": "logminer filter --to te"} if shell != "bash" else line
    completed = run(_LOGMINER_COMPLETE=f"complete_{shell}", **asked, **fish)
    assert completed.code == 0
    assert "text" in completed.stdout
