"""Facts for programs: what `--json` holds, and that numbers agree between commands."""

from __future__ import annotations

import csv
import io
import json
import re

import pyarrow.parquet as pq
import pytest
from conftest import SAMPLE_LOGS

from cli.logs import hour_folder, record, write_log

TEACHER = "meta.llama3-1-405b-instruct-v1:0"


def facts_of(ran):
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_ingest(run):
    facts = facts_of(run("ingest", SAMPLE_LOGS, "--store", "store", "--json"))
    assert {
        "objects",
        "records",
        "by_status",
        "quarantined",
        "bytes_read",
        "seconds",
        "version",
    } <= facts.keys()
    assert facts["objects"] | {"listed": 33, "new": 33, "skipped": 0} == facts["objects"]
    assert facts["records"] == sum(facts["by_status"].values()) == 885
    assert facts["quarantined"] == 2
    assert facts["bytes_read"] > 250_000
    again = facts_of(run("ingest", SAMPLE_LOGS, "--store", "store", "--format", "json"))
    assert again["objects"] | {"listed": 33, "new": 0, "skipped": 33} == again["objects"]
    assert (again["records"], again["version"]) == (0, facts["version"])


@pytest.mark.parametrize(
    ("options", "code"), [([], 0), (["--strict"], 5), (["--max-bad", "1"], 5), (["--max-bad", "2"], 0)]
)
def test_what_was_quarantined_can_fail_an_ingest_that_is_done_all_the_same(run, options, code):
    ran = run("ingest", SAMPLE_LOGS, "--store", "store", *options)
    assert (ran.code, ran.stdout) == (code, "")
    assert ran.stderr.splitlines()[-2].startswith("error: quarantined: 2 values; allowed: ") is (code == 5)
    assert run("count", "--store", "store").stdout == "742\n"


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("count", {"count", "lacking", "hints"}),
        ("count --by region", {"count", "by", "lacking", "hints"}),
        ("stats", {"version", "rows", "redelivered", "statuses", "models", "unresolved", "lacking", "hints"}),
        ("keys", {"records", "untagged", "keys", "more_keys"}),
        ("explain a16e1c5e-248c-44ad-bd40-181ebb8987db", {"request_id", "records", "conditions", "exports"}),
        ("store info", {"uri", "version", "rows", "files", "size_bytes", "models", "quarantined", "exports"}),
        ("filter a=1 --to text", {"filter", "target", "translation"}),
        ("filter a=1", {"equals"}),
    ],
)
def test_questions(run, sample_store, command, keys):
    asked = run(*command.split(), "--json", LOGMINER_STORE=str(sample_store))
    assert keys <= facts_of(asked).keys()


@pytest.mark.parametrize("command", ["store info", "filter a=1 --to athena"])
def test_json_is_a_format_too(run, sample_store, command):
    asked = [
        run(*command.split(), *way, LOGMINER_STORE=str(sample_store))
        for way in (["--json"], ["--format", "json"])
    ]
    assert asked[0] == asked[1]
    assert facts_of(asked[0])


def test_lists(run, sample_store):
    store = str(sample_store)
    history = facts_of(run("store", "history", "--json", LOGMINER_STORE=store))
    assert [commit["version"] for commit in history] == list(range(len(history)))[::-1]
    quarantined = facts_of(run("store", "quarantine", "--json", LOGMINER_STORE=store))
    assert [entry["reason"] for entry in quarantined] == ["invalid_json", "cut_off"]
    assert facts_of(run("select", "--json", "--limit", "0", LOGMINER_STORE=store)) == []


def test_a_record_has_the_columns_of_the_store_and_its_model(run, sample_store):
    store = str(sample_store)
    lines = run("select", "--limit", "3", LOGMINER_STORE=store).lines
    first = json.loads(lines[0])
    assert first["model"] == first["model_id"] == "anthropic.claude-3-5-sonnet-20241022-v2:0"
    assert first["request_metadata"]["project"] == "CustomerService"
    assert first["messages"][0]["role"] == "user"
    assert first["timestamp"] == "2024-12-05T09:02:14Z"
    assert "request_metadata_rest" not in first
    assert [json.loads(line) for line in lines] == facts_of(
        run("select", "--limit", "3", "--format", "json", LOGMINER_STORE=store)
    )


