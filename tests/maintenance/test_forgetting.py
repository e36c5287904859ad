"""What is forgotten is in no file of the store any more, and does not come back."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from store.ground import Ground, check_invariants, finish, orphans, record

from logminer import pipeline
from logminer.errors import UsageError
from logminer.ingestion.driver import Reread
from logminer.maintenance import forgetting
from logminer.store.table import INGEST, MAINTENANCE, Table, open_table

from .looking import files_of, make_older, places_with

TEXT, PERSON, CUSTOMER = "zebra-text", "zebra-person", "zebra-customer"
IDENTITY = f"arn:aws:iam::111122223333:user/{PERSON}"

FORGETTING = """
import sys
from logminer import pipeline
pipeline.forget(sys.argv[1], identities=sys.argv[2])
"""


def secret(request_id: str | None, metadata: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """A record of the person, with the text in all its parts."""
    value = record(request_id, {"customer": CUSTOMER, "project": "P", **(metadata or {})}, **changes)
    value["identity"] = {"arn": IDENTITY}
    value["input"]["inputBodyJson"] = {
        "system": [{"text": TEXT}],
        "messages": [{"role": "user", "content": [{"text": f"{TEXT} {request_id}"}]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": TEXT, "inputSchema": {"json": {}}}}]},
        "inferenceConfig": {"stopSequences": [TEXT]},
    }
    value["output"]["outputBodyJson"]["output"]["message"]["content"] = [
        {"reasoningContent": {"reasoningText": {"text": TEXT}}},
        {"text": TEXT},
    ]
    return value


@pytest.fixture
def filled(ground: Ground) -> Ground:
    """A store in which a person's records are in many files and versions, in the quarantine and in an export."""
    for number in range(4):
        broken = f'{{"requestId": "s{number}", "identity": "{IDENTITY}", "customer": "{CUSTOMER}", {TEXT}'
        ground.write(
            str(number),
            [
                secret(f"s{number}", timestamp=f"2026-06-0{1 + number % 2}T10:00:00Z"),
                record(f"other-{number}", {"project": "P", "customer": "else"}),
                broken.encode(),
                b"broken too",
            ],
        )
        ground.ingest()
    ground.write("again", [secret("s0"), record("other-0")])
    ground.ingest()
    pipeline.compact(str(ground.store))
    pipeline.export(
        str(ground.folder / "train.jsonl"), str(ground.store), allow_few=True, filter=f"customer={CUSTOMER}"
    )
    return ground


ALL = tuple(f"s{number}" for number in range(4))
WAYS: dict[str, dict[str, Any]] = {
    "request ids": {"request_ids": ALL},
    "identity": {"identities": IDENTITY},
    "identity with a wildcard": {"identities": f"*:user/{PERSON[:6]}?erson"},
    "metadata": {"metadata": [("customer", CUSTOMER)]},
}


@pytest.mark.parametrize("way", WAYS)
def test_no_file_holds_what_was_forgotten(filled: Ground, way: str) -> None:
    assert len(places_with(filled.store, TEXT)) > 4
    others = [row for row in filled.selected() if row["request_id"].startswith("other")]
    report = pipeline.forget(str(filled.store), **WAYS[way])
    assert (report.records, report.quarantined) == (5, 4)
    for text in (TEXT, PERSON, CUSTOMER):
        left = places_with(filled.store, text)
        if way != "metadata" and text == CUSTOMER:
            # The register says how an export was selected; that is no content of these requests.
            left = [path for path in left if not path.startswith("exports/")]
        assert left == [], text
    assert [row for row in filled.selected() if row["request_id"].startswith("other")] == others
    assert len(filled.selected()) == len(others) == 4
    check_invariants(filled)
    assert not orphans(filled)


def test_what_stays_is_a_tombstone(filled: Ground) -> None:
    pipeline.forget(str(filled.store), request_ids=ALL)
    (row,) = filled.selected(status="forgotten", where="request_id = 's1'")
    kept = {name for name, value in row.items() if value not in (None, "")}
    assert kept == {
        *("date", "timestamp", "request_id", "status", "redelivered", "source_uri", "source_position"),
        *("source_etag", "source_size", "ingest_id", "ingested_at", "parser_version"),
    }
    assert row["timestamp"].isoformat() == "2026-06-02T00:00:00+00:00"
    assert pipeline.stats(str(filled.store)).statuses == {"pair": 4}
    assert pipeline.explain("s1", str(filled.store)).records[0]["status"] == "forgotten"


def test_places_that_still_hold_it_are_named(filled: Ground) -> None:
    report = pipeline.forget(str(filled.store), request_ids=("s0", "s3", "never-seen"))
    assert [uri.rpartition("/")[2] for uri in report.log_objects] == [
        "0.json.gz",
        "3.json.gz",
        "again.json.gz",
    ]
    assert [(each.path, each.lines) for each in report.exports] == [(str(filled.folder / "train.jsonl"), 2)]
    assert report.unknown == ("never-seen",)
    assert (report.records, report.quarantined) == (3, 2)


