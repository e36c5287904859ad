"""What could not be read as a record: kept, listed once, and never a reason to forget an object or read it for ever."""

from __future__ import annotations

import pytest

from logminer import pipeline
from logminer.errors import StorageError
from logminer.ingestion import driver
from logminer.ingestion.driver import Portions
from logminer.store import quarantine
from logminer.store.quarantine import quarantine_files

from .ground import Ground, check_invariants, record


def listed(ground: Ground) -> list[tuple[int, str, bytes]]:
    return [(each.source_position, each.reason, each.raw) for each in pipeline.quarantine(str(ground.store))]


def test_an_object_with_broken_values_alone_is_known(ground: Ground) -> None:
    ground.write("a", [b"not json", b'{"no": "record"}'])
    assert ground.ingest().tally.quarantined == 2
    files = quarantine_files(ground.storage)
    again = ground.ingest()
    assert (again.skipped, again.tally.quarantined) == (1, 0)
    assert quarantine_files(ground.storage) == files
    assert [position for position, *_ in listed(ground)] == [0, 1]


def test_a_run_that_dies_after_the_quarantine_reads_the_object_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.write("a", [record("1"), b"not json", record("2")])
    ground.write("b", [b"not json either"])

    def dies(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(driver, "commit_files", dies)
        with pytest.raises(KeyboardInterrupt):
            ground.ingest()
    assert ground.positions() == []
    assert len(listed(ground)) == 2
    report = ground.ingest()
    assert (report.skipped, report.tally.records) == (1, 2)
    assert len(quarantine_files(ground.storage)) == 2
    assert [raw for *_, raw in listed(ground)] == [b"not json", b"not json either"]
    assert ground.rows("source_position") == [(0,), (2,)]
    assert ground.ingest().skipped == 2


@pytest.mark.parametrize("records", [0, 1])
def test_very_many_broken_values_do_not_pile_up(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    monkeypatch.setattr(quarantine, "_MAX_HELD_BYTES", 5_000)
    ground.write("a", [*(b"broken %d" % number for number in range(100)), *[record("1")] * records])
    ground.write("b", [b"broken", record("2")])
    assert ground.ingest().tally.quarantined == 101
    assert len(quarantine_files(ground.storage)) > 3
    assert len(listed(ground)) == 101
    assert ground.ingest().skipped == 2
    check_invariants(ground)


def test_an_object_that_was_half_quarantined_is_read_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first values say that it has a record, until its last one tells that it has none."""
    monkeypatch.setattr(quarantine, "_MAX_HELD_BYTES", 500)
    ground.write("a", [b"broken"] * 10)

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(quarantine.QuarantineWriter, "end_object", dies)
        with pytest.raises(KeyboardInterrupt):
            ground.ingest()
    assert quarantine_files(ground.storage)
    assert ground.ingest().skipped == 0
    assert ground.ingest().skipped == 1
    assert len(listed(ground)) == 10


@pytest.mark.parametrize("workers", [1, 2])
def test_values_of_all_workers(ground: Ground, workers: int) -> None:
    for number in range(6):
        ground.write(str(number), [b"broken", record(str(number))])
    report = ground.ingest(
        workers=workers, portions=Portions(one_process_bytes=0, batch_objects=1, round_objects=4)
    )
    assert (report.tally.quarantined, report.tally.records) == (6, 6)
    assert len(listed(ground)) == 6
    assert [entry.reason for entry in pipeline.quarantine(str(ground.store), reason="invalid_json")] == [
        "invalid_json"
    ] * 6
    assert pipeline.quarantine(str(ground.store), reason="too_deep") == []


def test_a_damaged_quarantine_is_named(ground: Ground) -> None:
    ground.write("a", [b"broken"])
    ground.ingest()
    (path,) = (ground.store / "quarantine").iterdir()
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(StorageError, match="cannot read the store") as caught:
        ground.ingest()
    assert path.name in str(caught.value)


def test_nothing_is_left_of_a_failed_registry_write(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise StorageError("No space left on device")

    ground.write("a", [record("1")])
    monkeypatch.setattr(driver, "add_model_ids", full)
    with pytest.raises(StorageError):
        ground.ingest()
    assert not list(ground.store.glob("invocations/date=*/*"))
