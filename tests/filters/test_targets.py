from __future__ import annotations

import json

import duckdb
import pytest

from logminer.errors import UsageError
from logminer.filters import TARGETS, compile_duckdb, parse_filter, render

NODE = parse_filter("project=CustomerService AND 'a b'!=\"it's\"")


def test_the_targets_of_the_command_line() -> None:
    assert sorted(TARGETS) == ["athena", "athena-logs", "bedrock", "duckdb"]


def test_bedrock_is_the_json_alone() -> None:
    assert json.loads(render(parse_filter("a=1"), "bedrock")) == {"equals": {"a": "1"}}


def test_without_a_store_the_keys_of_the_filter_count_as_promoted() -> None:
    assert render(NODE, "duckdb") == render(NODE, "duckdb", {"project", "a_x20_b"})
    assert render(NODE, "athena") == render(NODE, "athena", ["project", "a_x20_b"])
    assert "request_metadata." not in render(NODE, "athena", ())


def test_duckdb_text_is_sql_with_its_parameters_in_a_comment() -> None:
    text = render(NODE, "duckdb", ())
    sql = compile_duckdb(NODE, ())
    condition, comment = text.split("\n")
    assert condition == sql.text
    assert tuple(json.loads(comment.removeprefix("-- parameters: "))) == sql.params
    record = """(SELECT '{"project": "CustomerService"}' AS request_metadata_rest)"""
    query = f"SELECT count(*) FROM {record} WHERE {text}"
    assert duckdb.execute(query, list(sql.params)).fetchall() == [(1,)]


def test_a_value_cannot_leave_the_comment() -> None:
    assert render(parse_filter("a='x\n; DROP TABLE t; \u2028'"), "duckdb").count("\n") == 1


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"unknown target spa\\x1brk\n  choose one of athena, athena-logs, bedrock, duckdb"
    ):
        render(NODE, "spa\x1brk")