def test_selections_of_exports_do_not_tell(filled: Ground) -> None:
    pipeline.forget(str(filled.store), metadata=[("customer", CUSTOMER)])
    (path,) = (filled.store / "exports").iterdir()
    assert '"filter":"(forgotten)"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_versions_that_held_it_are_gone_and_say_so(filled: Ground) -> None:
    before = open_table(filled.storage).version
    pipeline.forget(str(filled.store), request_ids="s2")
    with pytest.raises(
        UsageError, match=r"can no longer be read: \d+ of its files are gone; the last vacuum"
    ):
        pipeline.count(str(filled.store), version=before)
    with pytest.raises(UsageError) as caught:
        pipeline.count(str(filled.store), version=before - 2)
    oldest = int(str(caught.value).rpartition(" ")[2].rstrip("."))
    assert pipeline.count(str(filled.store), version=oldest).count == 7


def test_a_dry_run_tells_the_same_and_changes_nothing(filled: Ground) -> None:
    before = files_of(filled.store)
    told = pipeline.forget(str(filled.store), identities=IDENTITY, dry_run=True)
    assert files_of(filled.store) == before
    done = pipeline.forget(str(filled.store), identities=IDENTITY)
    for name in ("records", "dates", "log_objects", "quarantined", "exports", "files_rewritten"):
        assert getattr(told, name) == getattr(done, name), name


def test_nothing_to_forget_is_no_version(filled: Ground) -> None:
    before = open_table(filled.storage).version
    report = pipeline.forget(str(filled.store), identities="arn:nobody")
    assert (report.records, report.version, report.files_deleted) == (0, before, 0)


# --- it does not come back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_later_ingests_do_not_bring_it_back(
    filled: Ground, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.forget(str(filled.store), **WAYS[way])
    assert filled.ingest().tally.objects == 0

    filled.write("another-object", [record("new"), secret("s2")])
    report = filled.ingest()
    assert (report.tally.records, report.forgotten) == (2, 1)

    filled.write(
        "3", [record("changed"), secret("s3", {"more": TEXT}), b'{"requestId": "s3", ' + TEXT.encode()]
    )
    filled.ingest(reread=Reread(changed=True))

    monkeypatch.setattr("logminer.ingestion.choice.PARSER_VERSION", 99)
    assert filled.ingest(reread=Reread(older_parsers=True)).reread > 4
    for text in (TEXT, PERSON):
        assert places_with(filled.store, text) == [], text
    assert len(filled.requests()) == 5  # one gave way to "changed"
    check_invariants(filled)
    assert "s2" not in filled.requests()


def test_requests_that_come_later_are_kept_out(ground: Ground) -> None:
    ground.write("a", [record("first")])
    ground.ingest()
    pipeline.forget(str(ground.store), request_ids="s1")
    ground.write("b", [secret("s1"), record("second"), secret("s2")])
    report = ground.ingest()
    assert (report.tally.records, report.forgotten) == (3, 1)
    assert ground.requests() == ["first", "s2", "second"]


def test_a_person_s_later_calls_are_not_affected(filled: Ground) -> None:
    pipeline.forget(str(filled.store), identities=IDENTITY)
    filled.write("later", [secret("s100")])
    filled.ingest()
    assert "s100" in filled.requests()


def test_records_without_a_request_id(ground: Ground) -> None:
    path = ground.write("a", [secret(None), record("other")])
    ground.ingest()
    assert pipeline.forget(str(ground.store), identities=IDENTITY).records == 1
    ground.write("a", [secret(None), record("other"), record("more")])
    ground.ingest(path, reread=Reread(changed=True))
    assert places_with(ground.store, TEXT) == []
    assert ground.requests() == ["more", "other"]


def test_another_record_in_the_place_of_a_forgotten_one_comes_in(ground: Ground) -> None:
    ground.write("a", [secret("s1")])
    ground.ingest()
    pipeline.forget(str(ground.store), request_ids="s1")
    ground.write("a", [record("another")])
    ground.ingest(reread=Reread(changed=True))
    assert ground.requests() == ["another"]
    ground.write("b", [secret("s1")])
    ground.ingest()
    assert places_with(ground.store, TEXT) == []


# --- beside others ------------------------------------------------------------------------------------------


