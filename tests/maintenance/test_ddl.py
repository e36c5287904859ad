"""Athena's statements: their form, plain names whatever the keys are, and a view that gives what queries give."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.ground import Ground, record

from logminer import pipeline
from logminer.errors import UsageError
from logminer.maintenance.ddl import column_names
from logminer.metadata_keys import encode_key
from logminer.store.duck import connect, scan_files

KEYS = {
    "project": "P",
    "Project": "Q",
    "cost center": "a, b",
    "quo\"te's": "x",
    "-- key": "y",
    "new\nline": "z",
    "": "e",
}
NAME = re.compile(r"[a-z_][a-z0-9_]*")


@pytest.fixture
def filled(ground: Ground) -> Ground:
    ground.write("a", [record("1", KEYS), record("2", {"project": "R"}), record("3"), record("gone", KEYS)])
    ground.write("b", [record("1", KEYS)])
    ground.ingest()
    pipeline.forget(str(ground.store), request_ids="gone")
    return ground


def test_the_statements(filled: Ground) -> None:
    ddl = pipeline.store_ddl(str(filled.store), location="s3://bucket/it's here/")
    assert ddl.table == (
        "CREATE EXTERNAL TABLE invocations\n"
        "LOCATION 's3://bucket/it''s here/invocations/'\n"
        "TBLPROPERTIES ('table_type' = 'DELTA')"
    )
    assert ddl.view.startswith('CREATE OR REPLACE VIEW records AS\nSELECT\n  "date",\n  "timestamp",\n')
    assert ddl.view.endswith("FROM invocations\nWHERE NOT redelivered AND status <> 'forgotten'")
    assert '  -- key "cost center"\n' in ddl.view
    assert '  -- key "new\\nline"\n' in ddl.view


def test_the_view_gives_what_a_query_gives(filled: Ground) -> None:
    """DuckDB runs the view's query, with the one function of Athena's that it lacks."""
    view = pipeline.store_ddl(str(filled.store), location="s3://b").view
    query = view.partition(" AS\n")[2]
    with connect(filled.storage) as connection:
        connection.execute("CREATE MACRO json_extract_scalar(text, path) AS NULL::VARCHAR")
        scan = scan_files(filled.storage, filled.snapshot().files)
        connection.execute(f"CREATE VIEW invocations AS SELECT timestamp::DATE AS date, * FROM {scan}")
        assert len(connection.sql(query).columns) > 40
        rows = connection.sql(f"SELECT request_id, COLUMNS('^metadata_') FROM ({query}) ORDER BY request_id")
        names, values = rows.columns, rows.fetchall()
    found = [dict(zip(names, row, strict=True)) for row in values]
    assert [row["request_id"] for row in found] == ["1", "2", "3"]
    first = {name: value for name, value in found[0].items() if name.startswith("metadata_") and value}
    assert sorted(first.values()) == sorted(value for key, value in KEYS.items() if key)
    assert {found[0]["metadata_project"], found[0]["metadata_project_2"]} == {"P", "Q"}
    assert found[0]["metadata_cost_center"] == "a, b"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(max_size=6) | st.sampled_from(["rest", "REST", "a b", "a-b", "A_B", "_2", "x_2"]), unique=True
    )
)
def test_names_are_plain_and_no_two_are_the_same(keys: list[str]) -> None:
    names = column_names([encode_key(key) for key in keys])
    assert len(names) == len(keys) == len(set(names))
    assert all(NAME.fullmatch(name) and name != "metadata_rest" for name in names)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Athena reads S3 alone"),
        ({"location": "/local"}, "Athena reads S3 alone"),
        ({"location": "s3://b", "table": "a b"}, "takes no name like 'a b'"),
        ({"location": "s3://b", "view": 'x"; DROP'}, "takes no name"),
        ({"location": "s3://b", "view": "Invocations"}, "are the same"),
        ({"location": "s3://b", "engine": "excel"}, "Known are: athena"),
    ],
)
def test_what_athena_would_not_take(filled: Ground, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pipeline.store_ddl(str(filled.store), **options)
