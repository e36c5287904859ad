"""`--text-for` and `--text-teacher`: whose text is in the store, and that nobody else's is anywhere in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CommandLine

from logminer import pipeline
from logminer.errors import UsageError
from logminer.ingestion.driver import Portions, ingest_objects
from logminer.ingestion.text_scope import TEXT_COLUMNS, TextScope
from logminer.sources import list_source

from .ground import Ground, record

NOVA = "amazon.nova-pro-v1:0"
LLAMA = "meta.llama3-1-405b-instruct-v1:0"
OPAQUE = "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abcd1234efgh"


def secret(name: str, metadata: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    """A record whose every text has `secret-NAME` in it."""
    text = f"secret-{name}"
    tool = {
        "toolSpec": {"name": text, "description": text, "inputSchema": {"json": {"type": "object"}}},
    }
    sent = {
        "system": [{"text": text}],
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "inferenceConfig": {"stopSequences": [text]},
        "toolConfig": {"tools": [tool]},
    }
    content = [{"reasoningContent": {"reasoningText": {"text": text}}}, {"text": text}]
    answer = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn"}
    bodies = {
        "input": {"inputBodyJson": sent, "inputTokenCount": 7},
        "output": {"outputBodyJson": answer, "outputTokenCount": 5},
    }
    return record(name, metadata, **{**bodies, **changes})


@pytest.fixture
def logs(ground: Ground) -> Path:
    """Records of several projects and models, and some that cannot be read."""
    ground.write(
        "a",
        [
            secret("ours", {"project": "Ours"}),
            secret("nova", {"project": "Ours"}, modelId=NOVA),
            secret("opaque", {"project": "Ours"}, modelId=OPAQUE),
            secret("theirs", {"project": "Theirs"}),
            secret("none", None),
            secret("failed", {"project": "Theirs"}, errorCode="ThrottlingException"),
            record("empty", None, errorCode="X", input={}, output={}),
            b'{"secret-broken": ',
        ],
    )
    return ground.logs


def kept(store: str) -> list[str]:
    """The requests whose text is in the store."""
    rows = pipeline.select(store, status="all", columns=["request_id", *TEXT_COLUMNS])
    return sorted(row["request_id"] for row in rows if any(row[name] is not None for name in TEXT_COLUMNS))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"text_for": "project=Ours"}, ["nova", "opaque", "ours"]),
        ({"text_for": "project!=Ours"}, ["failed", "none", "theirs"]),
        ({"text_for": 'project=Ours OR project="Theirs"'}, ["failed", "nova", "opaque", "ours", "theirs"]),
        ({"text_teacher": "meta.llama3-1-405b"}, ["failed", "none", "ours", "theirs"]),
        ({"text_teacher": f"us.{NOVA}"}, ["nova"]),
        ({"text_teacher": NOVA, "aliases": {"abcd1234efgh": NOVA}}, ["nova", "opaque"]),
        ({"text_for": "project=Ours", "text_teacher": LLAMA}, ["ours"]),
        ({"text_for": "project=nobodys"}, []),
    ],
)
def test_whose_text_is_kept(ground: Ground, logs: Path, scope: dict[str, Any], expected: list[str]) -> None:
    store = str(ground.store)
    report = pipeline.ingest(str(logs), store=store, **scope)
    assert kept(store) == expected
    assert report.tally.without_text == 6 - len(expected)
    everything = b"".join(path.read_bytes() for path in ground.store.rglob("*") if path.is_file())
    for name in {"ours", "nova", "opaque", "theirs", "none", "failed", "broken"} - set(expected):
        assert f"secret-{name}".encode() not in everything


def test_all_that_is_no_text_stays(ground: Ground, logs: Path) -> None:
    pipeline.ingest(str(logs), store=str(ground.folder / "whole"))
    pipeline.ingest(str(logs), store=str(ground.store), text_for="project=nobodys")
    whole, bare = (
        list(pipeline.select(str(store), status="all")) for store in (ground.folder / "whole", ground.store)
    )
    details = {row["request_id"]: row.pop("status_detail") or "" for row in bare}
    assert "text_not_kept" not in details.pop("empty")
    assert {detail.split()[-1] for detail in details.values()} == {"text_not_kept"}
    for row, other in zip(bare, whole, strict=True):
        for name in (*TEXT_COLUMNS, "ingest_id", "ingested_at"):
            del row[name], other[name]
        other.pop("status_detail")
        assert row == other
    assert {row["status"] for row in bare} == {"pair", "error"}


def test_workers_keep_the_same_text(ground: Ground, logs: Path) -> None:
    ground.write("b", [secret("more", {"project": "Ours"})])
    report = ingest_objects(
        ground.storage,
        list_source(str(logs)).objects,
        workers=2,
        portions=Portions(one_process_bytes=0, batch_objects=1),
        text_scope=TextScope(filter="project=Ours", teacher=LLAMA),
    )
    assert kept(str(ground.store)) == ["more", "ours"]
    assert report.tally.without_text == 5


def test_a_pair_without_its_text_is_none(ground: Ground, logs: Path) -> None:
    store, path = str(ground.store), ground.folder / "out.jsonl"
    pipeline.ingest(str(logs), store=store, text_for="project=Ours")
    assert [row["request_id"] for row in pipeline.select(store)] == ["nova", "opaque", "ours"]
    assert pipeline.count(store).count == 3
    assert pipeline.count(store, status="all").count == 7
    (model,) = pipeline.stats(store, teacher=LLAMA).models
    losses = {loss.reason: loss.count for loss in model.losses}
    assert losses == {"error": 2, "text_not_kept": 2}
    assert (model.records, model.pairs, model.distinct_pairs) == (5, 1, 1)
    pipeline.export(str(path), store, teacher=LLAMA, allow_few=True)
    assert len(path.read_bytes().splitlines()) == 1
    pipeline.export(str(path), store, prompts_only=True, allow_few=True)
    prompts = {
        json.loads(line)["messages"][0]["content"][0]["text"] for line in path.read_text().splitlines()
    }
    assert prompts == {"secret-ours", "secret-nova", "secret-opaque"}


def test_a_wider_choice_later(ground: Ground, logs: Path) -> None:
    store = str(ground.store)
    pipeline.ingest(str(logs), store=store, text_for="project=nobodys")
    assert pipeline.ingest(str(logs), store=store, text_for="project=Ours").tally.objects == 0
    report = pipeline.ingest(str(logs), store=store, text_for="project=Ours", reparse=True)
    assert (report.reread, kept(store)) == (1, ["nova", "opaque", "ours"])
    assert pipeline.ingest(str(logs), store=store, reparse=True).reread == 1
    assert len(kept(store)) == 6
    assert pipeline.ingest(str(logs), store=store, reparse=True).reread == 0
    assert pipeline.count(store, status="all").count == 7


def test_a_scope_that_is_none(ground: Ground, logs: Path) -> None:
    for scope in ({"text_for": ""}, {"text_for": "a=1 AND b=2 OR c=3"}, {"text_teacher": " "}):
        with pytest.raises(UsageError):
            pipeline.ingest(str(logs), store=str(ground.store), **scope)
    assert not ground.store.exists()


def test_the_configuration_says_it_for_every_run(ground: Ground, logs: Path) -> None:
    run = CommandLine(ground.folder)
    settings = ground.folder / "logminer.toml"
    settings.write_text(f'[ingest]\ntext_for = "project=Ours"\ntext_teacher = "{LLAMA}"\n')
    ran = run("ingest", logs, "--store", "store")
    assert ran.code == 0, ran.stderr
    assert "without their text: 5 records" in ran.stderr
    assert kept(str(ground.store)) == ["ours"]
    assert run("ingest", logs, "--store", "other", "--text-teacher", NOVA, "--json").code == 0
    assert kept(str(ground.folder / "other")) == ["nova"]
    settings.write_text("[ingest]\ntext_for = 3\n")
    ran = run("ingest", logs, "--store", "third")
    assert (ran.code, "[ingest]" in ran.stderr) == (3, True)
