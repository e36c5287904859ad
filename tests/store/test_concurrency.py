"""Several processes at one store at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from logminer.ingestion import commit, compact
from logminer.ingestion.compact import compact_small_files
from logminer.ingestion.driver import Portions
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.store.table import INGEST, CommitConflict, Table, open_table

from .ground import Ground, check_invariants, finish, record

COMPACTION = """
import sys
from logminer.ingestion import compact
from logminer.ingestion.compact import compact_small_files
from logminer.store.storage import open_storage
from logminer.store.table import open_table
compact._MAX_SMALL_FILES = 2
storage = open_storage(sys.argv[1])
for _ in range(int(sys.argv[2])):
    compact_small_files(storage, open_table(storage))
"""


@pytest.mark.parametrize("runs", [2, 3])
def test_ingests_of_one_folder(ground: Ground, many_logs: Path, runs: int) -> None:
    processes = [ground.start(many_logs, round_objects=10, workers=1 + number % 2) for number in range(runs)]
    for process in processes:
        code, _, stderr = finish(process)
        assert code == 0, stderr
    check_invariants(
        ground,
        [(f"file://{many_logs}/{number:03}.json.gz", each) for number in range(40) for each in range(50)],
    )
    fields = ground.snapshot().metadata_fields
    assert {f"key{number}" for number in range(40)} < set(fields)
    stored = {
        row["request_id"]: row["request_metadata"]
        for row in ground.selected("request_id", "request_metadata")
    }
    assert len(stored) == 40 * 49 + 14
    assert stored["7-3"] == {"project": "Support", "key7": "3"}


def test_together_no_more_keys_are_promoted_than_allowed(ground: Ground) -> None:
    for half in ("left", "right"):
        for number in range(80):
            ground.write(
                f"{number:02}", [record(f"{half}-{number}", {f"{half}{number}": str(number)})], folder=half
            )
    halves = [ground.start(ground.folder / half, round_objects=9, workers=1) for half in ("left", "right")]
    for process in halves:
        code, _, stderr = finish(process)
        assert code == 0, stderr
    check_invariants(ground)
    assert len(ground.snapshot().metadata_fields) == MAX_PROMOTED_KEYS
    stored = {
        row["request_id"]: row["request_metadata"]
        for row in ground.selected("request_id", "request_metadata")
    }
    assert stored == {
        f"{half}-{number}": {f"{half}{number}": str(number)}
        for half in ("left", "right")
        for number in range(80)
    }


def test_an_ingest_and_compactions(ground: Ground, many_logs: Path) -> None:
    ground.write("first", [record("first")])
    ground.ingest()
    compactions = [ground.start_program(COMPACTION, 10) for _ in range(2)]
    ingest = ground.start(many_logs, round_objects=2, workers=1)
    for process in compactions:
        code, _, stderr = finish(process)
        assert code == 0, stderr
    code, _, stderr = finish(ingest)
    assert code == 0, stderr
    check_invariants(ground)
    assert len(ground.positions()) == 2001


def test_two_compactions_at_once(ground: Ground) -> None:
    for number in range(20):
        ground.write(str(number), [record(str(number))])
    ground.ingest(portions=Portions(round_objects=1))
    before = ground.content()
    for process in [ground.start_program(COMPACTION, 2) for _ in range(2)]:
        code, _, stderr = finish(process)
        assert code == 0, stderr
    check_invariants(ground)
    assert ground.content() == before


def test_a_compaction_inside_another(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days are crowded; while the first compaction writes, another one finishes both."""
    _crowd(ground)
    monkeypatch.setattr(compact, "_MAX_SMALL_FILES", 2)
    before = ground.content()
    write_together = compact._write_together
    table = open_table(ground.storage)

    def intruded(*arguments: object) -> object:
        monkeypatch.setattr(compact, "_write_together", write_together)
        compact_small_files(ground.storage, open_table(ground.storage))
        return write_together(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(compact, "_write_together", intruded)
    compact_small_files(ground.storage, table)
    assert ground.content() == before
    check_invariants(ground)
    assert len(ground.snapshot().files) == 2
    assert table.version == ground.snapshot().version


def test_a_compaction_between_the_days_of_another(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first compaction has done one day and comes to the second, which another one did meanwhile."""
    _crowd(ground)
    monkeypatch.setattr(compact, "_MAX_SMALL_FILES", 2)
    before = ground.content()
    commit_one = Table.commit

    def intruded(table: Table, *arguments: object, **options: object) -> None:
        commit_one(table, *arguments, **options)  # type: ignore[arg-type]
        monkeypatch.setattr(Table, "commit", commit_one)
        compact_small_files(ground.storage, open_table(ground.storage))
        table.refresh()

    monkeypatch.setattr(Table, "commit", intruded)
    compact_small_files(ground.storage, open_table(ground.storage))
    assert ground.content() == before
    check_invariants(ground)


def _crowd(ground: Ground) -> None:
    for number in range(4):
        days = [record(f"{number}-{day}", timestamp=f"2026-06-0{day}T10:00:00Z") for day in (1, 2)]
        ground.write(str(number), days)
        ground.ingest(portions=Portions())


def test_a_run_that_commits_while_another_widens_the_table(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Widening does not conflict with added rows, so what the other run took must be looked for after it."""
    first = ground.write("a", [record("1")])
    ground.write("b", [record("2", {"new": "key"})])
    widen = Table.widen

    def intruded(table: Table, fields: list[str]) -> None:
        monkeypatch.setattr(Table, "widen", widen)
        ground.ingest(first)
        widen(table, fields)

    monkeypatch.setattr(Table, "widen", intruded)
    report = ground.ingest()
    assert report.taken == 1
    assert ground.requests() == ["1", "2"]
    check_invariants(ground)


def test_what_another_run_took_between_two_rounds_is_not_read(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        ground.write(name, [record(name)])
    commit_one = Table.commit

    def intruded(table: Table, *arguments: object, **options: object) -> None:
        commit_one(table, *arguments, **options)  # type: ignore[arg-type]
        monkeypatch.setattr(Table, "commit", commit_one)
        ground.ingest(ground.logs / "b.json.gz", ground.logs / "d.json.gz")
        table.refresh()

    monkeypatch.setattr(Table, "commit", intruded)
    report = ground.ingest(portions=Portions(round_objects=1))
    assert (report.taken, report.tally.records) == (2, 2)
    assert ground.requests() == ["a", "b", "c", "d"]
    check_invariants(ground)


def test_a_commit_that_succeeds_and_fails_is_a_success(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows the log entry, such as a checkpoint, can fail: the rows are in, and must not be dropped."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    ground.write("a", [record("1")])
    write = DeltaTable.create_write_transaction

    def failing(*arguments: object, **options: object) -> None:
        write(*arguments, **options)  # type: ignore[arg-type]
        raise CommitFailedError("the checkpoint could not be written")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", failing)
    report = ground.ingest()
    assert (report.taken, report.version) == (0, 1)
    assert ground.requests() == ["1"]
    check_invariants(ground)


def test_a_store_that_never_rests(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from logminer.errors import StoreChangedError

    def crowded(*arguments: object, **options: object) -> None:
        raise CommitConflict

    ground.write("a", [record("1")])
    monkeypatch.setattr(commit, "_ATTEMPTS", 2)
    monkeypatch.setattr(Table, "commit", crowded)
    with pytest.raises(StoreChangedError, match="2 times in a row"):
        ground.ingest()
    assert not list(ground.store.glob("invocations/date=*/*"))


def test_files_that_are_not_there_cannot_be_removed(ground: Ground) -> None:
    ground.write("a", [record("1")])
    ground.ingest()
    (file,) = ground.snapshot().files
    table = open_table(ground.storage)
    table.commit(INGEST, remove=[file], about={})
    with pytest.raises(CommitConflict):
        table.commit(INGEST, remove=[file], about={})
