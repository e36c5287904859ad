"""Metadata through the real store: filters, the census of keys, counts, and what may have been meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filters.strategies import HOSTILE_KEYS, filters_and_records
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.errors import UsageError
from logminer.filters import compile_predicate
from logminer.ingestion import commit, worker
from logminer.query import hints as hints_module
from logminer.query import keys as keys_module
from logminer.store import rows

from .logs import ids, make_store, record, store_of

Metadata = dict[str, str]


@contextmanager
def promoting(keys: int) -> Iterator[None]:
    """Files get columns for so many metadata keys, and JSON for the rest."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (rows, worker, commit):
            patch.setattr(module, "MAX_PROMOTED_KEYS", keys)
        yield


@st.composite
def batches(draw: st.DrawFn, records: list[Metadata]) -> list[list[Metadata]]:
    """The records, cut into the files of up to three ingests."""
    cuts = sorted(draw(st.lists(st.integers(0, len(records)), min_size=2, max_size=2)))
    files = [records[: cuts[0]], records[cuts[0] : cuts[1]], records[cuts[1] :]]
    return [file for file in files if file]


def logged(files: list[list[Metadata]]) -> list[list[dict[str, Any]]]:
    """Records with such metadata; request ids count through all files, every third record is a day later."""
    numbers = iter(range(100))
    return [
        [
            record(
                f"{(n := next(numbers)):02}", at=f"2026-06-0{3 + (n % 3 == 2)}T08:00:00Z", metadata=metadata
            )
            for metadata in file
        ]
        for file in files
    ]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_store_selects_what_the_predicate_does(data: st.DataObject) -> None:
    node, records = data.draw(filters_and_records())
    files = data.draw(batches(records))
    flat = [metadata for file in files for metadata in file]
    holds = compile_predicate(node)
    expected = [f"{number:02}" for number, metadata in enumerate(flat) if holds(metadata)]
    lacking = {key: sum(holds(each) and key not in each for each in flat) for key in node.negated_keys}
    with promoting(data.draw(st.integers(1, 3))), store_of(*logged(files)) as store:
        assert sorted(ids(store, filter=node)) == expected
        found = pipeline.count(store, filter=node)
        assert (found.count, found.lacking) == (len(expected), lacking)
        has_all = [f"{n:02}" for n, each in enumerate(flat) if each.keys() >= set(node.keys)]
        assert sorted(ids(store, has_key=node.keys)) == has_all
        for request_id in ("00", f"{len(flat) - 1:02}"):
            (met,) = pipeline.explain(request_id, store, filter=node, since="2026-06-04").conditions
            assert met["filter"] is holds(flat[int(request_id)])


@contextmanager
def counting(few_values: int, batch: int) -> Iterator[None]:
    """Keys of more values than these are counted one by one, others so many together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys_module, "_FEW_VALUES", few_values)
        patch.setattr(keys_module, "_BATCH", batch)
        yield


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_the_census_is_exact_wherever_keys_are_kept(data: st.DataObject) -> None:
    _, records = data.draw(filters_and_records())
    files = data.draw(batches(records))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for metadata in records:
        for key, value in metadata.items():
            counts[key][value] += 1
    together = counting(data.draw(st.integers(0, 2)), data.draw(st.integers(1, 2)))
    with promoting(data.draw(st.integers(1, 3))), together, store_of(*logged(files)) as store:
        census = pipeline.keys(store, top=2)
        key = data.draw(st.sampled_from(sorted(counts) or ["none"]))
        by = pipeline.count(store, by=f"request_metadata.{key}").by
    assert (census.records, census.untagged) == (len(records), sum(not metadata for metadata in records))
    assert {each.key: (each.records, each.distinct_values) for each in census.keys} == {
        key: (values.total(), len(values)) for key, values in counts.items()
    }
    for each in census.keys:
        ordered = sorted(counts[each.key].items(), key=lambda item: (-item[1], item[0]))
        assert list(each.values.items()) == ordered[:2]
    assert [(-each.records, each.key) for each in census.keys] == sorted(
        (-each.records, each.key) for each in census.keys
    )
    lacks = len(records) - counts[key].total()
    assert by == dict(counts[key]) | ({None: lacks} if lacks else {})


def test_every_hostile_key_has_its_own_values(tmp_path: Path) -> None:
    metadata = {key: f"value of {key}" for key in HOSTILE_KEYS}
    with promoting(len(HOSTILE_KEYS) // 2):
        store = make_store(
            tmp_path, [record("all", metadata=metadata)], [record("none"), record("a", metadata={"A": "1"})]
        )
    for key in HOSTILE_KEYS:
        found = pipeline.count(store, by=f"request_metadata.{key}").by
        assert found is not None
        assert found[metadata[key]] == 1
        assert found.get("1", 0) == (key == "A")
    census = {each.key: each for each in pipeline.keys(store).keys}
    assert census.keys() == metadata.keys()
    assert census["A"].values == {"1": 1, "value of A": 1}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tags with look-alikes, and a key that is called like a column."""
    return make_store(
        tmp_path_factory.mktemp("tags"),
        [
            record("1", metadata={"project": "CustomerService", "region": "north"}),
            record("2", metadata={"project": "CustomerService", "ticket#": "a,b"}),
            record("3", metadata={"Project": "customerservice"}),
            record("4", region="us-west-2"),
        ],
    )


