"""Every target of a filter selects the same records, however the store's files promoted the keys."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from botocore_shapes import check_shape
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.errors import UsageError
from logminer.filters import (
    Filter,
    compile_athena,
    compile_athena_logs,
    compile_bedrock,
    compile_duckdb,
    compile_has_key,
    compile_lacks_key,
    compile_predicate,
    metadata_value,
    parse_bedrock,
    read_bedrock,
    refused_characters,
    render,
)

from .stores import Metadata, Store
from .strategies import HOSTILE_KEYS, filters_and_records, service_filters


def bedrock_selects(data: dict[str, Any], metadata: Metadata) -> bool:
    """The plain meaning of Bedrock's form; a lacking key differs from every value."""
    ((name, value),) = data.items()
    if name in ("andAll", "orAll"):
        results = [bedrock_selects(item, metadata) for item in value]
        return all(results) if name == "andAll" else any(results)
    ((key, wanted),) = value.items()
    return (metadata.get(key) == wanted) is (name == "equals")


@st.composite
def stores(draw: st.DrawFn, records: list[Metadata]) -> Store:
    """The records in up to three files, each with a choice of the keys promoted."""
    keys = sorted({key for record in records for key in record})
    promoted = st.sets(st.sampled_from(keys)) if keys else st.just(set())
    cuts = sorted(draw(st.lists(st.integers(0, len(records)), min_size=2, max_size=2)))
    files = [records[: cuts[0]], records[cuts[0] : cuts[1]], records[cuts[1] :]]
    return Store([(draw(promoted), file) for file in files])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_all_targets_select_the_same_records(data: st.DataObject) -> None:
    node, records = data.draw(filters_and_records())
    holds = compile_predicate(node)
    expected = [number for number, record in enumerate(records) if holds(record)]
    with closing(data.draw(stores(records))) as store:
        assert store.select(compile_duckdb(node, store.promoted)) == expected
        assert store.select_text(compile_athena(node, store.promoted), "invocations") == expected
        assert store.select_text(compile_athena_logs(node), "logs") == expected
    check_bedrock(node, records, expected)


def check_bedrock(node: Filter, records: list[Metadata], expected: list[int]) -> None:
    if any(refused_characters(item.key + item.value) for item in node.comparisons):
        with pytest.raises(UsageError):
            compile_bedrock(node)
        return
    form = compile_bedrock(node)
    assert [number for number, record in enumerate(records) if bedrock_selects(form, record)] == expected


@given(
    service_filters(), st.lists(st.dictionaries(st.text("abcABC019", max_size=2), st.text("abc", max_size=1)))
)
@settings(deadline=None)
def test_bedrocks_form_means_the_same_passes_the_service_model_and_reads_back(
    node: Filter, records: list[Metadata]
) -> None:
    form = compile_bedrock(node)
    source = {"s3Uri": "s3://bucket/AWSLogs"}
    job = {"invocationLogsConfig": {"invocationLogSource": source, "requestMetadataFilters": form}}
    assert check_shape("bedrock", "TrainingDataConfig", job) == []
    assert read_bedrock(form) == node
    assert parse_bedrock(render(node, "bedrock")) == node
    holds = compile_predicate(node)
    assert [bedrock_selects(form, record) for record in records] == [holds(record) for record in records]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_keys_are_found_wherever_they_are_kept(data: st.DataObject) -> None:
    node, records = data.draw(filters_and_records())
    has_all = [number for number, record in enumerate(records) if all(key in record for key in node.keys)]
    lacks_one = [number for number in range(len(records)) if number not in has_all]
    with closing(data.draw(stores(records))) as store:
        assert store.select(compile_has_key(node.keys, store.promoted)) == has_all
        assert store.select(compile_lacks_key(node.keys, store.promoted)) == lacks_one
        for key in node.keys:
            value = metadata_value(key, store.promoted, table_alias="i")
            assert store.values(value) == [record.get(key) for record in records]


@pytest.mark.parametrize(
    "promoted", [set(), set(HOSTILE_KEYS[::2]), set(HOSTILE_KEYS)], ids=["none", "half", "all"]
)
def test_every_hostile_key_finds_its_own_value_and_no_other(promoted: set[str]) -> None:
    keys = ["", "a\0b", *HOSTILE_KEYS]
    records = [{key: "value"} for key in keys] + [{key: key for key in keys}]
    with closing(Store([(promoted, records)])) as store:
        for number, key in enumerate(keys):
            found = store.values(metadata_value(key, store.promoted))
            assert found == [
                "value" if other == number else key if other == len(keys) else None
                for other in range(len(records))
            ]


def test_no_keys_are_had_by_every_record_and_lacked_by_none() -> None:
    with closing(Store([(set(), [{}, {"a": "1"}])])) as store:
        assert store.select(compile_has_key((), store.promoted)) == [0, 1]
        assert store.select(compile_lacks_key((), store.promoted)) == []


def test_an_alias_stands_before_every_column() -> None:
    node = read_bedrock({"orAll": [{"equals": {"a": "1"}}, {"notEquals": {"b": "2"}}]})
    sql = compile_duckdb(node, {"a"}, table_alias="t")
    assert sql.text.count("request_metadata") == sql.text.count("t.request_metadata") == 4
    assert sql.params == ("1", "/a", "1", "/b", "2")
