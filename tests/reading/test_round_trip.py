"""What real files hold, through an ingest into Parquet, and out of it by two readers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from logminer import framing, inflating, records
from logminer.framing import Quarantined
from logminer.ingestion.driver import ingest_objects
from logminer.metadata_keys import encode_key
from logminer.sources import list_source
from logminer.store.quarantine import QUARANTINE_REASONS, quarantine_files
from logminer.store.storage import Storage, open_storage
from logminer.store.table import open_table

from .logs import HOUR, LOG_NAME, line, lines, outcomes, read, record

ODD_TEXTS = [
    "a\0b",
    "\0",
    "\0\0trailing\0",
    "\ufffd",
    "\ufeffmark",
    "\u2028\u2029\x85\x1f\x7f",
    "\U0001f600\U0010ffff",
    "\r\n\t",
    "'; DROP TABLE invocations; --",
    "\x1b[31mred\x1b[0m",
    "e\u0301 \u00e9",
    "x" * 100_000,
]


def odd_record(number: int, text: str) -> dict[str, Any]:
    value = record(number, requestMetadata={"k": text, text[:50]: "v"}, region=text[:50])
    value["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = text + "?"
    value["input"]["inputBodyJson"]["system"] = [{"text": text + "!"}]
    value["input"]["inputBodyJson"]["toolConfig"] = {"tools": [{"toolSpec": {"name": text, text: text}}]}
    value["output"]["outputBodyJson"]["output"]["message"]["content"][0]["text"] = text + "."
    return value


def ingested(folder: Path, data: bytes) -> Storage:
    """A store with all that one log object of this content holds."""
    path = folder / "logs" / LOG_NAME
    path.parent.mkdir()
    path.write_bytes(data)
    storage = open_storage(str(folder / "store"))
    ingest_objects(storage, list_source(str(path)).objects, workers=1)
    return storage


def only_file(storage: Storage) -> str:
    (file,) = open_table(storage).snapshot().files
    return storage.path(f"invocations/{file.name}")


def quarantined(storage: Storage) -> list[tuple[int, str, bytes, int]]:
    rows = duckdb.connect().execute(
        "SELECT source_position, reason, raw, object_records FROM read_parquet(?) ORDER BY 1",
        [quarantine_files(storage)],
    )
    return rows.fetchall()


def columns_by(reader: str, path: str) -> list[dict[str, Any]]:
    if reader == "pyarrow":
        rows = pq.ParquetFile(path).read().to_pylist()
    else:
        relation = duckdb.connect().sql(
            f"SELECT * EXCLUDE (timestamp, ingested_at) FROM read_parquet('{path}')"
        )
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return sorted(rows, key=lambda row: row["source_position"])


@pytest.mark.parametrize("reader", ["pyarrow", "duckdb"])
def test_texts_come_out_as_they_went_in(reader, tmp_path):
    values = [odd_record(number, text) for number, text in enumerate(ODD_TEXTS)]
    rows = columns_by(reader, only_file(ingested(tmp_path, gzip.compress(lines(*values)))))
    assert len(rows) == len(ODD_TEXTS)
    for number, (row, text) in enumerate(zip(rows, ODD_TEXTS, strict=True)):
        assert row["request_id"] == f"request-{number}"
        assert row["source_position"] == number
        assert row["region"] == text[:50]
        assert row["response"] == text + "."
        assert row["system"] == text + "!"
        assert json.loads(row["messages"]) == [{"role": "user", "content": [{"text": text + "?"}]}]
        assert json.loads(row["tools"]) == [{"toolSpec": {"name": text, text: text}}]
        assert row["request_metadata"][encode_key("k")] == text
        assert row["request_metadata"][encode_key(text[:50])] == "v"


def test_metadata_with_ten_thousand_keys_is_kept(tmp_path):
    many = {f"key-{number}": str(number) for number in range(10_000)}
    (row,) = columns_by("duckdb", only_file(ingested(tmp_path, lines(record(0, requestMetadata=many)))))
    promoted = {key: row["request_metadata"].get(encode_key(key)) for key in many}
    rest = json.loads(row["request_metadata_rest"])
    assert {key: value for key, value in promoted.items() if value is not None} | rest == many


def test_what_is_around_the_damage_is_stored(tmp_path):
    storage = ingested(tmp_path, lines(record(0), b"no JSON", record(1), b"[1]") + b'{"cut": ')
    rows = columns_by("duckdb", only_file(storage))
    assert [(row["source_position"], row["request_id"]) for row in rows] == [
        (0, "request-0"),
        (2, "request-1"),
    ]
    assert quarantined(storage) == [
        (1, "invalid_json", b"no JSON", 2),
        (3, "not_an_object", b"[1]", 2),
        (4, "cut_off", b'{"cut":', 2),
    ]


@pytest.mark.parametrize(
    "data", [b"\n\n", gzip.compress(b"", mtime=0), gzip.compress(b"\n", mtime=0), b"[]"], ids=repr
)
def test_an_object_without_values_is_remembered(data, tmp_path):
    assert quarantined(ingested(tmp_path, data)) == [(0, "empty_object", b"", 0)]


def test_an_ingest_goes_on_past_all_damage_and_knows_it_again(tmp_path):
    folder = tmp_path / "logs" / HOUR
    folder.mkdir(parents=True)
    good = lines(*(record(number) for number in range(5)))
    for name, data in {
        "a.json.gz": gzip.compress(good)[:-4],
        "b.json.gz": bytes(50),
        "c.json.gz": gzip.compress(good) + b"x",
        "d.json.gz": b"\n",
        "e invalid \udcff.json": good,
    }.items():
        (folder / name).write_bytes(data)
    storage = open_storage(str(tmp_path / "store"))
    objects = list_source(str(tmp_path / "logs")).objects
    report = ingest_objects(storage, objects, workers=1)
    assert (report.tally.objects, report.tally.records, report.tally.quarantined) == (5, 15, 4)
    again = ingest_objects(storage, objects, workers=1)
    assert (again.skipped, again.tally.objects, again.version) == (5, 0, report.version)
    reasons = duckdb.connect().execute(
        "SELECT reason FROM read_parquet(?) ORDER BY source_uri", [quarantine_files(storage)]
    )
    assert [row[0] for row in reasons.fetchall()] == [
        "gzip_cut_off",
        "invalid_json",
        "gzip_trailing_garbage",
        "empty_object",
    ]


# --- the reasons --------------------------------------------------------------------------------------------

PACKED = gzip.compress(lines(record(0)))
PROVOKED: dict[str, bytes] = {
    "invalid_json": b"no JSON",
    "invalid_utf8": b"\xff",
    "cut_off": b'{"a": ',
    "not_an_object": b"5",
    "not_a_record": b"{}",
    "no_timestamp": b'{"requestId": "a"}',
    "too_deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "too_large": b"x" * 3_000_000,
    "gzip_damaged": PACKED[:-8] + b"12345678",
    "gzip_cut_off": PACKED[:-1],
    "gzip_trailing_garbage": PACKED + b"x",
    "gzip_bomb": gzip.compress(b" " * 3_000_000),
}


@pytest.mark.parametrize(("reason", "data"), PROVOKED.items(), ids=PROVOKED.keys())
def test_every_reason_is_given(reason, data, monkeypatch):
    monkeypatch.setattr(framing, "MAX_VALUE_BYTES", 2_500_000)
    monkeypatch.setattr(inflating, "_RATIO_COUNTS_FROM_BYTES", 1_000_000)
    assert outcomes(read(data, "x.json"))[-1] == reason


def test_every_documented_reason_is_provoked_here():
    # What a store was told to leave out is said there, and tried with those commands.
    said_by_maintenance = {"forgotten", "expired"}
    assert PROVOKED.keys() | {"empty_object"} | said_by_maintenance == QUARANTINE_REASONS.keys()


def test_the_limit_for_slow_values_is_within_the_one_for_all():
    assert records.MAX_TOLERANT_BYTES <= framing.MAX_VALUE_BYTES
    assert all(isinstance(value, Quarantined) for value in read(line(5)))