def test_an_ingest_that_is_under_way(filled: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read a new delivery already, and comes to its commit after the forgetting."""
    filled.write("late", [secret("s1"), record("new")])
    commit_one = Table.commit

    def intruded(table: Table, application: str, **options: Any) -> None:
        if options["add"]:
            monkeypatch.setattr(Table, "commit", commit_one)
            report = pipeline.forget(str(filled.store), identities=IDENTITY)
            assert [name.startswith("invocations/date=") for name in report.unfinished] == [True]
        commit_one(table, application, **options)

    monkeypatch.setattr(Table, "commit", intruded)
    report = filled.ingest()
    assert report.forgotten == 1
    assert places_with(filled.store, TEXT) == []
    assert "new" in filled.requests()
    check_invariants(filled)


def test_rows_that_another_run_commits_meanwhile_are_forgotten_too(
    filled: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.write("late", [secret("s100"), record("new")])
    commit_one = Table.commit

    def intruded(table: Table, application: str, **options: Any) -> None:
        monkeypatch.setattr(Table, "commit", commit_one)
        filled.ingest()
        commit_one(table, application, **options)

    monkeypatch.setattr(Table, "commit", intruded)
    assert pipeline.forget(str(filled.store), identities=IDENTITY).records == 6
    assert places_with(filled.store, TEXT) == []
    assert not orphans(filled)
    check_invariants(filled)


def test_a_compaction_that_is_under_way(filled: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_one = Table.commit

    def intruded(table: Table, application: str, **options: Any) -> None:
        if application == MAINTENANCE:
            monkeypatch.setattr(Table, "commit", commit_one)
            pipeline.forget(str(filled.store), identities=IDENTITY)
        commit_one(table, application, **options)

    monkeypatch.setattr(Table, "commit", intruded)
    pipeline.compact(str(filled.store), everything=True)
    assert places_with(filled.store, TEXT) == []
    check_invariants(filled)


# --- interruptions ------------------------------------------------------------------------------------------

STEPS = (
    "add_forgotten",
    "rewrite_file",
    "Table.commit",
    "forget_quarantined",
    "add_export",
    "delete_leftovers",
)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_running_again_ends_what_was_interrupted(
    filled: Ground, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    place: Any = Table if step.startswith("Table") else forgetting
    name = step.rpartition(".")[2]
    whole = getattr(place, name)

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if after:
            whole(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipeline.forget(str(filled.store), metadata=[("customer", CUSTOMER)])
    check_invariants(filled)
    pipeline.forget(str(filled.store), metadata=[("customer", CUSTOMER)])
    if step == "rewrite_file" and after:  # what it had written when it was interrupted is nobody's
        make_older(*(filled.store / "invocations" / name for name in orphans(filled)))
        pipeline.vacuum(str(filled.store))
    for text in (TEXT, PERSON, CUSTOMER):
        assert places_with(filled.store, text) == [], text
    check_invariants(filled)
    assert len(filled.requests()) == 4


def test_a_vacuum_ends_what_was_killed(filled: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "_delete_holding", lambda *arguments: exit(9))
        with pytest.raises(SystemExit):
            pipeline.forget(str(filled.store), identities=IDENTITY)
    assert places_with(filled.store, TEXT)
    pipeline.vacuum(str(filled.store), older_than="365d")
    assert places_with(filled.store, TEXT) == []


def test_killed_at_any_moment(filled: Ground) -> None:
    dice = random.Random(7)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", FORGETTING, str(filled.store), IDENTITY],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        time.sleep(dice.uniform(0.4, 1.0))
        process.kill()
        code, _, stderr = finish(process)
        assert code in (0, -signal.SIGKILL), stderr
        check_invariants(filled)
    pipeline.forget(str(filled.store), identities=IDENTITY)
    make_older(*(filled.store / "invocations" / name for name in orphans(filled)))
    pipeline.vacuum(str(filled.store), older_than="365d")
    for text in (TEXT, PERSON):
        assert places_with(filled.store, text) == [], text
    assert len(filled.requests()) == 4


def test_unfinished_files_of_runs_are_named(filled: Ground) -> None:
    file = filled.store / "invocations" / "date=2026-06-01" / "0123.parquet"
    file.write_bytes(b"PAR1 not whole")
    report = pipeline.forget(str(filled.store), request_ids="s1")
    assert report.unfinished == ("invocations/date=2026-06-01/0123.parquet",)
    make_older(file)
    assert pipeline.forget(str(filled.store), request_ids="s2").unfinished == ()
    assert not file.exists()


def test_a_store_of_other_applications(filled: Ground) -> None:
    """Rows that were taken out by hand are in old versions still, and are found there."""
    table = open_table(filled.storage)
    table.commit(INGEST, remove=table.snapshot().files, about={})
    assert places_with(filled.store, TEXT)
    assert pipeline.forget(str(filled.store), identities=IDENTITY).records == 0
    assert [path for path in places_with(filled.store, TEXT) if path.startswith("invocations")] == []


@pytest.mark.parametrize("options", [{}, {"request_ids": ""}, {"identities": "*"}, {"identities": "**?"}])
def test_what_names_nobody_or_everybody_is_refused(filled: Ground, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        pipeline.forget(str(filled.store), **options)
    assert Path(filled.store).exists()
