"""Rows of the table: conversations into Arrow batches, and batches into Parquet files."""

from __future__ import annotations

import contextlib
import operator
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from logminer.conversations import Conversation
from logminer.json_text import encode_json
from logminer.metadata_keys import decode_key, encode_key
from logminer.model import AnyRecord, IngestRun
from logminer.schema import (
    FILE_COLUMNS,
    FIRST_METADATA_FIELD,
    JSON_COLUMNS,
    MAX_PROMOTED_KEYS,
    PARSER_VERSION,
    Column,
)
from logminer.sources import LogObject
from logminer.store.storage import Storage, storage_error
from logminer.store.table import DataFile

_ARROW_TYPES = {
    "timestamp": pa.timestamp("us", tz="UTC"),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
}
_DICTIONARY_COLUMNS = [column.name for column in FILE_COLUMNS if column.repeats]
_STATISTICS_COLUMNS = [
    column.name for column in FILE_COLUMNS if not column.is_text and column.type != "metadata"
]


class Row(msgspec.Struct, gc=False):
    """One row: a record without its bodies, what they said, and where it came from. `time_us` is UTC."""

    source: LogObject
    position: int
    time_us: int
    record: AnyRecord
    conversation: Conversation


# Of a key in `requestMetadata`; source:
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
_MAX_KEY_CHARACTERS = 256

_RECORD_COLUMNS = (
    "request_id",
    "account_id",
    "region",
    "inference_region",
    "operation",
    "model_id",
    "error_code",
)
_CONVERSATION_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Conversation))
_CONSTANT_COLUMNS = ("redelivered", "ingest_id", "ingested_at", "parser_version")
_PORTION_COLUMNS = [
    column
    for column in FILE_COLUMNS
    if column.name not in ("request_metadata", "request_metadata_rest", *_CONSTANT_COLUMNS)
]
# So much becomes Arrow arrays at a time.
_PORTION_ROWS = 512
_PORTION_BYTES = 4 << 20
_SAMPLED_ROWS = 1_000
# What a row holds beside its texts.
_ROW_OVERHEAD_BYTES = 1_000
_of_record = operator.attrgetter(*_RECORD_COLUMNS)


class RowGroup:
    """Rows of one day on their way into a row group.

    They become Arrow arrays in portions: values that were just made are still in the processor's cache, and
    their memory serves the next ones. Only metadata waits to the end, since all of it decides on the fields.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.size_bytes = 0
        self.model_ids: set[str] = set()
        self._waiting: list[Row] = []
        self._waiting_bytes = 0
        self._metadata: list[dict[str, str] | None] = []
        self._portions: list[pa.RecordBatch] = []

    def add(self, row: Row) -> int:
        """Take a row; about how many bytes it holds."""
        size_bytes = _size_of(row)
        self.rows += 1
        self.size_bytes += size_bytes
        self._waiting.append(row)
        self._waiting_bytes += size_bytes
        if len(self._waiting) >= _PORTION_ROWS or self._waiting_bytes >= _PORTION_BYTES:
            self._end_portion()
        return size_bytes

    def _end_portion(self) -> None:
        records = [row.record for row in self._waiting]
        self._metadata += [record.request_metadata for record in records]
        self.model_ids.update(record.model_id for record in records if record.model_id)
        self._portions.append(_portion(self._waiting, records))
        self._waiting, self._waiting_bytes = [], 0

    def promoted_fields(self, known: Sequence[str]) -> tuple[str, ...]:
        """The encoded fields of `request_metadata` for these rows: all that are known, then the commonest new.

        None is found in rows without metadata. Keys that Bedrock's API would not take get no field: a table has
        its fields for ever, and this many of them alone.
        """
        self._end_waiting()
        counts: Counter[str] = Counter()
        for metadata in self._metadata:
            if metadata:
                counts.update(metadata.keys())
        old = {decode_key(field): field for field in known}
        fields = [field for key, field in old.items() if key in counts]
        new = [key for key in counts if key not in old and len(key) <= _MAX_KEY_CHARACTERS]
        new.sort(key=lambda key: (-counts[key], key))
        room = max(MAX_PROMOTED_KEYS - len(known), 0)
        return (*fields, *(encode_key(key) for key in new[:room]))

    def with_most_values_first(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Fields for a new file, those of the most different values first, by some of these rows.

        Filters ask for the others, which take little room and so lie near the file's end.
        """
        self._end_waiting()
        sample = [each for each in self._metadata[:_SAMPLED_ROWS] if each]
        values = {
            field: len({each.get(key) for each in sample})
            for field, key in zip(fields, map(decode_key, fields), strict=True)
        }
        return tuple(sorted(fields, key=values.__getitem__, reverse=True))

    def _end_waiting(self) -> None:
        if self._waiting:
            self._end_portion()

    def table(self, run: IngestRun, fields: Sequence[str]) -> pa.Table:
        """The rows, at least one, as an Arrow table; `request_metadata` has the given encoded fields.

        A struct needs a field, so where none is given it has the one that every table has.
        """
        self._end_waiting()
        promoted, rest = _metadata_arrays(self._metadata, fields or (FIRST_METADATA_FIELD,))
        others = {
            "request_metadata": promoted,
            "request_metadata_rest": rest,
            **_constant_arrays(run, self.rows),
        }
        rows = pa.Table.from_batches(self._portions)
        names = [column.name for column in FILE_COLUMNS]
        return pa.table([others[name] if name in others else rows.column(name) for name in names], names)


