"""Reading texts out of a store, beside DuckDB over the same files; and checking a dataset, beside reading its JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import Bound, Line, Row, Setting, speed_line, time_line
from benchmarks.harness import Asked, check_alike, compare_asked
from benchmarks.query import duck
from benchmarks.stores import TEACHER, Plan, built_store

_ROWS, _DATES = 1_000_000, 100
_LIMIT = 20
_INTENT = "intent_3"
_DATASET_LINES = 15_000
_ORDER = "timestamp, request_id NULLS LAST, source_uri, source_position"


def plan(setting: Setting) -> Plan:
    """A million rows with bodies, in a hundred files."""
    return Plan(setting.scaled(_ROWS, 20_000), dates=_DATES, texts=True)


# --- programs -----------------------------------------------------------------------------------------------


@contextmanager
def ask_select(store: str) -> Iterator[Callable[[], Any]]:
    """Ours, on a view that stays open; the answer is who was found, and how much text."""
    from logminer.pipeline import make_selection, open_view
    from logminer.query.rows import select_records

    columns = (
        "request_id",
        "timestamp",
        "model_id",
        "request_metadata",
        "messages",
        "response",
        "output_tokens",
    )
    with open_view(store, None, None) as view:

        def ask() -> list[list[Any]]:
            rows = select_records(view, make_selection(), columns, _LIMIT).rows
            return [[row[0], len(row[4]), len(row[5])] for row in rows]

        yield ask


@contextmanager
def duck_select(store: str) -> Iterator[Callable[[], Any]]:
    """The same rows of the same files."""
    text = (
        "SELECT request_id, timestamp::VARCHAR, model_id, request_metadata, messages, response, output_tokens "
        f"FROM read_parquet('{store}/invocations/*/*.parquet', hive_partitioning = false) "
        f"WHERE NOT redelivered AND status = 'pair' ORDER BY {_ORDER} LIMIT {_LIMIT}"
    )
    with duck() as connection:
        yield lambda: [[row[0], len(row[4]), len(row[5])] for row in connection.execute(text).fetchall()]


@contextmanager
def ask_export(store: str, path: str) -> Iterator[Callable[[], int]]:
    """Ours, from the opening of the store to the manifest."""
    import logminer

    yield (
        lambda: (
            logminer.export(
                path, store, teacher=TEACHER, filter=f"intent={_INTENT}", allow_few=True
            ).entry.lines
        )
    )


@contextmanager
def duck_export(store: str, path: str, models: list[str]) -> Iterator[Callable[[], int]]:
    """A COPY of the same rows to JSON: each different pair once, in the same order."""
    names = ", ".join(f"'{each}'" for each in models)
    text = (
        "COPY (SELECT system, messages, response "
        f"FROM read_parquet('{store}/invocations/*/*.parquet', hive_partitioning = false) "
        f"WHERE NOT redelivered AND status = 'pair' AND turns = 1 AND model_id IN ({names}) "
        f"AND request_metadata.intent = '{_INTENT}' "
        f"QUALIFY row_number() OVER (PARTITION BY pair_hash ORDER BY {_ORDER}) = 1 ORDER BY {_ORDER}) "
        f"TO '{path}' (FORMAT json)"
    )
    with duck() as connection:

        def ask() -> int:
            ((lines,),) = connection.execute(text).fetchall()
            return int(lines)

        yield ask


@contextmanager
def ask_validate(path: str) -> Iterator[Callable[[], int]]:
    """Ours, all rules of the profile."""
    import logminer

    yield lambda: logminer.validate(path).lines


@contextmanager
def loads_lines(path: str) -> Iterator[Callable[[], int]]:
    """`json.loads` of each line, and nothing else."""

    def ask() -> int:
        with open(path, "rb") as stream:
            return sum(1 for line in stream if json.loads(line))

    yield ask


# --- rows ---------------------------------------------------------------------------------------------------


def select_rows(setting: Setting) -> Iterable[Line]:
    """The first twenty pairs, with their texts."""
    store = str(built_store(setting, plan(setting)))
    ours, peer = f"logminer select --limit {_LIMIT}", "duckdb, same files"
    with (
        Asked("benchmarks.export:ask_select", store=store) as asked,
        Asked("benchmarks.export:duck_select", store=store) as other,
    ):
        timings = compare_asked({ours: asked, peer: other}, 2 * setting.rounds)
    what = f"select --limit {_LIMIT} with text, {plan(setting).rows:,} rows"
    yield time_line("select", what, timings[ours], timings[peer], Bound("less", 1.5, 1.1))


def export_rows(setting: Setting) -> Iterable[Line]:
    """The pairs of a teacher and a filter."""
    from logminer.pipeline import open_view

    store = str(built_store(setting, plan(setting)))
    with open_view(store, None, None) as view:
        candidates = view.match_teacher(TEACHER).candidates
    models = [known.logged for each in candidates for known in each.logged]
    ours, peer = "logminer.export", "duckdb COPY, same rows"
    with tempfile.TemporaryDirectory(dir=setting.folder) as scratch:
        paths = {ours: Path(scratch) / "ours.jsonl", peer: Path(scratch) / "peer.jsonl"}
        with (
            Asked("benchmarks.export:ask_export", store=store, path=str(paths[ours])) as asked,
            Asked(
                "benchmarks.export:duck_export", store=store, path=str(paths[peer]), models=models
            ) as other,
        ):
            timings = compare_asked({ours: asked, peer: other}, setting.rounds)
        lines = _answers(paths[ours], lambda line: line["messages"][-1]["content"][0]["text"])
        check_alike({ours: lines, peer: _answers(paths[peer], lambda line: line["response"])})
    what = f"export of {len(lines):,} pairs out of {plan(setting).rows:,} rows"
    yield time_line("export", what, timings[ours], timings[peer], Bound("less", 1.5, 1.1))


def _answers(path: Path, answer: Callable[[Any], str]) -> list[str]:
    """The answers of a dataset in their order."""
    return [answer(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def validate_rows(setting: Setting) -> Iterable[Line]:
    """All rules beside reading the JSON."""
    import logminer

    store = str(built_store(setting, plan(setting)))
    lines = setting.scaled(_DATASET_LINES, 150)
    ours, peer = "logminer.validate", "json.loads of each line"
    with tempfile.TemporaryDirectory(dir=setting.folder) as scratch:
        path = f"{scratch}/train.jsonl"
        logminer.export(path, store, teacher=TEACHER, max_lines=lines)
        with (
            Asked("benchmarks.export:ask_validate", path=path) as asked,
            Asked("benchmarks.export:loads_lines", path=path) as other,
        ):
            timings = compare_asked({ours: asked, peer: other}, 2 * setting.rounds)
    what = f"validate {lines:,} lines"
    yield speed_line("validate", what, timings[ours], timings[peer], Bound("more", 2, 4))


ROWS = (
    Row("select", "select --limit 20 with text", select_rows),
    Row("export", "export of a training set", export_rows),
    Row("validate", "validation of a training set", validate_rows),
)
