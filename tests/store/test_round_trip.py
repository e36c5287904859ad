"""What goes into the store reads back equal, in exactly the columns of the schema."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.conversations import Conversation
from logminer.ingestion.commit import commit_files
from logminer.ingestion.driver import new_run, open_or_create
from logminer.metadata_keys import encode_key
from logminer.model import Identity, InvocationRecord
from logminer.schema import COLUMN_NAMES, COLUMNS, FILE_COLUMNS, JSON_COLUMNS, PARSER_VERSION, SQL_TYPES
from logminer.sources import LogObject
from logminer.store.duck import connect, scan_files
from logminer.store.rows import DataFileWriter, Row, RowGroup
from logminer.store.table import open_table

from .ground import Ground, record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", "0", "NULL", "a\0b", "\0", "\r\n", "😀\U0010ffff", "\ufeff", "'; --", "x" * 300_000, "é" * 70_000]
)
counts = st.none() | st.integers(0, 2**31 - 1)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


conversations = st.builds(
    Conversation,
    **{
        column.name: {
            "string": texts
            if column.name in ("status", "prompt_status")
            else optional(texts.map(str.encode) if column.name in JSON_COLUMNS else texts),
            "integer": counts,
            "boolean": st.booleans(),
        }[column.type]
        for column in COLUMNS
        if column.name in Conversation.__struct_fields__
    },
)
records = st.builds(
    InvocationRecord,
    account_id=optional(texts),
    identity=optional(st.builds(Identity, arn=optional(texts))),
    region=optional(texts),
    inference_region=optional(texts),
    request_id=st.none(),
    operation=optional(texts),
    model_id=optional(texts),
    error_code=optional(texts),
    request_metadata=optional(st.dictionaries(texts, texts, max_size=3)),
)
instants = st.integers(0, 86_400_000_000 - 1).map(
    lambda us: 1_780_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + us
)


def expected(row: Row) -> dict[str, Any]:
    """The stored values of a row, but for those of the run."""
    said = {name: getattr(row.conversation, name) for name in COLUMN_NAMES if hasattr(row.conversation, name)}
    said |= {name: value.decode() for name in JSON_COLUMNS if (value := said[name]) is not None}
    logged = {name: getattr(row.record, name) for name in COLUMN_NAMES if hasattr(row.record, name)}
    identity = row.record.identity
    return {
        **logged,
        **said,
        "identity_arn": identity.arn if identity is not None else None,
        "request_metadata": row.record.request_metadata or None,
        "redelivered": False,
        "source_uri": row.source.uri,
        "source_position": row.position,
        "source_etag": row.source.etag,
        "source_size": row.source.size_bytes,
        "parser_version": PARSER_VERSION,
    }


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(instants, records, conversations), min_size=1, max_size=4))
def test_rows_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, Any, Conversation]]
) -> None:
    ground = Ground(tmp_path_factory.mktemp("rows"))
    source = LogObject(uri="file:///logs/'a'.gz", root="", size_bytes=2**40, etag="etag")
    rows = [Row(source, number, *part) for number, part in enumerate(parts)]
    table, run = open_or_create(ground.storage), new_run()
    group = RowGroup()
    for row in rows:
        group.add(row)
    batch = group.table(run, group.promoted_fields(["_x_"]))
    day = (EPOCH + timedelta(microseconds=rows[0].time_us)).date()
    writer = DataFileWriter(ground.storage, day, batch.schema)
    writer.write(batch)
    commit_files(ground.storage, table, table.snapshot(), [writer.finish()], {})
    wanted = {
        row.position: {
            **expected(row),
            "timestamp": EPOCH + timedelta(microseconds=row.time_us),
            "date": day,
            "ingest_id": run.ingest_id,
            "ingested_at": EPOCH + timedelta(microseconds=run.started_us),
        }
        for row in rows
    }
    assert {row["source_position"]: row for row in plain_rows(ground)} == wanted


def plain_rows(ground: Ground) -> list[dict[str, Any]]:
    """All columns as stored, through the query layer's own reading of metadata and instants."""
    from logminer.query.rows import SELECT_COLUMNS, select_records
    from logminer.query.selection import Selection
    from logminer.query.view import StoreView

    names = [name for name in SELECT_COLUMNS if name != "model"]
    with StoreView(ground.storage) as view:
        found = select_records(view, Selection(statuses=None), names)
        return [dict(zip(names, row, strict=True)) for row in found.rows]


def test_the_columns_are_those_of_the_schema(ground: Ground) -> None:
    ground.write("a", [record("1", {"Key": "v"})])
    ground.ingest()
    (file,) = ground.snapshot().files
    with connect(ground.storage) as connection:
        described = connection.execute(
            f"DESCRIBE SELECT * FROM {scan_files(ground.storage, [file])}"
        ).fetchall()
    types = {name: kind for name, kind, *_ in described}
    assert list(types) == [column.name for column in FILE_COLUMNS]
    assert types.pop("request_metadata") == f"STRUCT({encode_key('Key')} VARCHAR)"
    assert types == {each.name: SQL_TYPES[each.type] for each in FILE_COLUMNS if each.type != "metadata"}
    delta = DeltaTable(ground.storage.table_uri)
    assert [field.name for field in delta.schema().fields] == [column.name for column in COLUMNS]
    assert delta.metadata().partition_columns == ["date"]


def test_absent_is_null(ground: Ground) -> None:
    ground.write(
        "a", [b'{"schemaType": "ModelInvocationLog", "timestamp": "2026-06-01T10:00:00Z", "requestId": "r"}']
    )
    ground.ingest()
    ((counted, *rest),) = ground.rows(
        "count(*) OVER ()", "account_id", "identity_arn", "system", "response", "input_tokens", "pair_hash",
        "request_metadata", "request_metadata_rest", "stop_reason", "turns",
    )  # fmt: skip
    assert counted == 1
    assert set(rest) == {None}


def test_deltalake_reads_equal_rows(ground: Ground) -> None:
    """Files promote different keys, which another reader of the table must put together as well."""
    ground.write("a", [record("1", {"a": "1"}), record("2")])
    ground.ingest()
    ground.write("b", [record("3", {"b": "2"}, timestamp="2026-06-02T00:00:00Z")])
    ground.ingest()
    table = DeltaTable(ground.storage.table_uri).to_pyarrow_table()
    rows = sorted(table.to_pylist(), key=lambda row: row["source_uri"])
    assert [row["request_metadata"] for row in rows if row["request_id"] != "2"] == [
        {"_x_": None, "a": "1", "b": None},
        {"_x_": None, "a": None, "b": "2"},
    ]
    own = {row["request_id"]: row for row in plain_rows(ground)}
    for row in rows:
        mine = own[row["request_id"]]
        for name in set(COLUMN_NAMES) - {"request_metadata", "request_metadata_rest"}:
            assert row[name] == mine[name], name
    assert {row["date"] for row in rows} == {date(2026, 6, 1), date(2026, 6, 2)}


def test_every_file_can_be_read_by_itself(ground: Ground) -> None:
    ground.write("a", [record("1", {"a": "1"})])
    ground.ingest()
    (file,) = ground.snapshot().files
    table = pq.read_table(ground.storage.path(f"invocations/{file.name}"), partitioning=None)
    assert table.column_names == [column.name for column in FILE_COLUMNS]
    assert table.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")
    assert open_table(ground.storage).snapshot().rows == table.num_rows == file.rows
