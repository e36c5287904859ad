"""Filters with all that is made of them, and filters that are refused with their whole message."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from logminer.errors import UsageError
from logminer.filters import FilterError, compile_duckdb, format_filter, parse_filter, render, warnings_for

from .golden import HERE, check_or_rewrite, read_tables
from .stores import Store

RECORDS = json.loads((HERE / "records.json").read_text(encoding="utf-8"))
# What the first file of the store promotes; the keys of the others are in the rest.
PROMOTED = {"project", "Project", "priority", "cost centre"}


def golden_files(folder: str) -> list[Any]:
    paths = sorted((HERE / folder).glob("*.toml"))
    assert paths
    return [pytest.param(path, id=path.stem) for path in paths]


@pytest.mark.parametrize("path", golden_files("cases"))
def test_a_filter_means_this(path: Path) -> None:
    check_or_rewrite(path, [outcome(case["filter"]) for case in read_tables(path)])


def outcome(text: str) -> dict[str, Any]:
    node = parse_filter(text)
    with closing(Store([(PROMOTED, RECORDS[:3]), (set(), RECORDS[3:])])) as store:
        return {
            "filter": text,
            "canonical": format_filter(node),
            "bedrock": bedrock(node),
            "duckdb": render(node, "duckdb", store.promoted),
            "athena": render(node, "athena", store.promoted),
            "athena_logs": render(node, "athena-logs"),
            "warnings": list(warnings_for(node)),
            "selected": store.select(compile_duckdb(node, store.promoted)),
        }


def bedrock(node: Any) -> str:
    try:
        return render(node, "bedrock")
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize("path", golden_files("errors"))
def test_a_filter_is_refused_with_this_message(path: Path) -> None:
    check_or_rewrite(path, [refusal(case["filter"]) for case in read_tables(path)])


def refusal(text: str) -> dict[str, Any]:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert caught.value.text == text
    assert caught.value.exit_code == 2
    return {"filter": text, "message": str(caught.value)}
