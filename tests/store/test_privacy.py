"""Who can read the store's files, and what their outsides tell: no text, no identity, no metadata."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from logminer import pipeline
from logminer.ingestion.driver import Portions, Reread
from logminer.schema import FILE_COLUMNS

from .ground import Ground, record

SECRET = "zebra-secret"


@pytest.fixture
def secret_store(ground: Ground) -> Iterator[Ground]:
    """A store whose texts, identity, metadata values and broken values hold a word, made under a loose umask."""
    before = os.umask(0o000)
    try:
        for number in range(8):
            text = f"{SECRET} {number} " * 3
            value = record(
                f"r{number}",
                {"owner": text, "k" * 300: text},
                identity={"arn": f"arn:aws:iam::1:role/{SECRET}"},
            )
            value["input"]["inputBodyJson"] = {
                "system": [{"text": text}],
                "messages": [{"role": "user", "content": [{"text": text}]}],
                "toolConfig": {"tools": [{"toolSpec": {"name": SECRET, "inputSchema": {"json": {}}}}]},
                "inferenceConfig": {"stopSequences": [SECRET]},
            }
            value["output"]["outputBodyJson"]["output"]["message"]["content"] = [
                {"reasoningContent": {"reasoningText": {"text": text}}},
                {"text": text},
            ]
            ground.write(str(number), [value, value, f"broken {SECRET}".encode()])
            ground.ingest(portions=Portions())
        ground.write("0", [record("r0", {"owner": SECRET}), record("new")])
        ground.ingest(reread=Reread(changed=True))
        pipeline.export(str(ground.folder / "train.jsonl"), str(ground.store), allow_few=True)
        yield ground
    finally:
        os.umask(before)


def test_files_and_folders_are_the_owners_alone(secret_store: Ground) -> None:
    table = secret_store.store / "invocations"
    folders = {secret_store.store, *(path for path in secret_store.store.rglob("*") if path.is_dir())}
    files = [path for path in secret_store.store.rglob("*") if path.is_file()]
    assert {path.name for path in folders} > {"store", "invocations", "quarantine", "models", "exports"}
    # The log of the table is written by deltalake; it holds no text, and lies in a folder that is closed.
    log = table / "_delta_log"
    assert {mode(path) for path in folders - {log}} == {0o700}
    assert {mode(path) for path in files if path.parent != log} == {0o600}
    assert mode(secret_store.folder / "train.jsonl") == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secret_is_in_the_data(secret_store: Ground) -> None:
    (row,) = secret_store.selected(where="request_id = 'r1'")
    for name in (
        "system",
        "messages",
        "response",
        "reasoning",
        "tools",
        "params",
        "identity_arn",
        "request_metadata",
    ):
        assert SECRET in str(row[name]), name
    assert SECRET.encode() in pipeline.quarantine(str(secret_store.store))[0].raw


def test_the_log_of_the_table_holds_no_text(secret_store: Ground) -> None:
    entries = list((secret_store.store / "invocations" / "_delta_log").iterdir())
    assert len(entries) > 10
    for entry in entries:
        assert SECRET.encode() not in entry.read_bytes(), entry.name


def test_footers_hold_no_text(secret_store: Ground) -> None:
    private = {column.name for column in FILE_COLUMNS if column.is_text or column.type == "metadata"}
    files = [*secret_store.store.rglob("*.parquet")]
    assert any("quarantine" in path.parts for path in files)
    for path in files:
        assert SECRET.encode() not in footer(path)
        with pq.ParquetFile(path) as parquet:
            for group in range(parquet.num_row_groups):
                row_group = parquet.metadata.row_group(group)
                columns = [row_group.column(index) for index in range(row_group.num_columns)]
                told = {column.path_in_schema.split(".")[0] for column in columns if column.is_stats_set}
                assert not told & (private | {"raw"})


def test_footers_tell_what_makes_queries_fast(secret_store: Ground) -> None:
    path = next((secret_store.store / "invocations").rglob("*.parquet"))
    with pq.ParquetFile(path) as parquet:
        row_group = parquet.metadata.row_group(0)
        columns = {
            row_group.column(index).path_in_schema: row_group.column(index)
            for index in range(row_group.num_columns)
        }
    for name in ("timestamp", "status", "model_id", "output_tokens", "source_uri"):
        assert columns[name].is_stats_set, name


def footer(path: Path) -> bytes:
    """A Parquet file's footer: its length stands before the last four bytes."""
    content = path.read_bytes()
    (size,) = struct.unpack("<I", content[-8:-4])
    return content[-8 - size :]


def test_errors_hold_no_text(secret_store: Ground) -> None:
    from logminer.errors import StorageError

    for file in secret_store.snapshot().files:
        path = secret_store.store / "invocations" / file.name
        content = bytearray(path.read_bytes())
        content[4 : len(content) - 300] = b"\xff" * (len(content) - 304)
        path.write_bytes(bytes(content))
    with pytest.raises(StorageError) as caught:
        secret_store.ingest(reread=Reread(older_parsers=True))
    assert SECRET not in str(caught.value)
