"""A vacuum takes what nobody needs any more, and nothing that a run may be about to commit."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from store.ground import Ground, check_invariants, orphans, record

from logminer import pipeline
from logminer.errors import UsageError
from logminer.ingestion import driver
from logminer.maintenance.vacuum import vacuum
from logminer.store.table import open_table

from .looking import files_of, make_older


@pytest.fixture
def aged(ground: Ground) -> Ground:
    """A store with many versions: small ingests, two compactions, more ingests."""
    for number in range(6):
        days = [record(f"{number}-{day}", timestamp=f"2026-06-0{day}T10:00:00Z") for day in (1, 2)]
        ground.write(str(number), days)
        ground.ingest()
        if number in (2, 4):
            pipeline.compact(str(ground.store))
    return ground


def readable(ground: Ground) -> dict[int, bool]:
    """All versions, and whether they can be asked."""
    found = {}
    for version in range(open_table(ground.storage).version + 1):
        try:
            pipeline.count(str(ground.store), version=version, where="turns = 1")
        except UsageError:
            found[version] = False
        else:
            found[version] = True
    return found


def test_all_versions_from_the_promised_one_on_are_readable(aged: Ground) -> None:
    before = aged.content()
    assert all(readable(aged).values())
    report = pipeline.vacuum(str(aged.store), older_than="0m")
    assert report.old_files > 4
    assert report.kept == report.young == report.orphans == 0
    found = readable(aged)
    assert report.oldest_version == min(v for v in found if all(found[w] for w in found if w >= v))
    assert not found[report.oldest_version - 1]
    assert aged.content() == before
    check_invariants(aged)
    named = {f"invocations/{file.name}" for file in aged.snapshot().files}
    assert {name for name in files_of(aged.store) if "/date=" in name} == named


def test_what_versions_of_the_last_week_need_stays(aged: Ground) -> None:
    before = files_of(aged.store)
    report = pipeline.vacuum(str(aged.store))
    assert (report.old_files, report.oldest_version) == (0, 0)
    assert report.kept > 4
    assert files_of(aged.store) == before


def test_the_age_counts_from_when_a_file_left_the_table(aged: Ground) -> None:
    """The first compaction was long ago, the second just now: the version between them stays readable."""
    history = {commit.version: commit for commit in pipeline.store_history(str(aged.store))}
    compactions = sorted(v for v, commit in history.items() if "compacted" in commit.about)
    between = compactions[1]  # two days, so two commits for each
    ages = datetime.now(UTC) - history[between].time
    report = vacuum(aged.storage, ages - timedelta(milliseconds=1))
    assert 0 < report.old_files < 10
    assert report.oldest_version == between
    found = readable(aged)
    assert all(found[version] for version in found if version >= between)
    assert not found[between - 1]


def test_a_dry_run_tells_the_same_and_changes_nothing(aged: Ground) -> None:
    before = files_of(aged.store)
    told = pipeline.vacuum(str(aged.store), older_than="0m", dry_run=True)
    assert files_of(aged.store) == before
    done = pipeline.vacuum(str(aged.store), older_than="0m")
    for name in ("old_files", "old_bytes", "orphans", "kept", "young", "oldest_version"):
        assert getattr(told, name) == getattr(done, name), name


def test_a_second_vacuum_finds_nothing_and_remembers_the_first(aged: Ground) -> None:
    first = pipeline.vacuum(str(aged.store), older_than="0m")
    again = pipeline.vacuum(str(aged.store), older_than="0m")
    assert (again.old_files, again.version) == (0, first.version)
    assert again.oldest_version == first.oldest_version


def test_what_killed_runs_left_goes_when_it_is_old(
    ground: Ground, many_files: Callable[[], list[Path]]
) -> None:
    left = many_files()
    report = pipeline.vacuum(str(ground.store), older_than="0m")
    assert (report.orphans, report.temporary, report.young) == (0, 0, 2)
    assert all(path.exists() for path in left)
    make_older(*left)
    report = pipeline.vacuum(str(ground.store), older_than="0m")
    assert (report.orphans, report.temporary, report.young) == (2, 4, 0)
    assert not any(path.exists() for path in left)
    assert ground.requests() == ["1"]


@pytest.fixture
def many_files(ground: Ground) -> Callable[[], list[Path]]:
    """Makes what runs leave behind that are killed in one place or another."""

    def make() -> list[Path]:
        ground.write("a", [record("1"), b"broken"])
        ground.ingest()
        names = [
            "invocations/date=2026-06-01/0123456789abcdef.parquet",
            "invocations/date=2026-07-01/0123456789abcdef.parquet",
            "quarantine/.x.parquet.01234567.tmp",
            "models/.y.json.01234567.tmp",
            "invocations/_delta_log/_commit_0123.json.tmp",
            "invocations/_delta_log/00000000000000000009.json#1",
        ]
        paths = [ground.store / name for name in names]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"PAR1")
        return paths

    return make


def test_what_is_not_ours_stays(ground: Ground) -> None:
    ground.write("a", [record("1"), b"broken"])
    ground.ingest()
    others = [
        ground.store / name
        for name in ("notes.txt", "invocations/README", "models/x.json", "invocations/date=2026-06-01/x.csv")
    ]
    for path in others:
        path.write_text("{}")
    make_older(*ground.store.rglob("*"))
    before = files_of(ground.store)
    pipeline.vacuum(str(ground.store), older_than="0m")
    assert files_of(ground.store) == before


def test_empty_folders_go(ground: Ground) -> None:
    ground.write("a", [record("1")])
    ground.ingest()
    old, young = (ground.store / "invocations" / f"date=2020-01-0{day}" for day in (1, 2))
    for folder in (old, young):
        folder.mkdir()
    make_older(old)
    pipeline.vacuum(str(ground.store))
    assert (old.exists(), young.exists()) == (False, True)


def test_a_folder_that_goes_while_a_file_is_made(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.write("a", [record("1")])
    ground.ingest()
    make_folder = type(ground.storage)._make_folder_of

    def intruded(storage: Any, name: str) -> None:
        monkeypatch.undo()
        make_folder(storage, name)
        os.rmdir(os.path.dirname(storage.path(name)))

    monkeypatch.setattr(type(ground.storage), "_make_folder_of", intruded)
    ground.storage.create("invocations/date=2020-01-01/x.parquet").close()
    assert (ground.store / "invocations/date=2020-01-01/x.parquet").exists()


def test_an_ingest_that_is_under_way_is_not_disturbed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.write("a", [record("1")])
    ground.ingest()
    ground.write("b", [record("2"), b"broken"])
    commit_files = driver.commit_files

    def intruded(*arguments: Any, **options: Any) -> Any:
        assert len(orphans(ground)) == 1
        pipeline.vacuum(str(ground.store), older_than="0m")
        return commit_files(*arguments, **options)

    monkeypatch.setattr(driver, "commit_files", intruded)
    ground.ingest()
    assert ground.requests() == ["1", "2"]
    check_invariants(ground)


@pytest.mark.parametrize("age", ["23h", "0m", "1439m"])
def test_orphans_are_not_taken_too_early(aged: Ground, age: str) -> None:
    with pytest.raises(UsageError, match="may still commit"):
        pipeline.vacuum(str(aged.store), orphans_older_than=age)


def test_a_log_that_begins_late(aged: Ground) -> None:
    """Somebody cleaned up the log: files of versions that nobody can open any more count as left behind."""
    from deltalake import DeltaTable

    path = str(aged.store / "invocations")
    DeltaTable(path).create_checkpoint()
    newest = open_table(aged.storage).version
    for version in range(newest - 1):
        (aged.store / "invocations" / "_delta_log" / f"{version:020}.json").unlink()
    before = aged.content()
    assert pipeline.vacuum(str(aged.store), older_than="0m").young > 0
    make_older(*(aged.store / "invocations").glob("date=*/*"))
    assert pipeline.vacuum(str(aged.store), older_than="0m").orphans > 0
    assert aged.content() == before
