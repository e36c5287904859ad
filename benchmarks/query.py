"""Questions to a store of millions of rows, beside DuckDB over columns made by hand, and over the raw logs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.corpora import corpus
from benchmarks.figures import Bound, Line, Row, Setting, Timing, fitted_exponent, time_line
from benchmarks.harness import LOGMINER, Asked, compare_asked, cores, timed_command
from benchmarks.stores import FILTER, KEYS, TEACHER, Plan, built_store, plain_parquet, smaller_store

if TYPE_CHECKING:
    import duckdb

_ROWS = 5_000_000
_GROWN_DATES = (3, 6, 12, 24)
_QUESTION = {"teacher": TEACHER, "filter": " AND ".join(f"{key}={value}" for key, value in FILTER.items())}
_RAW_TEACHER = "meta.llama3-1-405b"
_RAW_FILTER = "project=CustomerService AND priority=High"


def _plan(setting: Setting, file_rows: int | None = None) -> Plan:
    return Plan(setting.scaled(_ROWS, 3_000), file_rows=file_rows)


# --- programs: each opens what it asks, and gives the call that asks once ---------------------------------------


@contextmanager
def ask_count(store: str, **options: Any) -> Iterator[Callable[[], int]]:
    """Ours, on a view that stays open."""
    from logminer.pipeline import make_selection, open_view
    from logminer.query.count import count_records

    with open_view(store, None, None) as view:
        yield lambda: count_records(view, make_selection(**options)).count


@contextmanager
def ask_stats(store: str) -> Iterator[Callable[[], Any]]:
    """Ours; by model: records, pairs, distinct pairs, their tokens."""
    from logminer.pipeline import make_selection, open_view
    from logminer.query.stats import read_stats

    with open_view(store, None, None) as view:

        def ask() -> list[list[Any]]:
            models = read_stats(view, make_selection("all")).models
            return sorted(
                [
                    each.model,
                    each.records,
                    each.pairs,
                    each.distinct_pairs,
                    each.input_tokens,
                    each.output_tokens,
                ]
                for each in models
            )

        yield ask


@contextmanager
def ask_keys(store: str) -> Iterator[Callable[[], Any]]:
    """Ours; by key: records and distinct values."""
    from logminer.pipeline import make_selection, open_view
    from logminer.query.keys import read_census

    with open_view(store, None, None) as view:

        def ask() -> list[list[Any]]:
            census = read_census(view, make_selection("all"))
            return sorted([each.key, each.records, each.distinct_values] for each in census.keys)

        yield ask


@contextmanager
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on all cores that remembers the footers of files, as ours does."""
    import duckdb

    with duckdb.connect(config={"threads": cores()}) as connection:
        connection.execute("SET parquet_metadata_cache = true")
        yield connection


@contextmanager
def duck_count(path: str, models: list[str]) -> Iterator[Callable[[], int]]:
    """The same over columns made by hand."""
    text = (
        f"SELECT count(*) FROM read_parquet('{path}') WHERE model_id IN ({', '.join('?' for _ in models)}) "
        f"AND status = 'pair' AND NOT redelivered AND {' AND '.join(f'{key} = ?' for key in FILTER)}"
    )
    with duck() as connection:

        def ask() -> int:
            ((count,),) = connection.execute(text, [*models, *FILTER.values()]).fetchall()
            return int(count)

        yield ask


@contextmanager
def duck_stats(path: str, several_turns: list[str]) -> Iterator[Callable[[], Any]]:
    """Two GROUP BYs: records by model and status, and the distinct pairs with the turns that their model takes."""
    funnel = (
        "SELECT model, sum(n), sum(n) FILTER (status = 'pair'), min(first), max(last) FROM (SELECT model, status, "
        "count(*) AS n, min(timestamp AT TIME ZONE 'UTC') AS first, max(timestamp AT TIME ZONE 'UTC') AS last "
        f"FROM read_parquet('{path}') WHERE NOT redelivered GROUP BY ALL) GROUP BY ALL"
    )
    distinct = (
        "SELECT model, count(*), sum(i), sum(o) FROM (SELECT model, pair_hash, any_value(input_tokens) AS i, "
        f"any_value(output_tokens) AS o FROM read_parquet('{path}') WHERE NOT redelivered AND status = 'pair' "
        "AND (turns = 1 OR model IN (SELECT unnest(?::VARCHAR[]))) GROUP BY model, pair_hash) GROUP BY model"
    )
    with duck() as connection:

        def ask() -> list[list[Any]]:
            pairs = {row[0]: row[1:] for row in connection.execute(distinct, [several_turns]).fetchall()}
            rows = connection.execute(funnel).fetchall()
            return sorted([row[0], int(row[1]), int(row[2]), *map(int, pairs[row[0]])] for row in rows)

        yield ask


