"""On a terminal: a table, a bar, nothing hostile. Off it: no colour, no bar, all records."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CommandLine

from cli.logs import hour_folder, record, write_log

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\u202e"
CARELESS = [record(1, prompt=f"p{ESCAPES}", answer=f"a{ESCAPES}\r\nb", modelId=f"vendor.m{ESCAPES}", requestMetadata={f"k{ESCAPES}": f"v{ESCAPES}"}, identity={"arn": f"i{ESCAPES}"})]  # fmt: skip


@pytest.fixture(scope="module")
def hostile_store(tmp_path_factory):
    """A store in which every text tries to take over the terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    write_log(hour_folder(folder / "logs") / "a.json.gz", CARELESS)
    (hour_folder(folder / "logs") / "b.json").write_text(f"{{broken {ESCAPES}\n")
    assert CommandLine(folder)("ingest", "logs", "--store", "store").code == 0
    return folder / "store"


QUESTIONS = (
    "select",
    "select --json",
    "select --format csv",
    "select --format tsv",
    "select --format markdown",
    "count --by model_id",
    "count --by identity_arn --json",
    "stats",
    "keys",
    "keys --json",
    "explain request-000001",
    "explain request-000001 --json",
    "store quarantine --raw",
    "store quarantine --json",
)


def test_no_text_from_a_log_reaches_a_terminal_as_a_control_sequence(run, hostile_store):
    def ask(question):
        return run.on_terminal(*question.split(), LOGMINER_STORE=str(hostile_store))

    with ThreadPoolExecutor(3) as pool:
        answers = dict(zip(QUESTIONS, pool.map(ask, QUESTIONS), strict=True))
    for question, shown in answers.items():
        assert (shown.code, "Traceback" in shown.stdout) == (0, False), question
        assert all(each.isprintable() or each in "\n\t" for each in shown.stdout), (question, shown.stdout)
        assert "\\u001b" in shown.stdout, question


def test_a_pipe_gets_the_text_as_it_was(run, hostile_store):
    piped = run("select", LOGMINER_STORE=str(hostile_store))
    assert json.loads(piped.stdout)["response"] == f"a{ESCAPES}\r\nb"
    raw = run("store", "quarantine", "--raw", LOGMINER_STORE=str(hostile_store))
    assert ESCAPES in raw.stdout


def test_words_on_stderr_are_escaped_even_in_a_pipe(run, hostile_store):
    said = run("stats", "--teacher", f"no{ESCAPES}", LOGMINER_STORE=str(hostile_store))
    assert said.code == 0
    assert all(each.isprintable() or each == "\n" for each in said.stderr)


def test_select_shows_twenty_rows_on_a_terminal_and_all_in_a_pipe(run, sample_store):
    store = str(sample_store)
    table = run.on_terminal("select", LOGMINER_STORE=store)
    head, *_, last = table.stdout.splitlines()
    assert head.split() == ["timestamp", "model", "metadata", "prompt", "response", "tokens", "out"]
    assert last == "20 of 742 records; more with --limit N"
    assert sum(line.startswith("20") for line in table.stdout.splitlines()[1:-1]) == 20
    assert max(map(len, table.stdout.splitlines())) <= 100
    piped = run("select", LOGMINER_STORE=store)
    assert len(piped.lines) == 742
    assert piped.stderr == ""


def test_ingest_has_a_bar_on_a_terminal_alone(run, tmp_path):
    write_log(hour_folder(tmp_path / "logs") / "a.json.gz", [record(number) for number in range(20)])
    shown = run.on_terminal("ingest", "logs", "--store", "one")
    assert shown.code == 0
    assert "listing 1 object " in shown.stdout
    assert "━" in shown.stdout
    assert "20 records from 1 new log object" in shown.stdout.rpartition("\x1b[2K")[2]
    plain = run("ingest", "logs", "--store", "two")
    assert (plain.code, plain.stdout) == (0, "")
    assert plain.stderr.isascii()
    assert plain.stderr.startswith("20 records from 1 new log object (0.0 MB in ")
    quiet = run("ingest", "logs", "--store", "two")
    assert quiet.stderr == "nothing new; 1 log object known; store version 1\n"


def test_nothing_is_coloured_but_the_bar(run, sample_store):
    for words in (["stats"], ["count", "--nope"], ["--help"], ["store", "info"]):
        assert "\x1b" not in run.on_terminal(*words, LOGMINER_STORE=str(sample_store)).stdout


def test_a_narrow_encoding_shows_other_characters_by_their_numbers(run, sample_store):
    shown = run(
        "select",
        "--where", "contains(response, 'Zoë')", "--limit", "1",
        "--format", "table", "--columns", "request_id,response",
        LOGMINER_STORE=str(sample_store), PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert shown.code == 0
    assert "Zo\\xeb" in shown.stdout
