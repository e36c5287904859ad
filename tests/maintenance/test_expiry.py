"""Records of old dates go, from every version, and later ingests leave them out and say so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from store.ground import Ground, check_invariants, orphans, record

from logminer import pipeline
from logminer.errors import UsageError
from logminer.ingestion.driver import Reread
from logminer.maintenance import expiry
from logminer.maintenance.expiry import expire
from logminer.store.table import Table

from .looking import files_of, make_older, places_with

OLD = "ancient-text"
LIMIT = date(2026, 6, 10)


def on(day: int, request_id: str, text: str = "") -> dict[str, Any]:
    value = record(request_id, {"project": "P"}, timestamp=f"2026-06-{day:02}T10:00:00Z")
    value["output"]["outputBodyJson"]["output"]["message"]["content"] = [{"text": text or "new"}]
    return value


@pytest.fixture
def filled(ground: Ground) -> Ground:
    """Objects of old days, of new ones, and one of both; some in several versions."""
    for number in range(1, 5):
        ground.write(f"old-{number}", [on(number, f"old-{number}", OLD)])
        ground.ingest()
    ground.write("both", [on(9, "both-9", OLD), on(10, "both-10")])
    ground.write("new", [on(20, "new")])
    ground.ingest()
    pipeline.compact(str(ground.store))
    return ground


def test_old_dates_leave_every_version(filled: Ground) -> None:
    assert len(places_with(filled.store, OLD)) > 5
    report = expire(filled.storage, LIMIT)
    assert (report.records, report.dates, report.kept_since) == (5, 5, LIMIT)
    assert (report.first_date, report.last_date) == (date(2026, 6, 1), date(2026, 6, 9))
    assert report.files == 10
    assert places_with(filled.store, OLD) == []
    assert filled.requests() == ["both-10", "new"]
    assert not orphans(filled)
    check_invariants(filled)


def test_known_objects_are_not_read_again(filled: Ground) -> None:
    expire(filled.storage, LIMIT)
    report = filled.ingest()
    assert (report.tally.objects, report.skipped, report.expired) == (0, 6, 0)
    filled.write("new", [on(20, "new"), on(3, "old-3", OLD), on(21, "newer")])
    report = filled.ingest(reread=Reread(changed=True))
    assert (report.reread, report.expired) == (1, 1)
    assert filled.requests() == ["both-10", "new", "newer"]
    assert places_with(filled.store, OLD) == []


def test_an_old_object_that_changed_is_read_again_once(filled: Ground) -> None:
    """However often it changes: of several versions that were read, the last one is known."""
    expire(filled.storage, LIMIT)
    for change in range(1, 8):
        filled.write("old-1", [on(1, f"old-{change}-{number}", OLD) for number in range(change)])
        counted = [filled.ingest(reread=Reread(changed=True)) for _ in range(2)]
        assert [(report.reread, report.expired) for report in counted] == [(1, change), (0, 0)]


def test_what_is_gone_stays_away_however_it_is_read_again(filled: Ground) -> None:
    """Forgotten and expired records, in objects that changed, were parsed by an older version and lack bodies."""
    pipeline.forget(str(filled.store), request_ids=["new"])
    expire(filled.storage, LIMIT)
    for number in range(1, 5):
        filled.write(f"old-{number}", [on(number, f"old-{number}", OLD), on(number, "more", OLD)])
    filled.write("new", [on(20, "new", OLD), on(21, "newer")])
    everything = Reread(changed=True, older_parsers=True, missing_bodies=True)
    report = filled.ingest(reread=everything)
    assert (report.reread, report.expired, report.forgotten) == (5, 8, 1)
    assert filled.requests() == ["both-10", "newer"]
    assert places_with(filled.store, OLD) == []
    check_invariants(filled)


def test_late_objects_are_left_out_and_counted_once(filled: Ground) -> None:
    expire(filled.storage, LIMIT)
    filled.write("late", [on(5, "late-5", OLD), on(6, "late-6", OLD)])
    filled.write("late-both", [on(5, "later-5", OLD), on(11, "later-11")])
    report = filled.ingest()
    assert (report.tally.records, report.expired) == (4, 3)
    assert filled.requests() == ["both-10", "later-11", "new"]
    assert filled.ingest().tally.objects == 0
    assert places_with(filled.store, OLD) == []
    check_invariants(filled)


def test_an_ingest_that_is_under_way(filled: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.write("late", [on(5, "late-5", OLD), on(11, "late-11")])
    commit_one = Table.commit

    def intruded(table: Table, application: str, **options: Any) -> None:
        monkeypatch.setattr(Table, "commit", commit_one)
        expire(filled.storage, LIMIT)
        commit_one(table, application, **options)

    monkeypatch.setattr(Table, "commit", intruded)
    assert filled.ingest().expired == 1
    assert filled.requests() == ["both-10", "late-11", "new"]
    assert places_with(filled.store, OLD) == []


def test_an_ingest_that_comes_first(filled: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.write("late", [on(5, "late-5", OLD), on(11, "late-11")])
    keep_since = Table.keep_since

    def intruded(table: Table, day: date) -> None:
        monkeypatch.setattr(Table, "keep_since", keep_since)
        filled.ingest()
        keep_since(table, day)

    monkeypatch.setattr(Table, "keep_since", intruded)
    assert expire(filled.storage, LIMIT).records == 6
    assert filled.requests() == ["both-10", "late-11", "new"]
    assert filled.ingest().tally.objects == 0


def test_a_dry_run_tells_the_same_and_changes_nothing(filled: Ground) -> None:
    before = files_of(filled.store)
    told = expire(filled.storage, LIMIT, dry_run=True)
    assert files_of(filled.store) == before
    done = expire(filled.storage, LIMIT)
    for name in ("kept_since", "records", "dates", "files", "size_bytes", "quarantined"):
        assert getattr(told, name) == getattr(done, name), name


def test_what_is_kept_never_grows(filled: Ground) -> None:
    expire(filled.storage, LIMIT)
    before = files_of(filled.store)
    again = expire(filled.storage, LIMIT - timedelta(days=5))
    assert (again.kept_since, again.records) == (LIMIT, 0)
    assert files_of(filled.store) == before


def test_quarantined_values_that_were_read_before_lose_their_bytes(ground: Ground) -> None:
    ground.write("a", [on(1, "1"), b"broken " + OLD.encode()])
    ground.ingest()
    assert expire(ground.storage, LIMIT).quarantined == 0
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert expire(ground.storage, tomorrow).quarantined == 1
    assert [(entry.reason, entry.raw) for entry in pipeline.quarantine(str(ground.store))] == [
        ("expired", b"")
    ]
    assert places_with(ground.store, OLD) == []
    assert ground.ingest().tally.objects == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "step", ["_keep_since", "add_expired_objects", "_remove", "_expire_quarantined", "delete_leftovers"]
)
def test_running_again_ends_what_was_interrupted(
    filled: Ground, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    whole = getattr(expiry, step)

    def interrupted(*arguments: Any) -> Any:
        if after:
            whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(expiry, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            expire(filled.storage, LIMIT)
    check_invariants(filled)
    expire(filled.storage, LIMIT)
    assert places_with(filled.store, OLD) == []
    assert filled.ingest().tally.objects == 0
    assert filled.requests() == ["both-10", "new"]


def test_files_that_killed_runs_left_in_old_dates(filled: Ground) -> None:
    file = filled.store / "invocations" / "date=2026-06-01" / "0123.parquet"
    file.write_bytes(b"PAR1 not whole")
    expire(filled.storage, LIMIT)
    assert file.exists()
    make_older(file)
    expire(filled.storage, LIMIT)
    assert not file.exists()


def test_many_expiries_leave_few_lists(ground: Ground) -> None:
    for day in range(1, 25):
        ground.write(f"{day}", [on(day, str(day))])
        ground.ingest()
        expire(ground.storage, date(2026, 6, day + 1))
    assert len([*(ground.store / "expired").iterdir()]) <= 17
    assert ground.ingest().tally.objects == 0


@pytest.mark.parametrize("age", ["0d", "23h", "999999w", "x", "2026-01-01"])
def test_ages_that_cannot_be_meant(filled: Ground, age: str) -> None:
    before = files_of(filled.store)
    with pytest.raises(UsageError, match="--older-than"):
        pipeline.expire(str(filled.store), older_than=age)
    assert files_of(filled.store) == before


def test_the_age_counts_in_whole_days(ground: Ground) -> None:
    today = datetime.now(UTC).date()
    report = None
    ground.write("a", [record("1", timestamp=f"{today - timedelta(days=30)}T23:59:59Z")])
    ground.ingest()
    report = pipeline.expire(str(ground.store), older_than="30d")
    assert (report.records, report.kept_since) == (0, today - timedelta(days=30))
    assert pipeline.expire(str(ground.store), older_than="29d").records == 1