def _size_of(row: Row) -> int:
    said = row.conversation
    size_bytes = (
        _ROW_OVERHEAD_BYTES
        + len(said.messages or "")
        + len(said.system or "")
        + len(said.response or "")
        + len(said.response_blocks or "")
        + len(said.reasoning or "")
        + len(said.tools or "")
        + len(said.params or "")
    )
    metadata = row.record.request_metadata
    return size_bytes + sum(map(len, metadata.values())) if metadata else size_bytes


def _portion(rows: Sequence[Row], records: Sequence[AnyRecord]) -> pa.RecordBatch:
    """The columns that come from each row, but for its metadata."""
    sources = [row.source for row in rows]
    columns: dict[str, Sequence[Any]] = {
        **dict(zip(_RECORD_COLUMNS, zip(*map(_of_record, records), strict=True), strict=True)),
        **dict(
            zip(
                _CONVERSATION_COLUMNS,
                zip(*[msgspec.structs.astuple(row.conversation) for row in rows], strict=True),
                strict=True,
            )
        ),
        "timestamp": [row.time_us for row in rows],
        "identity_arn": [each.identity.arn if each.identity is not None else None for each in records],
        "source_uri": [source.uri for source in sources],
        "source_position": [row.position for row in rows],
        "source_etag": [source.etag for source in sources],
        "source_size": [source.size_bytes for source in sources],
    }
    return pa.RecordBatch.from_arrays(
        [_array(column, columns[column.name]) for column in _PORTION_COLUMNS],
        [column.name for column in _PORTION_COLUMNS],
    )


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    if column.name in JSON_COLUMNS:
        # An encoder wrote it, so it is UTF-8 without a check.
        return pa.array(values, pa.binary()).view(pa.string())
    return pa.array(values, _ARROW_TYPES[column.type])


def _constant_arrays(run: IngestRun, rows: int) -> dict[str, pa.Array]:
    """The columns that are the same in all rows of a run."""
    values = {
        "redelivered": pa.scalar(False),
        "ingest_id": pa.scalar(run.ingest_id),
        "ingested_at": pa.scalar(run.started_us, _ARROW_TYPES["timestamp"]),
        "parser_version": pa.scalar(PARSER_VERSION, _ARROW_TYPES["integer"]),
    }
    return {name: pa.repeat(value, rows) for name, value in values.items()}


def _metadata_arrays(
    metadata: list[dict[str, str] | None], fields: Sequence[str]
) -> tuple[pa.Array, pa.Array]:
    keys = [decode_key(field) for field in fields]
    promoted = pa.StructArray.from_arrays(
        [pa.array([each.get(key) if each else None for each in metadata], pa.string()) for key in keys],
        names=list(fields),
        mask=pa.array([not each for each in metadata], pa.bool_()),
    )
    known = frozenset(keys)
    rest = [None if not each or known.issuperset(each) else _rest(each, known) for each in metadata]
    return promoted, pa.array(rest, pa.string())


def _rest(metadata: dict[str, str], promoted: frozenset[str]) -> str:
    return encode_json({key: value for key, value in metadata.items() if key not in promoted}).decode()


class DataFileWriter:
    """One Parquet file of the table while it is written, under its final, unique name.

    Nobody looks at a file that no commit names, so it needs no renaming. The file says by which columns of its
    row groups are `sorted_by`. Raises StorageError.
    """

    def __init__(self, storage: Storage, day: date, schema: pa.Schema, sorted_by: Sequence[str] = ()) -> None:
        self.schema = schema
        self._sorted_by = sorted_by
        self._storage = storage
        self._name = f"date={day.isoformat()}/{uuid.uuid4().hex}.parquet"
        self._day = day
        self._rows = 0
        self._stream = storage.create(f"invocations/{self._name}")
        try:
            with self._storage_errors():
                self._writer = self._open_writer(schema)
        except BaseException:
            self._discard()
            raise

    def _open_writer(self, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            self._stream,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in _DICTIONARY_COLUMNS if name in schema.names]
            + [f"request_metadata.{field}" for field in metadata_fields_of(schema)],
            write_statistics=[name for name in _STATISTICS_COLUMNS if name in schema.names],
            store_schema=False,
            sorting_columns=_sorting_columns(schema, self._sorted_by),
        )

    def write(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Write a row group."""
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        with self._storage_errors():
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._rows += table.num_rows

    @property
    def size_bytes(self) -> int:
        """Bytes written so far."""
        return self._stream.tell()

    def finish(self) -> DataFile:
        """Write the footer and close."""
        with self._storage_errors():
            self._writer.close()
            size = self._stream.tell()
            self._stream.close()
        return DataFile(self._name, size, self._day, self._rows)

    def abandon(self) -> None:
        """Close, and remove the file."""
        with contextlib.suppress(OSError):
            self._writer.close()
        self._discard()

    def _discard(self) -> None:
        self._storage.discard(f"invocations/{self._name}", self._stream)

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(error, self._storage.path(f"invocations/{self._name}")) from error


def _sorting_columns(schema: pa.Schema, names: Sequence[str]) -> list[pq.SortingColumn] | None:
    # Parquet counts the fields of structs, Arrow does not.
    leaves = [leaf for field in schema for leaf in [field.name] * max(field.type.num_fields, 1)]
    return [pq.SortingColumn(leaves.index(name)) for name in names] or None


def metadata_fields_of(schema: pa.Schema) -> list[str]:
    """The encoded fields of `request_metadata` in a file's schema."""
    return [field.name for field in schema.field("request_metadata").type]
