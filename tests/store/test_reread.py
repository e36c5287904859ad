"""Objects that are read again: because their content changed, or because the parser did."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logminer import pipeline
from logminer.ingestion.driver import Portions, Reread
from logminer.schema import PARSER_VERSION
from logminer.store import rows
from logminer.store.table import Table

from .ground import Ground, check_invariants, finish, record, without_privileges

CHANGED = Reread(changed=True)
OLD = Reread(older_parsers=True)


def first_ingest(ground: Ground) -> None:
    ground.write("a", [record("1"), record("2")])
    ground.write("b", [record("3")])
    ground.ingest()


def test_a_changed_object_is_reported_and_kept(ground: Ground) -> None:
    first_ingest(ground)
    path = ground.write("a", [record("1"), record("2"), record("4")])
    report = ground.ingest()
    assert report.changed == [f"file://{path}"]
    assert (report.tally.records, report.version, report.skipped) == (0, 1, 2)
    assert ground.requests() == ["1", "2", "3"]


def test_a_copy_with_another_time_is_no_change(ground: Ground) -> None:
    first_ingest(ground)
    os.utime(ground.logs / "a.json.gz", (1, 1))
    assert ground.ingest().changed == []


def test_rows_are_replaced_in_one_commit(ground: Ground) -> None:
    first_ingest(ground)
    ground.write("a", [record("5", {"new": "key"}), record("1")])
    report = ground.ingest(reread=CHANGED)
    assert (report.reread, report.changed, report.tally.records) == (1, [], 2)
    assert report.version == 3  # the new key has a version of its own
    assert ground.requests() == ["1", "3", "5"]
    assert ground.requests(version=1) == ["1", "2", "3"]
    check_invariants(ground)
    again = ground.ingest(reread=CHANGED)
    assert (again.reread, again.version) == (0, 3)


def test_a_kept_request_stays_the_first_delivery(ground: Ground) -> None:
    ground.write("a", [record("1"), record("2")])
    ground.write("b", [record("1")])
    ground.ingest()
    ground.write("a", [record("0"), record("1")])
    ground.ingest(reread=CHANGED)
    assert ground.rows("request_id", "redelivered") == [("0", False), ("1", False), ("1", True)]
    check_invariants(ground)


@pytest.mark.parametrize("together", [True, False], ids=["in one file", "in several files"])
def test_a_request_that_is_gone_lives_on_in_its_redelivery(ground: Ground, together: bool) -> None:
    """The first rows of 1 and 2 vanish; both came again in other objects, 2 with another date as well."""
    objects = {
        "a": [record("1"), record("2"), record("2", timestamp="2026-06-02T00:00:00Z"), record("9")],
        "b": [record("1"), record("8")],
        "c": [record("1"), record("2"), record("2")],
    }
    for name, values in objects.items():
        ground.write(name, values)
        if not together:
            ground.ingest()
    ground.ingest()
    ground.write("a", [record("9"), record("10")])
    ground.ingest(reread=CHANGED)
    marks = [
        (Path(uri).name[0], request, again)
        for uri, request, again in ground.rows("source_uri", "request_id", "redelivered")
    ]
    assert marks == [
        ("a", "9", False),
        ("a", "10", False),
        ("b", "1", False),
        ("b", "8", False),
        ("c", "1", True),
        ("c", "2", False),
        ("c", "2", True),
    ]
    check_invariants(ground)


def test_an_object_that_has_no_record_any_more(ground: Ground) -> None:
    first_ingest(ground)
    ground.write("a", [b"not json", b"neither"])
    report = ground.ingest(reread=CHANGED)
    assert (report.reread, report.tally.quarantined) == (1, 2)
    assert ground.requests() == ["3"]
    for reread in (None, CHANGED):
        again = ground.ingest(reread=reread)
        assert (again.skipped, again.changed, again.version) == (2, [], report.version)


def test_an_object_that_has_records_at_last(ground: Ground) -> None:
    ground.write("a", [b"not json"])
    ground.ingest()
    ground.write("a", [record("1"), record("2")])
    assert len(ground.ingest().changed) == 1
    ground.ingest(reread=CHANGED)
    assert ground.requests() == ["1", "2"]
    assert pipeline.quarantine(str(ground.store)) == []
    assert ground.ingest(reread=CHANGED).skipped == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_of_an_object_that_cannot_be_read_now_stay(ground: Ground, workers: int) -> None:
    first_ingest(ground)
    path = ground.write("a", [record("4"), record("5"), record("6")])
    ground.write("b", [record("3"), record("7")])
    path.chmod(0)
    process = ground.start(ground.logs, "--reread-changed", workers=workers, preexec_fn=without_privileges)
    code, _, stderr = finish(process)
    assert code == 3, stderr
    assert ground.requests() == ["1", "2", "3", "7"]
    check_invariants(ground)


def test_two_runs_reread_at_once(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reads again and commits while the other is about to do the same."""
    first_ingest(ground)
    ground.write("a", [record("1"), record("7", {"seven": "7"})])
    commit = Table.commit

    def intruded(table: Table, *arguments: object, **options: object) -> None:
        monkeypatch.setattr(Table, "commit", commit)
        ground.ingest(reread=CHANGED)
        commit(table, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "commit", intruded)
    ground.ingest(reread=CHANGED)
    assert ground.requests() == ["1", "3", "7"]
    check_invariants(ground)


