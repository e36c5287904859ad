"""Synthetic stores of millions of rows, made in seconds: DuckDB thinks up the columns, logminer's own writer and commits
make files and table of them, laid out as `logminer store compact` leaves them.

Rows are spread evenly over 30 dates from 2026-06-01 on, or over as many as are asked for. Twelve metadata keys: `project` (40
values), `priority` (3), ten others of few to very many values, and `trace_id`, another for each record; a tenth of
the records has none. Everything follows from a row's number, so the same sizes give the same rows.
"""

from __future__ import annotations

import functools
import os
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.corpora import fingerprint
from benchmarks.figures import Setting
from benchmarks.harness import ROOT, cores

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from logminer.store.storage import Storage
    from logminer.store.table import DataFile

FIRST_DATE = date(2026, 6, 1)
TEACHER = "meta.llama3-1-405b-instruct-v1:0"
FILTER = {"project": "p7", "priority": "High"}
KEYS = (
    "project", "priority", "intent", "environment", "team", "locale", "channel", "version", "customer", "session",
    "experiment", "trace_id",
)  # fmt: skip
MODEL_IDS = (
    TEACHER,
    f"us.{TEACHER}",
    f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{TEACHER}",
    "anthropic.claude-sonnet-4-20250514-v1:0",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-pro-v1:0",
    "amazon.nova-lite-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "openai.gpt-oss-120b-1:0",
)
_OBJECT_ROWS = 250
_PARAGRAPHS = 4_000
# Paragraphs of a row; those from the second number on are its answer.
_TEXTS, _ANSWER = 6, 4
_INGEST_ID = "20260701T000000Z-00000000"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a store holds. `file_rows` None gives one file per date, as compaction does; with `texts` each row has
    about 1,000 characters of prompt and 500 of answer.
    """

    rows: int
    dates: int = 30
    file_rows: int | None = None
    texts: bool = False


def built_store(setting: Setting, plan: Plan) -> Path:
    """The store of a plan, made where it is not there yet."""
    shape = "-".join(str(value) for value in asdict(plan).values())
    return _kept(setting, f"store-{shape}", lambda folder: _build(plan, folder))


def smaller_store(setting: Setting, plan: Plan, dates: int) -> Path:
    """The store with the files of its first dates alone, by links."""
    whole = built_store(setting, plan)
    return _kept(setting, f"{whole.name}-first{dates}", lambda folder: _link(whole, folder, dates))


def plain_parquet(setting: Setting, store: Path) -> Path:
    """One Parquet file of a store's rows with hand-made typed columns, as somebody would have it for DuckDB alone."""
    return _kept(setting, f"{store.name}-plain", lambda path: _write_plain(store, path), ".parquet")


