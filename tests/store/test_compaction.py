"""Few files per date, whatever the ingests were; older versions stay as they were."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from logminer import pipeline
from logminer.ingestion import compact
from logminer.ingestion.compact import compact_small_files
from logminer.store.table import open_table

from .ground import Ground, check_invariants, record


def test_many_small_ingests_leave_few_files(ground: Ground) -> None:
    sizes = []
    for number in range(16):
        ground.write(
            f"{number:02}",
            [
                record(
                    f"{number}-{day}", {f"key{number % 3}": str(day)}, timestamp=f"2026-06-0{day}T10:00:00Z"
                )
                for day in (1, 2)
            ],
        )
        ground.ingest()
        sizes.append(len(ground.snapshot().files))
    assert max(sizes) <= 2 * compact._MAX_SMALL_FILES
    assert min(sizes[7:]) < 2 * compact._MAX_SMALL_FILES
    check_invariants(ground)
    assert len(ground.requests()) == 32


def test_compaction_keeps_rows_and_joins_fields(ground: Ground) -> None:
    keys = [
        {"a": "1"},
        {"b": "2", "a": ""},
        None,
        {"A": "3"},
        {"x" * 300: "long"},
        {"a": "4"},
        {"c": "5"},
        {},
    ]
    for number, metadata in enumerate(keys):
        ground.write(str(number), [record(str(number), metadata), record("again")])
        ground.ingest(ground.logs / f"{number}.json.gz")
        if number == 5:
            before_last, version = ground.content(), ground.snapshot().version
    assert len(ground.snapshot().files) == 2
    assert {
        row["request_id"]: row["request_metadata"]
        for row in ground.selected("request_id", "request_metadata")
    } == {
        **{str(number): metadata or None for number, metadata in enumerate(keys)},
        "again": None,
    }
    check_invariants(ground)
    (big, _) = sorted(ground.snapshot().files, key=lambda file: -file.rows)
    assert big.rows == 14
    assert ground.content(version=version) == before_last
    assert len(ground.requests(version=version)) == 7
    assert pipeline.count(str(ground.store), version=version, filter="a=4").count == 1
    assert pipeline.count(str(ground.store), version=version, filter="c=5").count == 0


def test_every_version_reads_as_it_was(ground: Ground) -> None:
    seen = []
    for number in range(9):
        ground.write(str(number), [record(str(number))])
        ground.ingest()
        seen.append((ground.snapshot().version, number + 1))
    for version, requests in seen:
        assert len(ground.requests(version=version)) == requests


def test_row_groups_are_cut_by_rows_and_bytes(ground: Ground) -> None:
    for number in range(7):
        ground.write(str(number), [record(f"{number}-{each}") for each in range(10)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compact, "_ROW_GROUP_ROWS", 25)
            ground.ingest()
    (file,) = ground.snapshot().files
    with pq.ParquetFile(ground.store / "invocations" / file.name) as parquet:
        groups = [parquet.metadata.row_group(index).num_rows for index in range(parquet.num_row_groups)]
    assert groups == [30, 30, 10]
    check_invariants(ground)


def test_nothing_to_compact_is_no_version(ground: Ground) -> None:
    ground.write("a", [record("1")])
    ground.ingest()
    table = open_table(ground.storage)
    compact_small_files(ground.storage, table)
    assert table.version == 1
    assert [commit.about.get("compacted") for commit in pipeline.store_history(str(ground.store))] == [
        None,
        None,
    ]