def test_a_redelivery_that_waits_while_its_first_row_goes(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that would add a re-delivery of 2 finds, on its second attempt, that the first 2 was replaced."""
    first_ingest(ground)
    later = ground.write("z", [record("2"), record("6")], folder="later")
    ground.write("a", [record("1"), record("7"), record("8")])
    commit = Table.commit

    def intruded(table: Table, *arguments: object, **options: object) -> None:
        monkeypatch.setattr(Table, "commit", commit)
        ground.ingest(reread=CHANGED)
        commit(table, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "commit", intruded)
    ground.ingest(later)
    assert ground.requests() == ["1", "2", "3", "6", "7", "8"]
    check_invariants(ground)


# --- an older parser -------------------------------------------------------------------------------------------


@pytest.fixture
def old_store(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A store with rows of an older parser: two pairs in one object, an error in another."""
    ground.write("a", [record("1"), record("2")])
    ground.write("b", [record("3", errorCode="ThrottlingException")])
    with monkeypatch.context() as patch:
        patch.setattr(rows, "PARSER_VERSION", 0)
        ground.ingest()
    return ground


def test_rows_of_an_older_parser_are_replaced(old_store: Ground) -> None:
    report = old_store.ingest(reread=OLD)
    assert (report.reread, report.gone, report.skipped) == (2, [], 0)
    assert set(old_store.rows("parser_version")) == {(PARSER_VERSION,)}
    check_invariants(old_store)
    again = old_store.ingest(reread=OLD)
    assert (again.reread, again.version, again.skipped) == (0, report.version, 2)


@pytest.mark.parametrize("portions", [None, Portions(round_objects=1)], ids=["one round", "a round each"])
def test_only_objects_with_a_status_are_read_again(old_store: Ground, portions: Portions | None) -> None:
    report = old_store.ingest(
        reread=Reread(older_parsers=True, statuses=("error", "blocked")), portions=portions
    )
    assert report.reread == 1
    assert old_store.rows("request_id", "parser_version") == [
        ("1", 0),
        ("2", 0),
        ("3", PARSER_VERSION),
    ]
    assert old_store.ingest(reread=Reread(older_parsers=True, statuses=("blocked",))).reread == 0


def test_rows_whose_object_is_gone_stay_and_are_reported(old_store: Ground) -> None:
    (old_store.logs / "a.json.gz").unlink()
    report = old_store.ingest(reread=OLD)
    assert (report.reread, report.gone) == (1, [f"file://{old_store.logs}/a.json.gz"])
    assert old_store.requests() == ["1", "2", "3"]
    check_invariants(old_store)


def test_a_reparse_through_the_pipeline(old_store: Ground) -> None:
    report = pipeline.ingest(
        str(old_store.logs), store=str(old_store.store), reparse=True, status="error,blocked"
    )
    assert report.reread == 1
    report = pipeline.ingest(str(old_store.logs), store=str(old_store.store), reparse=True)
    assert report.reread == 1