def _kept(setting: Setting, name: str, make: Callable[[Path], None], ending: str = "") -> Path:
    package = ROOT / "logminer"
    cutting = [
        package / "schema.py",
        *(package / "maintenance" / name for name in ("compaction.py", "sorting.py")),
    ]
    sources = [*(package / "store").glob("*.py"), *cutting, Path(__file__)]
    path = setting.folder / f"{name}-{fingerprint(sources)}{ending}"
    if not path.exists():
        unfinished = path.with_name(f"part-{path.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.unlink(missing_ok=True)
        setting.folder.mkdir(parents=True, exist_ok=True)
        make(unfinished)
        unfinished.rename(path)
    return path


def _build(plan: Plan, folder: Path) -> None:
    from logminer.metadata_keys import encode_key
    from logminer.store.registry import add_model_ids
    from logminer.store.storage import open_storage
    from logminer.store.table import INGEST, create_table, open_table

    storage = open_storage(str(folder))
    create_table(storage, [encode_key(key) for key in KEYS])
    with ThreadPoolExecutor(cores()) as pool:
        days = pool.map(lambda number: _write_day(storage, plan, number), range(plan.dates))
        files = [file for written in days for file in written]
    add_model_ids(storage, MODEL_IDS)
    open_table(storage).commit(INGEST, add=files, about={"ingest_id": _INGEST_ID})


def _write_day(storage: Storage, plan: Plan, number: int) -> list[DataFile]:
    from logminer.maintenance.compaction import SORTED_BY
    from logminer.store.rows import DataFileWriter

    day = FIRST_DATE + timedelta(days=number)
    first, last = plan.rows * number // plan.dates, plan.rows * (number + 1) // plan.dates
    files = []
    with _thinking() as connection:
        for begin in range(first, last, plan.file_rows or last - first):
            end = min(begin + (plan.file_rows or last), last)
            table = _rows(connection, plan, day, begin, end)
            writer = DataFileWriter(storage, day, table.schema, SORTED_BY)
            for group in _row_groups(table):
                writer.write(group)
            files.append(writer.finish())
    return files


def _row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """Cut as compaction cuts them."""
    from logminer.maintenance.compaction import ROW_GROUP_BYTES, ROW_GROUP_ROWS
    from logminer.maintenance.sorting import cut_pieces

    models = table["model_id"].combine_chunks().dictionary_encode().indices.to_pylist()
    size = table.nbytes // max(table.num_rows, 1)
    for start, end in cut_pieces(((model, size) for model in models), ROW_GROUP_ROWS, ROW_GROUP_BYTES):
        yield table.slice(start, end - start)


def _thinking() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@functools.cache
def _paragraphs() -> pa.Array:
    """Prose to put texts together from: lower case, sentences, and a letter beyond ASCII in every fiftieth word."""
    import pyarrow as pa

    draw = random.Random(1)  # noqa: S311 - sample data, not a secret
    words = ["".join(draw.choices("abcdefghijklmnoprstuvwz", k=draw.randint(2, 9))) for _ in range(6_000)]
    words += [f"{word}é" for word in words[:120]]
    lengths = [draw.randint(20, 50) for _ in range(_PARAGRAPHS)]
    return pa.array([" ".join(draw.choices(words, k=length)) + "." for length in lengths])


def _rows(connection: duckdb.DuckDBPyConnection, plan: Plan, day: date, begin: int, end: int) -> pa.Table:
    """Rows of one date by their numbers, in the order of compaction and the store's own types."""
    import pyarrow as pa

    from logminer.schema import FILE_COLUMNS
    from logminer.store.rows import _ARROW_TYPES

    columns = ", ".join(f"{_EXPRESSIONS.get(each.name, 'NULL')} AS {each.name}" for each in FILE_COLUMNS)
    numbers = ", ".join(
        f"(h // {_PARAGRAPHS + number} % {_PARAGRAPHS})::INT AS text_{number}" for number in range(_TEXTS)
    )
    table = connection.sql(
        f"SELECT {columns}, {numbers} FROM (SELECT i, h, h // 1000 AS g, i - (i % 25 = 0)::INT AS twin, "
        f"'{day}'::DATE AS day, (i - {begin}) / {end - begin} AS part "
        f"FROM (SELECT i, hash(i) AS h FROM range({begin}, {end}) AS numbers(i))) ORDER BY model_id, timestamp"
    ).to_arrow_table()
    if plan.texts:
        table = _with_texts(table)
    fields = [
        pa.field(each.name, table.schema.field(each.name).type)
        if each.type == "metadata"
        else pa.field(each.name, _ARROW_TYPES[each.type])
        for each in FILE_COLUMNS
    ]
    return table.select([each.name for each in FILE_COLUMNS]).cast(pa.schema(fields)).combine_chunks()


def _with_texts(table: pa.Table) -> pa.Table:
    """The rows with a prompt and an answer, in the forms that ingest writes."""
    import pyarrow.compute as pc

    chosen = [_paragraphs().take(table[f"text_{number}"].combine_chunks()) for number in range(_TEXTS)]
    prompt = pc.binary_join_element_wise(*chosen[:_ANSWER], r"\n\n")
    answer = pc.binary_join_element_wise(*chosen[_ANSWER:], "\n\n")
    escaped = pc.replace_substring(answer, "\n", r"\n")
    texts = {
        "messages": pc.binary_join_element_wise('[{"role":"user","content":[{"text":"', prompt, '"}]}]', ""),
        "response": answer,
        "response_blocks": pc.binary_join_element_wise('[{"text":"', escaped, '"}]', ""),
    }
    for name, values in texts.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


def _share(parts: int, *choices: tuple[int, str]) -> str:
    """SQL that takes the first choice below whose mark a row's number in `parts` is; the last one for the rest."""
    cases = " ".join(f"WHEN g % {parts} < {mark} THEN {value}" for mark, value in choices[:-1])
    return f"CASE {cases} ELSE {choices[-1][1]} END"


def _uuid(seed: str) -> str:
    return f"(md5('{seed}' || i)::UUID)::VARCHAR"


# The keys of the most values first, as files have them.
_METADATA = {
    "trace_id": "md5('t' || i)[:16]",
    "customer": "'c' || h % 20000",
    "session": "CASE WHEN h % 5 < 2 THEN 's' || i // 10 END",
    "version": "'2.' || h // 99 % 20 || '.' || h // 1999 % 10",
    "team": "'team-' || h // 4320 % 60",
    "project": "'p' || h % 40",
    "intent": "'intent_' || h // 120 % 13",
    "experiment": "CASE WHEN h % 20 = 0 THEN 'exp' || h // 20 % 8 END",
    "locale": "['en-GB', 'de-DE', 'fr-FR', 'es-ES', 'ja-JP'][1 + (h // 77 % 5)::INT]",
    "channel": "CASE WHEN h % 3 = 0 THEN 'web' WHEN h % 3 = 1 THEN 'phone' END",
    "environment": "['prod', 'staging', 'dev'][1 + (h // 1440 % 3)::INT]",
    "priority": "['High', 'Medium', 'Low'][1 + (h // 40 % 3)::INT]",
}
_EXPRESSIONS = {
    # In order through the day, as logs come, to the microsecond.
    "timestamp": "(day::TIMESTAMP + to_microseconds((part * 86399000000)::BIGINT + (h % 900000)::INT))::TIMESTAMPTZ",
    "request_id": _uuid("r"),
    "account_id": "'111122223333'",
    "region": "['us-east-1', 'us-west-2'][1 + (h % 2)::INT]",
    "operation": "['Converse', 'ConverseStream', 'InvokeModel'][1 + (h // 7 % 3)::INT]",
    "model_id": f"{list(MODEL_IDS)}[1 + (h // 131 % {len(MODEL_IDS)})::INT]",
    "identity_arn": "'arn:aws:sts::111122223333:assumed-role/app/i-' || h // 17 % 200",
    "error_code": _share(100, (2, "'ThrottlingException'"), (0, "NULL")),
    "request_metadata": "CASE WHEN h // 11 % 10 > 0 THEN {"
    + ", ".join(f"'{key}': {value}" for key, value in _METADATA.items())
    + "} END",
    "status": _share(
        100, (2, "'error'"), (5, "'tool_call'"), (8, "'truncated'"), (9, "'blocked'"), (0, "'pair'")
    ),
    "prompt_status": "'ok'",
    "redelivered": "h // 13 % 1000 = 0",
    "params": '[\'{"maxTokens":500}\', \'{"maxTokens":1000,"temperature":0.2}\'][1 + (h // 19 % 2)::INT]',
    "stop_reason": "'end_turn'",
    "stop_class": "'complete'",
    "turns": _share(100, (22, "2"), (0, "1")),
    "has_tools": "false",
    "has_media": "false",
    "input_tokens": "100 + (twin % 900)::INT",
    "output_tokens": "20 + (twin % 300)::INT",
    "latency_ms": "200 + (h % 9000)::INT",
    "prompt_hash": "md5('p' || twin)",
    "pair_hash": "md5('a' || twin)",
    "source_uri": f"'file:///logs/' || day || '/' || i // {_OBJECT_ROWS} || '.json.gz'",
    "source_position": f"i % {_OBJECT_ROWS}",
    "source_etag": f"md5('e' || i // {_OBJECT_ROWS})",
    "source_size": f"70000 + i // {_OBJECT_ROWS} % 9000",
    "ingest_id": f"'{_INGEST_ID}'",
    "ingested_at": "'2026-07-01T00:00:00Z'::TIMESTAMPTZ",
    "parser_version": "1",
}
"""The columns by a row's number `i`; `h` is its hash, `g` another part of that, and `twin` the number of the row that
it is a repetition of, mostly itself."""


def _link(whole: Path, folder: Path, dates: int) -> None:
    from logminer.store.registry import add_model_ids
    from logminer.store.storage import open_storage
    from logminer.store.table import INGEST, create_table, open_table

    snapshot = open_table(open_storage(str(whole))).snapshot()
    storage = open_storage(str(folder))
    create_table(storage, [name for name in snapshot.metadata_fields if name != "_x_"])
    files = [file for file in snapshot.files if file.date < FIRST_DATE + timedelta(days=dates)]
    for file in files:
        place = folder / "invocations" / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(whole / "invocations" / file.name, place)
    add_model_ids(storage, MODEL_IDS)
    open_table(storage).commit(INGEST, add=files, about={"ingest_id": _INGEST_ID})


def _write_plain(store: Path, path: Path) -> None:
    import duckdb

    from logminer.models import ModelNames

    names = ModelNames({})
    meanings: Any = {logged: names.resolve(logged).model for logged in MODEL_IDS}
    keys = ", ".join(f"request_metadata.{key} AS {key}" for key in KEYS)
    model = "CASE model_id " + " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in meanings.items()) + " END"
    with duckdb.connect(config={"threads": cores()}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT timestamp, request_id, region, operation, model_id, {model} AS model, status, redelivered, "
            f"turns, input_tokens, output_tokens, pair_hash, {keys} "
            f"FROM read_parquet('{store}/invocations/*/*.parquet', hive_partitioning = false) ORDER BY timestamp) "
            f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
