"""Records in the formats of `select`."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, BinaryIO

import msgspec

from logminer.cli.choices import RECORD_FORMATS
from logminer.cli.streams import data_out, on_terminal, visible
from logminer.cli.tables import print_table
from logminer.errors import UsageError
from logminer.outputs import check_output, open_output
from logminer.query.rows import Records
from logminer.schema import JSON_COLUMNS

TABLE_COLUMNS = ("timestamp", "model", "request_metadata", "messages", "response", "output_tokens")

_TABLE_HEADS = {"request_metadata": "metadata", "messages": "prompt", "output_tokens": "tokens out"}
_CELL_CHARS = 120
_CELL_LINES = 3
_PARQUET_BATCH = 10_000
_ENDINGS = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".md": "markdown",
    ".parquet": "parquet",
}

_encode = msgspec.json.Encoder().encode


def record_format(asked: str | None, path: str | None) -> str:
    """The format to write records in: as asked, by the file's ending, else what fits stdout."""
    if asked is not None and asked not in RECORD_FORMATS:
        raise UsageError(
            f"there is no format {asked!r}", where="--format", fix="Formats are: " + ", ".join(RECORD_FORMATS)
        )
    if path is not None:
        if asked == "table":
            raise UsageError(
                "a table is for reading, not for a file",
                where="--format table",
                fix="Leave -o out, or use --format markdown.",
            )
        return asked or _ENDINGS.get(os.path.splitext(path)[1].lower(), "jsonl")
    if asked == "parquet" and on_terminal():
        raise UsageError(
            "Parquet is not for a terminal", where="--format parquet", fix="Give a file: -o PATH"
        )
    return asked or ("table" if on_terminal() else "jsonl")


def write_records(records: Records, form: str, path: str | None) -> int:
    """Write records to a file, whole or not at all, or to stdout; how many there were."""
    if form == "table":
        return _print_records(records)
    if path is not None:
        with open_output(check_output(path)) as stream:
            return _WRITERS[form](records, stream)
    out = data_out()
    count = _WRITERS[form](records, out)
    out.flush()
    return count


def text_of(value: Any) -> str:
    """A value as one cell of text; nothing for what is absent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | bool):
        return _encode(value).decode()
    return str(value)


# --- formats for programs -----------------------------------------------------------------------------------


def _json_line(columns: Sequence[str], row: Sequence[Any]) -> bytes:
    """A record as one JSON object; columns that hold JSON text are put in as they are."""
    return _encode(
        {
            name: msgspec.Raw(value.encode()) if name in JSON_COLUMNS and value is not None else value
            for name, value in zip(columns, row, strict=True)
        }
    )


def _write_jsonl(records: Records, out: BinaryIO) -> int:
    count = 0
    for row in records.rows:
        out.write(_json_line(records.columns, row) + b"\n")
        count += 1
    return count


def _write_json(records: Records, out: BinaryIO) -> int:
    out.write(b"[")
    count = 0
    for row in records.rows:
        out.write((b",\n " if count else b"\n ") + _json_line(records.columns, row))
        count += 1
    out.write(b"\n]\n" if count else b"]\n")
    return count


def _separated(delimiter: str) -> Callable[[Records, BinaryIO], int]:
    def write(records: Records, out: BinaryIO) -> int:
        with _text(out) as stream:
            writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
            writer.writerow(records.columns)
            count = 0
            for row in records.rows:
                writer.writerow([text_of(value) for value in row])
                count += 1
        return count

    return write


@contextlib.contextmanager
def _text(out: BinaryIO) -> Iterator[IO[str]]:
    stream = io.TextIOWrapper(out, "utf-8", newline="")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()


def _write_markdown(records: Records, out: BinaryIO) -> int:
    def line(cells: Iterable[str]) -> bytes:
        return ("| " + " | ".join(cells) + " |\n").encode()

    out.write(line(records.columns) + line("---" for _ in records.columns))
    count = 0
    for row in records.rows:
        out.write(line(_markdown(text_of(value)) for value in row))
        count += 1
    return count


def _markdown(text: str) -> str:
    """A cell that is shown as it is: on one line, and nothing in it is markup that a page would run."""
    plain = visible(" ".join(text.splitlines()))
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")


def _write_parquet(records: Records, out: BinaryIO) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _arrow_schema(records.columns)
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _batches(records.rows, _PARQUET_BATCH):
            columns = [
                [list(value.items()) if isinstance(value, dict) else value for value in column]
                for column in zip(*rows, strict=True)
            ]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
    return count


def _arrow_schema(columns: Sequence[str]) -> Any:
    import pyarrow as pa

    from logminer.schema import COLUMNS

    types = {
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "metadata": pa.map_(pa.string(), pa.string()),
        "boolean": pa.bool_(),
        "integer": pa.int32(),
        "long": pa.int64(),
    }
    stored = {column.name: types.get(column.type, pa.string()) for column in COLUMNS}
    return pa.schema([(name, stored.get(name, pa.string())) for name in columns])


def _batches(rows: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


_WRITERS: dict[str, Callable[[Records, BinaryIO], int]] = {
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _separated(","),
    "tsv": _separated("\t"),
    "markdown": _write_markdown,
    "parquet": _write_parquet,
}


# --- the table ----------------------------------------------------------------------------------------------


def _print_records(records: Records) -> int:
    rows = [
        [_cell(name, value) for name, value in zip(records.columns, row, strict=True)] for row in records.rows
    ]
    if rows:
        right = [index for index, name in enumerate(records.columns) if name.endswith(("_tokens", "_ms"))]
        heads = [_TABLE_HEADS.get(name, name) for name in records.columns]
        print_table(heads, rows, right=right, max_lines=_CELL_LINES)
    return len(rows)


def _cell(name: str, value: Any) -> str:
    if name == "messages" and value is not None:
        value = _last_user_text(value)
    if isinstance(value, dict):
        value = " ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, datetime):
        value = value.strftime("%Y-%m-%d %H:%M:%S")
    # Of a long text only the beginning is looked at: a prompt can be megabytes.
    text = " ".join(text_of(value)[: _CELL_CHARS * 10].split())
    return text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1].rstrip() + "…"


def _last_user_text(messages: str) -> str:
    turns = msgspec.json.decode(messages)
    texts = [block["text"] for block in turns[-1]["content"] if "text" in block] if turns else []
    return " ".join(texts) or "(no text)"
