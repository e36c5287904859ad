"""Selected records: their order, their columns, and reading them piece by piece."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.errors import UsageError
from logminer.query import view as view_module
from logminer.query.rows import SELECT_COLUMNS
from logminer.store import rows as rows_module

from .logs import LLAMA_GEO, ids, make_store, record, store_of

TIMES = [
    "2026-06-03T08:00:00Z",
    "2026-06-03T08:00:00.000001Z",
    "2026-06-03T23:59:59Z",
    "2026-06-04T00:00:00Z",
]

some_records = st.lists(
    st.builds(
        record,
        st.none() | st.sampled_from(["a", "B", "b", "é", "", "~"]),
        at=st.sampled_from(TIMES),
        prompt=st.sampled_from(["one", "two"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None)
@given(st.lists(some_records, min_size=1, max_size=3))
def test_order_is_time_then_request_then_source_and_position(batches: list[list[dict[str, Any]]]) -> None:
    columns = ["timestamp", "request_id", "source_uri", "source_position", "redelivered"]
    with store_of(*batches) as store:
        rows = list(pipeline.select(store, columns=columns))
        limited = list(pipeline.select(store, columns=columns, limit=3))
    keys = [(row["timestamp"], row["request_id"] is None, *list(row.values())[1:4]) for row in rows]
    assert keys == sorted(keys, key=lambda key: (*key[:2], key[2] or "", *key[3:]))
    assert not any(row["redelivered"] for row in rows)
    assert limited == rows[:3]


def test_limit_zero_and_less(tmp_path: Path) -> None:
    store = make_store(tmp_path, [record("a")])
    assert ids(store, limit=0) == []
    with pytest.raises(UsageError, match="cannot be negative"):
        ids(store, limit=-1)


def test_columns_are_plain_values(tmp_path: Path) -> None:
    metadata = {"project": "A", "Project": "a", "": "empty", "n": 1.5, "ok": True}
    store = make_store(tmp_path, [record("r", model=LLAMA_GEO, metadata=metadata, system="Be brief.")])
    (row,) = pipeline.select(store)
    assert tuple(row) == SELECT_COLUMNS
    assert row["timestamp"] == datetime(2026, 6, 3, 8, tzinfo=UTC)
    assert row["ingested_at"].tzinfo is UTC
    assert row["date"] == date(2026, 6, 3)
    assert row["messages"] == [{"role": "user", "content": [{"text": "Where is my order?"}]}]
    assert row["response_blocks"] == [{"text": "It arrives on Friday."}]
    assert row["request_metadata"] == {"project": "A", "Project": "a", "": "empty", "n": "1.5", "ok": "true"}
    assert (row["system"], row["tools"], row["model"]) == (
        "Be brief.",
        None,
        "meta.llama3-1-405b-instruct-v1:0",
    )


def test_metadata_of_both_columns_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MAX_PROMOTED_KEYS", 3)
    metadata = {f"k{number}": str(number) for number in range(9)}
    store = make_store(
        tmp_path, [record("a", metadata=metadata), record("b", metadata={"k8": "x"}), record("c")]
    )
    rows = {row["request_id"]: row["request_metadata"] for row in pipeline.select(store)}
    assert rows == {"a": metadata, "b": {"k8": "x"}, "c": None}
    assert pipeline.count(store, where="request_metadata_rest IS NOT NULL").count > 0


@pytest.mark.parametrize("columns", [["nope"], ["request_id", "request_metadata_rest"], ["request_id; DROP"]])
def test_unknown_columns_are_refused_at_once(tmp_path: Path, columns: list[str]) -> None:
    with pytest.raises(UsageError, match="there is no column"):
        pipeline.select(str(tmp_path), columns=columns)
    with pytest.raises(UsageError, match="one operator"):
        pipeline.select(str(tmp_path), filter="a=b AND c=d OR e=f")


def test_an_iterator_that_is_closed_early_lets_the_store_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, [record(str(number), prompt=str(number)) for number in range(9)])
    opened: list[Any] = []

    class Watched(view_module.StoreConnection):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            opened.append(self)
            self.is_closed = False

        def close(self) -> None:
            self.is_closed = True
            super().close()

    monkeypatch.setattr(view_module, "StoreConnection", Watched)
    rows = pipeline.select(store)
    assert opened == []
    assert len(list(itertools.islice(rows, 2))) == 2
    assert [each.is_closed for each in opened] == [False]
    rows.close()  # type: ignore[attr-defined]
    assert [each.is_closed for each in opened] == [True]


def test_two_iterators_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = make_store(tmp_path, [record(f"{number:04}") for number in range(2500)])
    first, second = (
        pipeline.select(store, columns=["request_id"]),
        pipeline.select(store, columns=["request_id"]),
    )
    pairs = list(zip(first, second, strict=True))
    assert len(pairs) == 2500
    assert all(one == other for one, other in pairs)


def test_ingests_in_another_order_and_with_other_workers_give_the_same_records(tmp_path: Path) -> None:
    draw = random.Random(7)
    batches = [
        [
            record(f"{batch}-{number}", at=draw.choice(TIMES), prompt=str(draw.randrange(40)))
            for number in range(20)
        ]
        for batch in range(9)
    ]
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, batch in enumerate(batches):
        (logs / f"{number}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in batch))
    stores = [str(tmp_path / name) for name in ("forward", "backward", "together")]
    for number in range(9):
        pipeline.ingest(str(logs / f"{number}.jsonl"), store=stores[0], workers=1)
        pipeline.ingest(str(logs / f"{8 - number}.jsonl"), store=stores[1], workers=1)
    pipeline.ingest(str(logs), store=stores[2], workers=2)
    columns = [name for name in SELECT_COLUMNS if name not in ("ingest_id", "ingested_at")]
    rows = [list(pipeline.select(store, columns=columns)) for store in stores]
    assert len(rows[0]) == 180
    assert rows[0] == rows[1] == rows[2]
