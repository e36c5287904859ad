"""Few sorted files per day, with the same rows, whatever runs beside it."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.ground import Ground, check_invariants, committed, finish, orphans, record, wait_until

from logminer import pipeline
from logminer.ingestion import commit
from logminer.maintenance import compaction, sorting
from logminer.maintenance.compaction import SORTED_BY, CompactionPlan, compact
from logminer.maintenance.metadata_fields import with_metadata_fields
from logminer.metadata_keys import decode_key, encode_key
from logminer.query.selection import Selection
from logminer.store import rows as rows_module
from logminer.store.rewrite import sorting_of_file
from logminer.store.table import open_table

from .looking import files_of, make_older

EVERYTHING = Selection(statuses=None)

COMPACTION = """
import sys
from logminer import pipeline
for _ in range(int(sys.argv[2])):
    pipeline.compact(sys.argv[1], everything=True)
"""


def fill(ground: Ground, ingests: int = 5, days: int = 2) -> None:
    """A store with a file per ingest and day; models and times are mixed."""
    for number in range(ingests):
        records = [
            record(
                f"{number}-{day}-{each}",
                {"project": "P", f"key{number}": str(each)},
                timestamp=f"2026-06-0{day}T{(7 * each + number) % 24:02}:00:00Z",
                modelId=f"model-{each % 3}",
            )
            for day in range(1, days + 1)
            for each in range(6)
        ]
        ground.write(f"{number:02}", records)
        ground.ingest()


def test_a_day_becomes_one_sorted_file(ground: Ground) -> None:
    fill(ground)
    before, selected = ground.content(), ground.selected()
    report = pipeline.compact(str(ground.store))
    assert (report.days, report.files_before, report.files_after, report.left) == (2, 10, 2, 0)
    assert without_order(ground.content()) == without_order(before)
    assert ground.selected() == selected
    check_invariants(ground)
    for file in ground.snapshot().files:
        assert sorting_of_file(ground.storage, file) == SORTED_BY
        rows = pq.read_table(ground.store / "invocations" / file.name, columns=list(SORTED_BY)).to_pylist()
        order = [(row["model_id"], row["timestamp"]) for row in rows]
        assert order == sorted(order)
    assert {mode.st_mode & 0o777 for mode in map(Path.stat, ground.store.rglob("*.parquet"))} == {0o600}


def without_order(content: list[tuple[str | None, ...]]) -> list[list[str]]:
    """Rows with their cells, but for metadata, whose fields can come in another order."""
    return [sorted(cell for cell in row if cell is not None and not cell.startswith("{'")) for row in content]


def test_what_is_compact_is_left_alone(ground: Ground) -> None:
    fill(ground)
    first = pipeline.compact(str(ground.store))
    before = files_of(ground.store)
    again = pipeline.compact(str(ground.store))
    assert (again.version, again.days, again.files_before) == (first.version, 0, 0)
    assert files_of(ground.store) == before
    assert pipeline.compact(str(ground.store), everything=True).files_before == 2
    check_invariants(ground)


def test_only_days_of_the_time_span(ground: Ground) -> None:
    fill(ground, days=3)
    report = pipeline.compact(str(ground.store), since="2026-06-02", until="2026-06-03")
    assert (report.days, report.files_before) == (1, 5)
    assert len(ground.snapshot().files) == 11


def test_files_and_row_groups_are_cut_by_size(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ground, ingests=6, days=1)
    before = ground.content()
    monkeypatch.setattr(sorting, "_RUN_ROWS", 10)
    monkeypatch.setattr(sorting, "_BATCH_ROWS", 3)
    monkeypatch.setattr(compaction, "ROW_GROUP_ROWS", 7)
    size = max(file.size_bytes for file in ground.snapshot().files)
    report = compact(ground.storage, CompactionPlan(EVERYTHING, target_bytes=size))
    assert 1 < report.files_after < 6
    assert without_order(ground.content()) == without_order(before)
    spans = []
    for file in ground.snapshot().files:
        with pq.ParquetFile(ground.store / "invocations" / file.name) as parquet:
            groups = [parquet.metadata.row_group(index) for index in range(parquet.num_row_groups)]
            assert all(group.num_rows <= 7 for group in groups)
        models = pq.read_table(ground.store / "invocations" / file.name)["model_id"].to_pylist()
        spans.append((models[0], models[-1]))
    assert all(left[1] <= right[0] for left, right in zip(sorted(spans), sorted(spans)[1:], strict=False))


MANY = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), st.integers(0, 3), st.sampled_from("xyz"), st.text(max_size=40)
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(MANY, st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(1, 3_000))
def test_sorting_on_disk_is_sorting(
    values: list[Any], run_rows: int, batch_rows: int, max_rows: int, max_bytes: int
) -> None:
    rows = [
        {"model_id": model, "timestamp": moment, "source_uri": uri, "source_position": place, "text": text}
        for place, (model, moment, uri, text) in enumerate(values)
    ]
    kinds = [pa.string(), pa.int64(), pa.string(), pa.int64(), pa.string()]
    schema = pa.schema(list(zip((*sorting.KEYS, "text"), kinds, strict=True)))
    table = pa.Table.from_pylist(rows, schema)
    with pytest.MonkeyPatch.context() as patch, sorting.SortedRows(schema) as sorted_rows:
        patch.setattr(sorting, "_RUN_ROWS", run_rows)
        patch.setattr(sorting, "_BATCH_ROWS", batch_rows)
        for start in range(0, len(rows), 4):
            sorted_rows.add(table.slice(start, 4))
        pieces = [piece.to_pylist() for piece in sorted_rows.pieces(max_rows, max_bytes)]
    assert all(0 < len(piece) <= max_rows for piece in pieces)
    key = lambda row: (row["model_id"] is None, row["model_id"] or "", row["timestamp"], row["source_uri"])  # noqa: E731
    assert [row for piece in pieces for row in piece] == sorted(rows, key=key)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30)), max_size=8),
    st.integers(1, 30),
    st.integers(1, 300),
)
def test_pieces_end_where_a_model_ends(models: list[tuple[int, int]], max_rows: int, max_bytes: int) -> None:
    rows = [(number, size) for number, (count, size) in enumerate(models) for _ in range(count)]
    cuts = list(sorting.cut_pieces(rows, max_rows, max_bytes))
    assert [start for start, _ in cuts] == [0, *(end for _, end in cuts)][: len(cuts)]
    assert (cuts[-1][1] if cuts else 0) == len(rows)
    for start, end in cuts:
        piece = rows[start:end]
        assert 0 < len(piece) <= max_rows
        assert sum(size for _, size in piece[:-1]) < max_bytes
        first_of_last_model = next(index for index, row in enumerate(piece) if row[0] == piece[-1][0])
        assert first_of_last_model == 0 or first_of_last_model < max(max_rows // 2, 1)


# --- metadata -----------------------------------------------------------------------------------------------


def test_keys_of_few_values_lie_nearest_to_the_end_of_a_file(ground: Ground) -> None:
    for number in range(4):
        metadata = [{"few": "a", "many": f"{number}-{each}", "some": str(each % 3)} for each in range(8)]
        ground.write(f"{number}", [record(f"{number}-{each}", said) for each, said in enumerate(metadata)])
        ground.ingest()
    files = [ground.store / "invocations" / file.name for file in ground.snapshot().files]
    compact(ground.storage, CompactionPlan(EVERYTHING, everything=True))
    (compacted,) = (ground.store / "invocations" / file.name for file in ground.snapshot().files)
    for path in (*files, compacted):
        schema = pq.read_schema(path)
        assert [field.name for field in schema.field("request_metadata").type] == ["many", "some", "few"]
        assert schema.names[-1] == "redelivered"
    # Whatever the order of a file, metadata comes sorted by key.
    assert {tuple(row["request_metadata"]) for row in ground.selected()} == {("few", "many", "some")}


def test_keys_come_back_from_the_rest_when_there_is_room(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["project", "Project", "team", "rare", "", 'quo"te']
    with pytest.MonkeyPatch.context() as patch:
        for module in (rows_module, commit):
            patch.setattr(module, "MAX_PROMOTED_KEYS", 3)
        for number in range(4):
            metadata = [dict.fromkeys(keys[: 2 + each], f"{number}{each}") for each in range(5)]
            ground.write(str(number), [record(f"{number}-{i}", each) for i, each in enumerate(metadata)])
            ground.ingest()
    before = {row["request_id"]: row["request_metadata"] for row in ground.selected()}
    assert ground.rows("count(request_metadata_rest) OVER ()")[0] == (16,)
    report = pipeline.compact(str(ground.store))
    assert {decode_key(field) for field in report.promoted} | {"project", "Project", ""} == {*keys}
    assert {row["request_id"]: row["request_metadata"] for row in ground.selected()} == before
    assert ground.rows("count(request_metadata_rest) OVER ()")[0] == (0,)
    assert pipeline.count(str(ground.store), filter="team=00").count == 0
    assert pipeline.count(str(ground.store), filter="team=13").count == 1
    check_invariants(ground)


def test_the_commonest_keys_come_first_and_no_more_than_there_is_room_for(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    from logminer.maintenance import metadata_fields

    with pytest.MonkeyPatch.context() as patch:
        for module in (rows_module, commit):
            patch.setattr(module, "MAX_PROMOTED_KEYS", 2)
        for number in range(2):
            metadata = [{"project": "P", "often": "1"}, {"often": "2", "seldom": "3"}, {"project": "Q"}] * 2
            ground.write(str(number), [record(f"{number}-{i}", each) for i, each in enumerate(metadata)])
            ground.ingest()
    before = {row["request_id"]: row["request_metadata"] for row in ground.selected()}
    full = ground.snapshot().metadata_fields
    monkeypatch.setattr(metadata_fields, "MAX_PROMOTED_KEYS", len(full) + 1)
    assert len(pipeline.compact(str(ground.store)).promoted) <= 1
    assert len(ground.snapshot().metadata_fields) <= len(full) + 1
    assert {row["request_id"]: row["request_metadata"] for row in ground.selected()} == before


KEYS = st.text("aAx_ é\"'~/.", max_size=3)
METADATA = st.none() | st.dictionaries(KEYS, st.text(max_size=2), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(METADATA, min_size=1, max_size=6),
    st.sets(KEYS, min_size=1, max_size=4),
    st.sets(KEYS, max_size=4),
)
def test_moved_keys_are_what_they_were(
    records: list[dict[str, str] | None], promoted: set[str], wanted: set[str]
) -> None:
    """Rows as an ingest lays them down with some keys promoted, and then with more of them."""
    before = rows_with(records, sorted(promoted))
    after = with_metadata_fields(before, [encode_key(key) for key in sorted(promoted | wanted)])
    assert metadata_of(after) == records
    rest = [json.loads(text) for text in after["request_metadata_rest"].to_pylist() if text is not None]
    assert all(each and not {*each} & (promoted | wanted) for each in rest)


def rows_with(records: list[dict[str, str] | None], promoted: list[str]) -> pa.Table:
    kind = pa.struct([(encode_key(key), pa.string()) for key in promoted])
    structs = [
        None if each is None else {encode_key(key): each.get(key) for key in promoted} for each in records
    ]
    left = [{key: value for key, value in (each or {}).items() if key not in promoted} for each in records]
    rest = [json.dumps(each) if each else None for each in left]
    return pa.table(
        {"request_metadata": pa.array(structs, kind), "request_metadata_rest": pa.array(rest, pa.string())}
    )


def metadata_of(rows: pa.Table) -> list[dict[str, str] | None]:
    found: list[dict[str, str] | None] = []
    for fields, rest in zip(
        rows["request_metadata"].to_pylist(), rows["request_metadata_rest"].to_pylist(), strict=True
    ):
        values = {decode_key(name): value for name, value in (fields or {}).items() if value is not None}
        values |= json.loads(rest or "{}")
        found.append(None if fields is None else values)
    return found


# --- the quarantine -----------------------------------------------------------------------------------------


def test_the_files_of_the_quarantine_are_joined(ground: Ground) -> None:
    for number in range(4):
        ground.write(str(number), [record(str(number)), b"broken %d" % number])
        ground.write(f"nothing-{number}", [b"no record at all"])
        ground.ingest()
    before = pipeline.quarantine(str(ground.store))
    files = [*(ground.store / "quarantine").iterdir()]
    make_older(*files[1:])
    assert pipeline.compact(str(ground.store)).quarantine_files == 3
    assert len([*(ground.store / "quarantine").iterdir()]) == 2
    assert pipeline.quarantine(str(ground.store)) == before
    assert ground.ingest().tally.objects == 0
    assert pipeline.compact(str(ground.store)).quarantine_files == 0


def test_a_file_that_is_emptied_while_files_are_joined_does_not_come_back(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    from logminer.maintenance import quarantine_files

    for number in range(3):
        ground.write(str(number), [record(str(number)), b'{"requestId": "gone", broken'])
        ground.ingest()
    make_older(*(ground.store / "quarantine").iterdir())
    write_together = quarantine_files._write_together

    def intruded(*arguments: Any) -> None:
        write_together(*arguments)
        pipeline.forget(str(ground.store), request_ids="gone")

    monkeypatch.setattr(quarantine_files, "_write_together", intruded)
    assert pipeline.compact(str(ground.store)).quarantine_files == 0
    assert {(entry.reason, entry.raw) for entry in pipeline.quarantine(str(ground.store))} == {
        ("forgotten", b"")
    }


# --- beside others ------------------------------------------------------------------------------------------


def test_ingests_and_compactions_at_once(ground: Ground) -> None:
    ground.write("first", [record("first")])
    ground.ingest()
    for number in range(24):
        days = [
            record(f"{number}-{day}", {f"k{number}": "v"}, timestamp=f"2026-06-0{day}T10:00:00Z")
            for day in (1, 2)
        ]
        ground.write(f"{number:02}", [*days, record("again")])
    compactions = [ground.start_program(COMPACTION, 4) for _ in range(2)]
    ingest = ground.start(round_objects=3, workers=1)
    for process in (*compactions, ingest):
        code, _, stderr = finish(process)
        assert code == 0, stderr
    check_invariants(ground)
    assert len(ground.positions()) == 73
    pipeline.compact(str(ground.store))
    check_invariants(ground)
    assert len(ground.snapshot().files) == 2


def test_rows_that_change_while_a_day_is_written_are_not_lost(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run takes the files away in between: the day is written once more, from what is there then."""
    fill(ground, days=1)
    write_sorted = compaction._write_sorted

    def intruded(*arguments: Any) -> Any:
        monkeypatch.setattr(compaction, "_write_sorted", write_sorted)
        written = write_sorted(*arguments)
        pipeline.forget(str(ground.store), request_ids="0-1-0")
        return written

    monkeypatch.setattr(compaction, "_write_sorted", intruded)
    report = pipeline.compact(str(ground.store))
    assert (report.days, report.left, len(ground.snapshot().files)) == (1, 0, 1)
    assert ground.selected("request_id", status="forgotten") == [{"request_id": "0-1-0"}]
    assert len(ground.selected("request_id")) == 29
    check_invariants(ground)
    assert not orphans(ground)