@contextmanager
def duck_keys(path: str) -> Iterator[Callable[[], Any]]:
    """One statement that counts every column, and its distinct values."""
    counts = ", ".join(f"count({key}), count(DISTINCT {key})" for key in KEYS)
    with duck() as connection:

        def ask() -> list[list[Any]]:
            (row,) = connection.execute(
                f"SELECT {counts} FROM read_parquet('{path}') WHERE NOT redelivered"
            ).fetchall()
            return sorted([key, row[2 * n], row[2 * n + 1]] for n, key in enumerate(KEYS))

        yield ask


@contextmanager
def duck_raw(pattern: str) -> Iterator[Callable[[], int]]:
    """The raw logs asked as they are, with what DuckDB finds out of them by itself."""
    text = (
        f"SELECT count(*) FROM read_json('{pattern}') WHERE contains(modelId, '{_RAW_TEACHER}') "
        "AND requestMetadata.project = 'CustomerService' AND requestMetadata.priority = 'High'"
    )
    with duck() as connection:

        def ask() -> int:
            ((count,),) = connection.execute(text).fetchall()
            return int(count)

        yield ask


@contextmanager
def jq_raw(folder: str) -> Iterator[Callable[[], int]]:
    """`zcat | jq` over all objects."""
    asked = (
        f'select((.modelId | contains("{_RAW_TEACHER}")) and .requestMetadata.project == "CustomerService" '
        'and .requestMetadata.priority == "High") | 1'
    )
    script = f"find {folder} -name '*.json.gz' -print0 | xargs -0 zcat | jq -c '{asked}' | wc -l"

    def ask() -> int:
        done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True)
        return int(done.stdout)

    yield ask


# --- rows ---------------------------------------------------------------------------------------------------