def test_count_by_column_or_key(store: str) -> None:
    assert pipeline.count(store, by="project").by == {"CustomerService": 2, None: 2}
    assert pipeline.count(store, by="region").by == {"us-east-1": 3, "us-west-2": 1}
    assert pipeline.count(store, by="request_metadata.region").by == {None: 3, "north": 1}
    assert pipeline.count(store, by="date").by == {"2026-06-03": 4}
    assert pipeline.count(store, by="response").by == {None: 4}, "texts are no groups, so it is a key"
    assert pipeline.count(store).by is None


def test_count_by_a_key_that_nobody_has_names_near_ones(store: str) -> None:
    assert pipeline.count(store, by="projet").hints == (
        "No record has the key 'projet'. There is: 'Project', 'project'.",
    )


@pytest.mark.parametrize(
    ("options", "hints"),
    [
        ({"filter": "projct=X"}, ["No record has the key 'projct'. There is: 'Project', 'project'."]),
        ({"filter": "project=CustomerServise"}, ["No record has project='CustomerServise'. There is: 'CustomerService'."]),
        ({"filter": "Project=CustomerService"}, ["No record has Project='CustomerService'. There is: 'customerservice'."]),
        ({"filter": "zzz=1 AND qqq=2"}, ["No record has the key 'zzz'.", "No record has the key 'qqq'."]),
        ({"has_key": ["regiom"]}, ["No record has the key 'regiom'. There is: 'region'."]),
        ({"filter": "project=CustomerService AND Project=customerservice"}, []),
        ({"filter": "project!=CustomerService AND region=north"}, []),
        ({"min_output_tokens": 999}, []),
    ],
)  # fmt: skip
def test_hints(store: str, options: dict[str, Any], hints: list[str]) -> None:
    found = pipeline.count(store, **options)
    assert (found.count, found.hints) == (0, tuple(hints))
    assert pipeline.stats(store, **options).hints == tuple(hints)


def test_a_rare_value_is_known_however_many_there_are(tmp_path: Path) -> None:
    records = [record(str(n), metadata={"n": str(n)}, at=f"2026-06-03T08:{n % 60:02}:00Z") for n in range(50)]
    store = make_store(tmp_path, records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hints_module, "_MAX_COMPARED", 3)
        found = pipeline.count(store, filter="n=49", region="nowhere")
    assert (found.count, found.hints) == (0, ())


def test_the_census_shows_look_alikes_and_what_a_job_cannot_take(store: str) -> None:
    census = {each.key: each for each in pipeline.keys(store).keys}
    assert census["project"].look_alikes == ("Project",)
    assert census["ticket#"].refused == ("#", ",")
    assert census["region"].refused == ()


def test_the_census_is_cut_and_says_so(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "_MAX_KEYS", 3)
    census = pipeline.keys(store)
    assert ([each.key for each in census.keys], census.more_keys) == (["project", "Project", "region"], 1)


@pytest.mark.parametrize("top", [0, -1, 1_000_000])
def test_a_census_shows_a_number_of_values(store: str, top: int) -> None:
    with pytest.raises(UsageError, match="--top: must be 1 to 999,999"):
        pipeline.keys(store, top=top)


def test_an_empty_store_has_no_keys(tmp_path: Path) -> None:
    logs = tmp_path / "empty.jsonl"
    logs.write_text("not json\n")
    store = str(tmp_path / "store")
    pipeline.ingest(str(logs), store=store)
    assert pipeline.keys(store).keys == ()
    assert pipeline.count(store, by="project", filter="a=b").by == {}
    assert pipeline.stats(store).models == ()
    assert list(pipeline.select(store)) == []