def test_a_day_that_never_rests_is_left_alone(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ground, days=1)
    before = files_of(ground.store)
    monkeypatch.setattr(compaction, "_exchange", lambda storage, table, files, after: give_away(after))
    written = []

    def give_away(after: Any) -> bool:
        written.extend(after)
        for file in after:
            ground.storage.delete(f"invocations/{file.name}")
        return False

    assert pipeline.compact(str(ground.store)).left == 1
    assert len(written) == compaction._ATTEMPTS
    assert files_of(ground.store) == before


@pytest.mark.parametrize("dies_in", ["with_metadata_fields", "_exchange"])
def test_a_failure_leaves_nothing_behind(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    fill(ground, days=1)
    before = files_of(ground.store)
    if dies_in == "_exchange":
        monkeypatch.setattr("logminer.store.table.Table.commit", interrupted)
    else:
        monkeypatch.setattr(compaction, dies_in, interrupted)
    with pytest.raises(KeyboardInterrupt):
        pipeline.compact(str(ground.store))
    assert files_of(ground.store) == before


def test_a_killed_compaction(ground: Ground) -> None:
    fill(ground, ingests=4, days=6)
    before = without_order(ground.content())
    dice = random.Random(20260601)
    for _ in range(4):
        process = ground.start_program(COMPACTION, 5)
        versions = committed(ground) + dice.randint(1, 4)
        wait_until(lambda v=versions, p=process: committed(ground) >= v or p.poll() is not None, "a commit")
        time.sleep(dice.uniform(0, 0.05))
        process.kill()
        assert finish(process)[0] == -signal.SIGKILL
        check_invariants(ground)
        assert without_order(ground.content()) == before
    pipeline.compact(str(ground.store))
    make_older(*(ground.store / "invocations" / name for name in orphans(ground)))
    pipeline.vacuum(str(ground.store))
    assert not orphans(ground)
    assert without_order(ground.content()) == before
    assert open_table(ground.storage).version == ground.snapshot().version
