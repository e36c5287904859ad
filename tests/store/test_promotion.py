"""Metadata keys with columns of their own: few enough for ever, and no metadata lost whichever they are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.ingestion import commit, worker
from logminer.ingestion.driver import Portions
from logminer.metadata_keys import encode_key
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.store import rows

from .ground import Ground, check_invariants, record

HOSTILE_KEYS = [
    "project",
    "Project",
    "PROJECT",
    "",
    " ",
    "a.b",
    'a"b',
    "a'b",
    "a/b",
    "a~1b",
    "$.a",
    "_x_",
    "_x50_",
    "nul\0key",
    "ключ",
    "😀",
    "e\u0301",
    "\u00e9",
    "İ",
    "straße",
    "STRASSE",
    "line\r\nbreak",
    "k" * 256,
    "k" * 257,
    "K" * 5_000,
]
keys = st.sampled_from(HOSTILE_KEYS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
runs = st.lists(
    st.lists(st.none() | st.dictionaries(keys, values, max_size=5), max_size=3), min_size=1, max_size=4
)


def stored_metadata(ground: Ground) -> dict[str, dict[str, str] | None]:
    return {
        each["request_id"]: each["request_metadata"]
        for each in ground.selected("request_id", "request_metadata")
    }


@settings(max_examples=15, deadline=None)
@given(runs)
def test_metadata_reads_back_equal_whatever_was_promoted(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[dict[str, str] | None]]
) -> None:
    """One log object and one run for each list; with room for five keys, so that some are always in the rest."""
    ground = Ground(tmp_path_factory.mktemp("metadata"))
    sent: dict[str, dict[str, str] | None] = {}
    with pytest.MonkeyPatch.context() as patch:
        for module in (commit, worker, rows):
            patch.setattr(module, "MAX_PROMOTED_KEYS", 5)
        for number, batch in enumerate(runs):
            records = []
            for metadata in batch:
                request_id = str(len(sent))
                sent[request_id] = metadata or None  # sent empty is as good as not sent
                records.append(record(request_id, metadata))
            ground.write(str(number), records)
            ground.ingest()
    assert stored_metadata(ground) == sent
    assert len(ground.snapshot().metadata_fields) <= 5
    check_invariants(ground)


def test_hostile_keys_stay_apart(ground: Ground) -> None:
    ground.write("a", [record("all", {key: str(number) for number, key in enumerate(HOSTILE_KEYS)})])
    ground.write("b", [record(str(number), {key: "own"}) for number, key in enumerate(HOSTILE_KEYS)])
    ground.ingest()
    expected = {str(number): {key: "own"} for number, key in enumerate(HOSTILE_KEYS)}
    expected["all"] = {key: str(number) for number, key in enumerate(HOSTILE_KEYS)}
    assert stored_metadata(ground) == expected


def test_keys_that_the_service_refuses_are_not_promoted(ground: Ground) -> None:
    ground.write("a", [record("1", {"k" * 256: "v", "k" * 257: "v"})])
    ground.ingest()
    assert ground.snapshot().metadata_fields == ("_x_", "k" * 256)
    assert json.loads(ground.rows("request_metadata_rest")[0][0]) == {"k" * 257: "v"}


def test_a_value_that_is_absent_and_one_that_is_empty(ground: Ground) -> None:
    ground.write("a", [record("1", {"k": ""}), record("2", {"other": "x"}), record("3"), record("4", {})])
    ground.ingest()
    assert ground.rows("request_metadata.k", "request_metadata IS NULL", "request_metadata_rest") == [
        ("", False, None),
        (None, False, None),
        (None, True, None),
        (None, True, None),
    ]


@pytest.mark.parametrize("order", [1, -1], ids=["many keys last", "many keys first"])
@pytest.mark.parametrize("workers", [1, 2])
def test_at_most_so_many_keys_are_promoted(ground: Ground, order: int, workers: int) -> None:
    objects = [[record(f"few-{each}", {"project": "P", "env": str(each)}) for each in range(3)]]
    objects += [
        [record(f"{start + each}", {f"k{start + each}": "v", "project": "P"}) for each in range(50)]
        for start in range(0, 200, 50)
    ]
    for number, records in enumerate(objects[::order]):
        ground.write(str(number), records)
    ground.ingest(workers=workers, portions=Portions(batch_objects=1, round_objects=2, one_process_bytes=0))
    fields = ground.snapshot().metadata_fields
    assert len(fields) == MAX_PROMOTED_KEYS
    assert "project" in fields
    check_invariants(ground)
    expected = {f"few-{each}": {"project": "P", "env": str(each)} for each in range(3)}
    assert stored_metadata(ground) == expected | {str(n): {f"k{n}": "v", "project": "P"} for n in range(200)}
    for key in ("k0", "k60", "k120", "k199", "env"):
        value = "1" if key == "env" else "v"
        assert pipeline.count(str(ground.store), filter=f"{key}={value}").count == 1, key


def test_the_commonest_keys_of_an_object_are_promoted_first(ground: Ground) -> None:
    rare = [record(f"rare-{number}", {f"a{number:03}": "v", "zone": "1"}) for number in range(200)]
    ground.write("a", rare)
    ground.ingest()
    fields = ground.snapshot().metadata_fields
    assert "zone" in fields
    assert encode_key("a199") not in fields


def test_a_full_table_promotes_nothing_new(ground: Ground) -> None:
    ground.write("a", [record("1", {f"k{number}": "v" for number in range(MAX_PROMOTED_KEYS)})])
    ground.ingest()
    full = ground.snapshot().metadata_fields
    ground.write("b", [record("2", {"late": "v", "k1": "w"})])
    ground.ingest()
    assert ground.snapshot().metadata_fields == full
    assert stored_metadata(ground)["2"] == {"late": "v", "k1": "w"}
    assert pipeline.count(str(ground.store), filter="late=v AND k1=w").count == 1
