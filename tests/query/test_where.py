"""`--where`: one expression over a record, and no way out of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from logminer import pipeline
from logminer.errors import StorageError, UsageError
from logminer.query.connection import StoreConnection
from logminer.store.storage import open_storage

from .logs import LLAMA, ids, make_store, record

SECRET = "the answer that no message may show"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two days; only the second has the metadata key `team`."""
    return make_store(
        tmp_path_factory.mktemp("where"),
        [
            record("first", metadata={"project": "A"}, tokens=(1, 5)),
            record("7", answer=SECRET, tokens=(1, 60)),
        ],
        [
            record(
                "later", at="2026-06-04T08:00:00Z", metadata={"team": "web", "project": "B"}, tokens=(1, 70)
            )
        ],
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("output_tokens > 50", ["7", "later"]),
        ("output_tokens > 50 -- the long ones", ["7", "later"]),
        ("output_tokens > 50 /* ) */", ["7", "later"]),
        ("true OR false", ["7", "first", "later"]),
        ("NULL::BOOLEAN", []),
        ("request_id = 'first' OR request_id = '?'", ["first"]),
        ("request_id = '); DROP TABLE models; --'", []),
        ("date = '2026-06-04'", ["later"]),
        ("timestamp < TIMESTAMPTZ '2026-06-04 00:00:00+00'", ["7", "first"]),
        (f"model = '{LLAMA}'", ["7", "first", "later"]),
        ("request_metadata.project = 'A'", ["first"]),
        ("request_metadata.team = 'web'", ["later"]),
        ("request_metadata.team IS NULL", ["7", "first"]),
        ("json_array_length(messages) = 1", ["7", "first", "later"]),
        ("response ILIKE '%NO MESSAGE%'", ["7"]),
        ("list_contains([1, 5], output_tokens)", ["first"]),
        ("CASE WHEN turns = 1 THEN output_tokens > 60 END", ["later"]),
        ("TRY_CAST(request_id AS INTEGER) = 7", ["7"]),
    ],
)
def test_expressions(store: str, where: str, expected: list[str]) -> None:
    assert ids(store, where=where) == expected
    assert pipeline.count(store, where=where).count == len(expected)


def test_an_expression_may_name_any_key_whatever_the_time_span(store: str) -> None:
    for until in ("2026-06-04", None):
        assert ids(store, where="request_metadata.team IS NULL", until=until) == ["7", "first"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "is no expression"),
        ("-- nothing", "is no expression"),
        ("nonsense > 1", "nonsense"),
        ("output_tokens >", "is no expression"),
        ("output_tokens", "gives INTEGER, not true or false"),
        ("'true'", "gives VARCHAR"),
        ("true; DROP TABLE models", "is no expression"),
        ("true;", "is no expression"),
        ("true) OR (true", "is no expression"),
        ("true) FROM models WHERE (true", "is no expression"),
        ("true, false", "is no expression"),
        ("true AS x", "is no expression"),
        ("true LIMIT 1", "is no expression"),
        ("true /* open", "is no expression"),
        ("a\0b", "NUL character"),
        ("turns = ?", "a parameter"),
        ("turns = $1", "a parameter"),
        ("turns = $name", "a parameter"),
        ("#1 = 1", "by its place"),
        ("COLUMNS(*) IS NULL", "several columns"),
        ("count(*) > 1", "aggregate"),
        ("row_number() OVER () = 1", "a window function"),
        ("random() < 0.5", "calls random()"),
        ("main.RANDOM() < 0.5", "calls random()"),
        ("uuid()::VARCHAR = 'x'", "calls uuid()"),
        ("(SELECT true)", "a subquery"),
        ("EXISTS (FROM models)", "a subquery"),
        ("turns IN (SELECT 1)", "a subquery"),
        ("turns = ALL (SELECT 1)", "a subquery"),
        ("len(ARRAY(SELECT 1)) = 1", "a subquery"),
        ("list_transform([1], lambda x: (SELECT 2)) = [2]", "a subquery"),
        ("(SELECT content FROM read_text('/etc/passwd')) IS NOT NULL", "a subquery"),
        ("read_text('/etc/passwd') IS NOT NULL", "read_text"),
        ("read_csv('/etc/passwd') IS NOT NULL", "read_csv"),
        ("getenv('HOME') IS NOT NULL", "getenv"),
        ("COPY models TO '/tmp/x'", "is no expression"),
        ("ATTACH '/tmp/x'", "ATTACH"),
        ("INSTALL httpfs", "is no expression"),
        ("NOT " * 2000 + "true", ""),
    ],
)
def test_what_is_refused(store: str, where: str, said: str) -> None:
    for ask in (pipeline.count, pipeline.stats, pipeline.keys):
        with pytest.raises(UsageError) as caught:
            ask(store, where=where)
        assert said in str(caught.value)
    with pytest.raises(UsageError):
        pipeline.explain("7", store, where=where)
    with pytest.raises(UsageError):
        next(pipeline.select(store, where=where))


def test_any_number_of_brackets_is_an_answer_or_a_refusal(store: str) -> None:
    with contextlib.suppress(UsageError):
        assert pipeline.count(store, where="(" * 5000 + "true" + ")" * 5000).count == 3


def test_an_expression_that_fails_for_a_record_does_not_show_the_record(store: str) -> None:
    asks: list[Any] = [
        lambda: pipeline.count(store, where="response::INTEGER > 1"),
        lambda: list(pipeline.select(store, where="response::INTEGER > 1")),
        lambda: pipeline.explain("7", store, where="response::INTEGER > 1"),
    ]
    for ask in asks:
        with pytest.raises(UsageError) as caught:
            ask()
        assert "fails for a record (Conversion)" in str(caught.value)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
        "FROM glob('/etc/*')",
        "FROM '{folder}/other.parquet'",
        "FROM read_parquet('https://127.0.0.1:9/x.parquet')",
        "COPY (SELECT 1) TO '{folder}/x.csv'",
        "EXPORT DATABASE '{folder}/x'",
        "ATTACH '{folder}/x.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "SET temp_directory = '{folder}'",
        "RESET lock_configuration",
    ],
)
def test_the_connection_itself_is_shut_off(tmp_path: Path, statement: str) -> None:
    import duckdb

    duckdb.sql("SELECT 1 AS a").write_parquet(str(tmp_path / "other.parquet"))
    storage = open_storage(str(tmp_path / "store"))
    connection = StoreConnection(storage, [storage.path("one.parquet")])
    try:
        with pytest.raises((duckdb.Error, StorageError)):
            connection.ask(statement.format(folder=tmp_path)).all()
    finally:
        connection.close()
    assert os.listdir(tmp_path) == ["other.parquet"]


def test_what_is_spilled_goes_to_a_private_folder_that_vanishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    connection = StoreConnection(open_storage(str(tmp_path)), [])
    (settings,) = connection.ask(
        "SELECT current_setting('temp_directory'), current_setting('TimeZone'), current_setting('threads')"
    ).all()
    folder, zone, threads = settings
    assert (zone, threads) == ("UTC", len(os.sched_getaffinity(0)))
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert not Path(folder).is_relative_to(tmp_path)
    connection.close()
    assert not Path(folder).exists()
    assert os.listdir(tmp_path) == []