def count_rows(setting: Setting) -> Iterable[Line]:
    """A teacher and two keys, over compacted files; and over two thousand small ones."""
    plan = _plan(setting)
    store = built_store(setting, plan)
    small = built_store(setting, _plan(setting, file_rows=max(plan.rows // 2_000, 100)))
    ours, peer, many = "logminer count, 30 files", "duckdb, typed columns", "logminer count, small files"
    with ExitStack() as stack:
        asked = {
            ours: Asked("benchmarks.query:ask_count", store=str(store), **_QUESTION),
            peer: _hand_made_count(setting, store),
            many: Asked("benchmarks.query:ask_count", store=str(small), **_QUESTION),
        }
        for each in asked.values():
            stack.enter_context(each)
        timings = compare_asked(asked, 3 * setting.rounds)
    size = f"{plan.rows:,} rows"
    yield time_line(
        "count", f"{size}, 30 dates, compacted", timings[ours], timings[peer], Bound("less", 2, 1.3)
    )
    files = len(list(small.glob("invocations/*/*.parquet")))
    several = time_line(
        "count", f"{size} in {files:,} files", timings[many], timings[peer], Bound("less", 2, 1.3)
    )
    yield Line("count", several.what, several.value, several.unit, None, several.spread, several.timings)


def _hand_made_count(setting: Setting, store: Path) -> Asked:
    from logminer.pipeline import open_view

    with open_view(str(store), None, None) as view:
        candidates = view.match_teacher(TEACHER).candidates
    models = [known.logged for each in candidates for known in each.logged]
    plain = plain_parquet(setting, store)
    return Asked("benchmarks.query:duck_count", path=str(plain), models=models)


def raw_rows(setting: Setting) -> Iterable[Line]:
    """The same kind of question to the raw logs: what a record costs there and in a store."""
    logs = corpus(setting, setting.records)
    plan = _plan(setting)
    big = built_store(setting, plan)
    with tempfile.TemporaryDirectory(dir=setting.folder) as scratch, ExitStack() as stack:
        timed_command([*LOGMINER, "ingest", str(logs.folder), "--store", f"{scratch}/store"])
        question = {"teacher": _RAW_TEACHER, "filter": _RAW_FILTER, "status": "all"}
        programs = {
            "logminer count": Asked("benchmarks.query:ask_count", store=f"{scratch}/store", **question),
            "duckdb read_json": Asked("benchmarks.query:duck_raw", pattern=logs.pattern),
        }
        if shutil.which("jq") and shutil.which("zcat"):
            programs["zcat | jq"] = Asked("benchmarks.query:jq_raw", folder=str(logs.folder))
        for program in programs.values():
            stack.enter_context(program)
        timings = compare_asked(programs, 2)
        asked = stack.enter_context(Asked("benchmarks.query:ask_count", store=str(big), **_QUESTION))
        ours = compare_asked({"logminer count, large store": asked}, 3 * setting.rounds)
    (large,) = ours.values()
    for name, timing in timings.items():
        if name != "logminer count":
            yield _per_record(name, timing, logs.records, large, plan.rows)


def _per_record(name: str, raw: Timing, raw_records: int, ours: Timing, rows: int) -> Line:
    value = (raw.median / raw_records) / (ours.median / rows)
    note = (
        f"{raw.median / raw_records * 1e6:.2f} µs a record of {raw_records:,}, "
        f"{ours.median / rows * 1e9:.1f} ns a row of {rows:,}"
    )
    return Line("raw", f"the same question, {name}", value, "x as fast a record", Bound("more", 1_000, 5_000),
                None, (ours, raw), note)  # fmt: skip


def stats_rows(setting: Setting) -> Iterable[Line]:
    """The funnel of every model."""
    from benchmarks.stores import MODEL_IDS
    from logminer.models import parse_model_id
    from logminer.teachers import turn_rule

    plan = _plan(setting)
    store = built_store(setting, plan)
    models = {parse_model_id(each).model for each in MODEL_IDS}
    several = sorted(each for each in models if each and turn_rule(each) == "multi")
    plain = str(plain_parquet(setting, store))
    ours, peer = "logminer stats", "duckdb, GROUP BY"
    with (
        Asked("benchmarks.query:ask_stats", store=str(store)) as asked,
        Asked("benchmarks.query:duck_stats", path=plain, several_turns=several) as other,
    ):
        timings = compare_asked({ours: asked, peer: other}, setting.rounds)
    yield time_line("stats", f"{plan.rows:,} rows", timings[ours], timings[peer], Bound("less", 2, 1.3))


def keys_rows(setting: Setting) -> Iterable[Line]:
    """The census of twelve keys."""
    plan = _plan(setting)
    store = built_store(setting, plan)
    ours, peer = "logminer keys", "duckdb, count(DISTINCT)"
    with (
        Asked("benchmarks.query:ask_keys", store=str(store)) as asked,
        Asked("benchmarks.query:duck_keys", path=str(plain_parquet(setting, store))) as other,
    ):
        timings = compare_asked({ours: asked, peer: other}, setting.rounds)
    what = f"{plan.rows:,} rows, {len(KEYS)} keys"
    yield time_line("keys", what, timings[ours], timings[peer], Bound("less", 2, 1))


def growth_rows(setting: Setting) -> Iterable[Line]:
    """Count at 1, 2, 4 and 8 times the rows."""
    plan = _plan(setting)
    stores = {dates: smaller_store(setting, plan, dates) for dates in _GROWN_DATES}
    with ExitStack() as stack:
        timings = []
        for dates, store in stores.items():
            asked = stack.enter_context(Asked("benchmarks.query:ask_count", store=str(store), **_QUESTION))
            timings += compare_asked({f"logminer count, {dates} dates": asked}, 3 * setting.rounds).values()
    rows = [plan.rows * dates // plan.dates for dates in _GROWN_DATES]
    exponent = fitted_exponent(rows, [each.median for each in timings])
    sizes = ", ".join(f"{each:,}" for each in rows)
    yield Line("count-growth", f"count over {sizes} rows", exponent, "exponent", None, None, tuple(timings))


ROWS = (
    Row("count", "count with a teacher and two keys, open handle", count_rows),
    Row("raw", "the same question to the raw logs", raw_rows),
    Row("stats", "readiness of every model", stats_rows),
    Row("keys", "census of the metadata keys", keys_rows),
    Row("count-growth", "count as the store grows", growth_rows),
)
