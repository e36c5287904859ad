"""Results as people and machines read them. Data goes to stdout, words to stderr."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, BinaryIO

import msgspec

from logminer.errors import UsageError
from logminer.query.rows import JSON_COLUMNS, Records
from logminer.query.view import printable
from logminer.store.storage import open_whole

_PIPE_WIDTH = 160
TABLE_COLUMNS = ("timestamp", "model", "request_metadata", "messages", "response", "output_tokens")

_encode = msgspec.json.Encoder().encode


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(msgspec.json.format(_encode(value), indent=2).decode() + "\n")


def say(text: str) -> None:
    """Words for a person, on stderr."""
    print(text, file=sys.stderr)


def warn(text: str) -> None:
    """A warning on stderr."""
    print(f"warning: {text}", file=sys.stderr)


def on_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """An aligned table on stdout; columns in `right` are numbers. Cells are made safe for a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = (
        shutil.get_terminal_size().columns if on_terminal() else int(os.environ.get("COLUMNS", _PIPE_WIDTH))
    )
    console = Console(file=sys.stdout, width=width, color_system=None, soft_wrap=False)
    table = Table(box=None, pad_edge=False, header_style="")
    for index, name in enumerate(head):
        table.add_column(
            name, justify="right" if index in right else "left", overflow="fold", no_wrap=index in right
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def text_of(value: Any) -> str:
    """A value as one cell of text."""
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


def json_line(columns: Sequence[str], row: Sequence[Any]) -> bytes:
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
        out.write(json_line(records.columns, row) + b"\n")
        count += 1
    return count


def _write_json(records: Records, out: BinaryIO) -> int:
    out.write(b"[")
    count = 0
    for row in records.rows:
        out.write((b",\n " if count else b"\n ") + json_line(records.columns, row))
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
    import io

    stream = io.TextIOWrapper(out, "utf-8", newline="")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()


def _write_markdown(records: Records, out: BinaryIO) -> int:
    def line(cells: Iterable[str]) -> bytes:
        escaped = (
            printable(cell.replace("\n", " ")).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
            for cell in cells
        )
        return ("| " + " | ".join(escaped) + " |\n").encode()

    out.write(line(records.columns) + line("---" for _ in records.columns))
    count = 0
    for row in records.rows:
        out.write(line(text_of(value) for value in row))
        count += 1
    return count


def _write_parquet(records: Records, out: BinaryIO) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "ingested_at": pa.timestamp("us", tz="UTC"),
        "request_metadata": pa.map_(pa.string(), pa.string()),
    }
    from logminer.schema import COLUMNS

    for column in COLUMNS:
        types.setdefault(
            column.name,
            {"boolean": pa.bool_(), "integer": pa.int32(), "long": pa.int64()}.get(column.type, pa.string()),
        )
    schema = pa.schema([(name, types.get(name, pa.string())) for name in records.columns])
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _batches(records.rows, 10_000):
            columns = [
                [list(value.items()) if isinstance(value, dict) else value for value in column]
                for column in zip(*rows, strict=True)
            ]
            writer.write_batch(
                pa.record_batch(
                    [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
                )
            )
            count += len(rows)
    return count


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
RECORD_FORMATS = ("table", *_WRITERS)
_ENDINGS = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".md": "markdown",
    ".parquet": "parquet",
}


def record_format(asked: str | None, path: str | None) -> str:
    """The format to write records in: as asked, by the file's ending, else what fits stdout."""
    if asked is not None and asked not in RECORD_FORMATS:
        raise UsageError(
            f"there is no format {asked!r}", where="--format", fix="Formats are: " + ", ".join(RECORD_FORMATS)
        )
    if path is not None:
        if asked == "table":
            raise UsageError(
                "a table is for a terminal", where="--format table", fix="Leave -o out, or use markdown."
            )
        return asked or _ENDINGS.get(os.path.splitext(path)[1], "jsonl")
    if asked == "parquet" and on_terminal():
        raise UsageError(
            "Parquet is not for a terminal", where="--format parquet", fix="Give a file: -o PATH"
        )
    return asked or ("table" if on_terminal() else "jsonl")


def write_records(records: Records, form: str, path: str | None) -> int:
    """Write records to a file, whole or not at all, or to stdout; how many there were."""
    if form == "table":
        return _print_records(records)
    if path is None:
        count = _WRITERS[form](records, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return count
    with open_whole(os.path.abspath(path)) as stream:
        return _WRITERS[form](records, stream)


def _print_records(records: Records) -> int:
    rows = list(records.rows)
    right = [index for index, name in enumerate(records.columns) if name.endswith(("_tokens", "_ms"))]
    heads = ["prompt" if name == "messages" else name.removeprefix("request_") for name in records.columns]
    cells = [[_cell(name, value) for name, value in zip(records.columns, row, strict=True)] for row in rows]
    print_table(heads, cells, right=right)
    return len(rows)


_CUT = 120


def _cell(name: str, value: Any) -> str:
    if name == "messages" and value is not None:
        value = _last_user_text(value)
    if isinstance(value, dict):
        value = " ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, datetime):
        value = value.strftime("%Y-%m-%d %H:%M:%S")
    text = " ".join(text_of(value).split())
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def _last_user_text(messages: str) -> str:
    turns = msgspec.json.decode(messages)
    texts = [block["text"] for block in turns[-1]["content"] if "text" in block] if turns else []
    return " ".join(texts) or "(no text)"