def test_all_formats_hold_the_same_records(run, sample_store):
    options = ["--filter", "project=HR", "--columns", "request_id,timestamp,turns,request_metadata,response"]
    store = str(sample_store)
    for name in ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.md"):
        ran = run("select", *options, "-o", name, LOGMINER_STORE=store)
        assert (ran.code, ran.stdout, ran.stderr) == (0, "", f"77 records written to {name}\n")
    folder = run.folder
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
    assert json.loads((folder / "a.json").read_text()) == lines
    for name, delimiter in (("a.csv", ","), ("a.tsv", "\t")):
        table = csv.DictReader(io.StringIO((folder / name).read_text(), newline=""), delimiter=delimiter)
        rows = [{**row, "turns": int(row["turns"]), "request_metadata": json.loads(row["request_metadata"])} for row in table]  # fmt: skip
        assert rows == lines
    parquet = pq.read_table(folder / "a.parquet").to_pylist(maps_as_pydicts="strict")
    assert [row | {"timestamp": f"{row['timestamp']:%Y-%m-%dT%H:%M:%SZ}"} for row in parquet] == lines
    assert len((folder / "a.md").read_text().splitlines()) == 79


@pytest.mark.parametrize(
    "selection",
    [
        ["--teacher", "meta.llama3-1-405b"],
        ["--filter", "project=CustomerService AND priority=High"],
        ["--teacher", "amazon.nova-pro-v1:0", "--filter", "priority!=High"],
        [
            "--teacher",
            "us.meta.llama3-3-70b-instruct-v1:0",
            "--since",
            "2026-06-03",
            "--exclude-detail",
            "prefill",
        ],
        ["--teacher", "meta.llama3-1-405b", "--where", "output_tokens > 60", "--has-key", "team"],
    ],
    ids=" ".join,
)
def test_the_last_number_of_stats_is_what_export_writes(run, fresh_store, selection):
    store = str(fresh_store())
    said = run("stats", *selection, LOGMINER_STORE=store)
    exported = run("export", *selection, "--allow-few", "-o", "train.jsonl", "--json", LOGMINER_STORE=store)
    facts = facts_of(exported)
    lines = (run.folder / "train.jsonl").read_text().count("\n")
    assert lines == facts["lines"] == int(re.findall(r"\d+", said.stdout)[-1])
    assert oct((run.folder / "train.jsonl").stat().st_mode)[-3:] == "600"


def test_an_export_can_be_validated_as_it_says(run, fresh_store):
    store = str(fresh_store())
    done = run("export", "--teacher", "meta.llama3-1-405b", "-o", "a b.jsonl", LOGMINER_STORE=store)
    assert (done.code, done.stdout) == (0, "")
    assert f"235 pairs of {TEACHER} written to {run.folder}/a b.jsonl (" in done.stderr
    assert f"logminer validate '{run.folder}/a b.jsonl' --teacher {TEACHER}" in done.stderr
    checked = run("validate", "a b.jsonl", "--teacher", TEACHER)
    assert (checked.code, checked.stderr) == (0, "")
    assert facts_of(run("validate", "a b.jsonl", "--json"))["ok"] is True
    story = facts_of(run("explain", "a16e1c5e-248c-44ad-bd40-181ebb8987db", "--json", LOGMINER_STORE=store))
    assert story["exports"] == []


def test_one_of_a_thing_is_not_called_many(run, tmp_path):
    write_log(hour_folder(tmp_path / "logs") / "a.json.gz", [record(1, modelId=TEACHER)])
    assert run("ingest", "logs", "--store", "store").code == 0
    words = ("export", "--teacher", TEACHER, "-o", "x.jsonl", "--store", "store")
    refused = run(*words)
    assert refused.code == 1
    assert "only 1 different pair matches; a distillation job needs 100" in refused.stderr
    done = run(*words, "--allow-few", "--rejects", "rejects.jsonl")
    assert done.code == 0
    assert done.stderr.startswith(f"1 pair of {TEACHER} written to ")
    assert "Only 1 line: a distillation job needs 100." in done.stderr
    checked = run("validate", "x.jsonl")
    assert "1 valid line, at least 100 are needed" in checked.stdout
    ready = run("stats", "--require-ready", "--store", "store")
    assert ready.stderr.startswith("error: 1 pair")


def test_any_ready_teacher_is_enough(run, tmp_path):
    logs = hour_folder(tmp_path / "logs")
    write_log(logs / "a.json.gz", [record(number) for number in range(100)])
    write_log(logs / "b.json.gz", [record(number, modelId="meta.llama3-3-70b-instruct-v1:0") for number in range(200, 250)])  # fmt: skip
    assert run("ingest", "logs", "--store", "store").code == 0
    assert run("stats", "--require-ready", "--store", "store").code == 0
    few = run("stats", "--require-ready", "--store", "store", "--teacher", "meta.llama3-3-70b")
    assert (few.code, few.stderr.splitlines()[0]) == (
        1,
        "error: 50 pairs, fewer than a distillation job takes (100 to 15,000)",
    )
