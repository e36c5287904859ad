"""Each log record is in the store once, and each request counts once."""

from __future__ import annotations

from pathlib import Path

import pytest

from logminer import pipeline
from logminer.errors import UsageError
from logminer.ingestion.driver import Portions

from .ground import Ground, check_invariants, record

SMALL = Portions(batch_objects=1, round_objects=2, one_process_bytes=0)


def test_a_second_run_changes_nothing(ground: Ground) -> None:
    ground.write("a", [record("1"), record("2")])
    first = ground.ingest()
    files = sorted(path for path in ground.store.rglob("*") if path.is_file())
    second = ground.ingest()
    assert (first.tally.records, second.tally.records) == (2, 0)
    assert (second.version, second.skipped) == (first.version, 1)
    assert sorted(path for path in ground.store.rglob("*") if path.is_file()) == files


def test_objects_that_come_later_are_added(ground: Ground) -> None:
    ground.write("b", [record("1")])
    ground.ingest()
    ground.write("a", [record("2")])
    report = ground.ingest()
    assert (report.tally.objects, report.skipped) == (1, 1)
    assert ground.requests() == ["1", "2"]


def test_an_object_that_is_listed_twice_is_read_once(ground: Ground) -> None:
    path = ground.write("a", [record("1")])
    (ground.folder / "link").symlink_to(ground.logs)
    sources = [ground.logs, path, ground.folder / "link", ground.logs / "*.gz", f"file://{ground.logs}"]
    report = pipeline.ingest(*map(str, sources), store=str(ground.store))
    assert (report.listed, report.tally.objects) == (1, 1)
    again = pipeline.ingest(str(ground.folder / "link"), store=str(ground.store))
    assert again.skipped == 1
    assert ground.requests() == ["1"]


def test_the_store_is_no_source_of_itself(ground: Ground) -> None:
    ground.write("a", [record("1")], folder=".")
    for _ in range(2):
        report = pipeline.ingest(str(ground.folder), store=str(ground.store))
    assert (report.listed, report.skipped, report.version) == (1, 1, 1)
    assert pipeline.quarantine(str(ground.store)) == []


def test_a_store_among_its_logs_is_refused(ground: Ground) -> None:
    logs = ground.folder / "AWSLogs"
    ground.write("a", [record("1")], folder="AWSLogs")
    with pytest.raises(UsageError, match="among the logs"):
        pipeline.ingest(str(ground.folder), store=str(logs / "store"))


def test_the_same_content_from_two_places_counts_once(ground: Ground) -> None:
    ground.write("a", [record("1")], folder="one")
    ground.write("a", [record("1")], folder="two")
    ground.ingest(ground.folder / "two")
    ground.ingest(ground.folder / "one")
    assert ground.rows("redelivered", "source_uri") == [
        (True, f"file://{ground.folder}/one/a.json.gz"),
        (False, f"file://{ground.folder}/two/a.json.gz"),
    ]
    assert ground.requests() == ["1"]


@pytest.mark.parametrize(
    ("workers", "portions"), [(1, None), (1, SMALL), (2, SMALL)], ids=["one commit", "rounds", "workers"]
)
def test_redelivered_is_true_on_the_later_row_alone(
    ground: Ground, workers: int, portions: Portions | None
) -> None:
    other_day = {"timestamp": "2026-06-02T10:00:00Z"}
    ground.write("a", [record("1"), record("2"), record("1")])
    ground.write("b", [record("2"), record("3"), record("1", **other_day)])
    ground.write("c", [record("4"), record("3"), record(None), record(None)])
    ground.write("d", [record("1", **other_day), record("4"), record("5")])
    ground.write("e", [record("5"), record("6")])
    ground.ingest(workers=workers, portions=portions)
    assert [(Path(uri).name[0], place) for uri, place, again in _marked(ground) if again] == [
        ("a", 2),
        ("b", 0),
        ("c", 1),
        ("d", 0),
        ("d", 1),
        ("e", 0),
    ]
    check_invariants(ground)


def _marked(ground: Ground) -> list[tuple[str, int, bool]]:
    return [
        (uri, place, again)
        for uri, place, again in ground.rows("source_uri", "source_position", "redelivered")
    ]


def test_redelivery_across_runs(ground: Ground) -> None:
    ground.write("z", [record("1"), record("2")])
    ground.ingest()
    ground.write("a", [record("2"), record("3")])
    ground.ingest()
    assert [again for *_, again in _marked(ground)] == [True, False, False, False]
    assert ground.requests() == ["1", "2", "3"]


def test_every_question_counts_a_request_once(ground: Ground) -> None:
    ground.write("a", [record("1", {"k": "v"}), record("1", {"k": "v"})])
    ground.write("b", [record("1", {"k": "v"})])
    ground.ingest()
    store = str(ground.store)
    assert pipeline.count(store).count == 1
    assert pipeline.count(store, by="status").by == {"pair": 1}
    assert pipeline.keys(store).records == 1
    assert len(list(pipeline.select(store))) == 1
    pipeline.export(str(ground.folder / "out.jsonl"), store, allow_few=True)
    assert len((ground.folder / "out.jsonl").read_bytes().splitlines()) == 1
    assert len(pipeline.explain("1", store).records) == 3


def test_an_object_with_nothing_in_it_is_known_afterwards(ground: Ground) -> None:
    ground.write("blank", [b"", b"  "])
    assert ground.ingest().tally.quarantined == 1
    again = ground.ingest()
    assert (again.skipped, again.tally.quarantined) == (1, 0)


def test_an_interrupted_run_goes_on_where_it_stopped(ground: Ground) -> None:
    for name in "abcdef":
        ground.write(name, [record(name)])
    first = ground.ingest(portions=SMALL, stop=_StopAfter(5))
    assert first.interrupted
    assert 0 < first.tally.records < 6
    assert len(ground.positions()) == first.tally.records
    second = ground.ingest()
    assert not second.interrupted
    assert second.tally.records == 6 - first.tally.records
    check_invariants(ground, [(f"file://{ground.logs}/{name}.json.gz", 0) for name in "abcdef"])


def test_a_run_that_is_stopped_when_all_is_read_is_not_interrupted(ground: Ground) -> None:
    ground.write("a", [record("1")])
    assert not ground.ingest(stop=_StopAfter(1)).interrupted
    assert ground.requests() == ["1"]


class _StopAfter:
    """Is set from the n-th time on that somebody asks."""

    def __init__(self, times: int) -> None:
        self._left = times

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0
