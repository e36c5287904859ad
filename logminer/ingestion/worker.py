"""What one worker does: read log objects into rows, and write rows into Parquet files that a commit may name."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import BinaryIO

import msgspec

from logminer.conversations import record_decoder
from logminer.errors import LogminerError
from logminer.framing import Quarantined
from logminer.ingestion.reader import read_log
from logminer.model import IngestRun
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.sources.objects import LogObject
from logminer.sources.reading import SourceReader, SourceRule
from logminer.store.quarantine import QuarantineWriter
from logminer.store.rewrite import delete_files
from logminer.store.rows import (
    DataFileWriter,
    Row,
    batch_of_rows,
    metadata_fields_of,
    promoted_fields,
)
from logminer.store.storage import Storage
from logminer.store.table import DataFile

# A row group is written when so much JSON text has come together. Larger ones read faster, and cost memory.
_ROW_GROUP_BYTES = 32 << 20
_ROW_GROUP_ROWS = 60_000
_MAX_BUFFERED_BYTES = 64 << 20
_FILE_BYTES = 160 << 20
# What a row holds beside its texts.
_ROW_OVERHEAD_BYTES = 1_000


class UnreadableObject(msgspec.Struct, frozen=True):
    """A log object that could not be opened, and why. `exit_code` is that of the error."""

    uri: str
    problem: str
    exit_code: int


class Tally(msgspec.Struct):
    """What became of some log objects. `read_bytes` is their stored size."""

    objects: int = 0
    read_bytes: int = 0
    records: int = 0
    quarantined: int = 0
    by_status: dict[str, int] = {}
    unreadable: list[UnreadableObject] = []

    def add(self, other: Tally) -> None:
        """Count another one in."""
        self.objects += other.objects
        self.read_bytes += other.read_bytes
        self.records += other.records
        self.quarantined += other.quarantined
        for status, count in other.by_status.items():
            self.by_status[status] = self.by_status.get(status, 0) + count
        self.unreadable.extend(other.unreadable)


class Harvest(msgspec.Struct):
    """What a worker has ready to be committed: whole files, and the model ids in them."""

    files: list[DataFile] = []
    model_ids: list[str] = []


class IngestWorker:
    """Reads log objects one after the other; what it wrote is handed over by `harvest`.

    What could not be read goes to the quarantine directly, at the latest in `harvest`, and so before the commit.
    """

    def __init__(self, storage: Storage, run: IngestRun, rules: Sequence[SourceRule] = ()) -> None:
        self._storage = storage
        self._sources = SourceReader(rules)
        self._run = run
        self._table_fields: tuple[str, ...] = ()
        self._fields: list[str] = []
        self._decoder = record_decoder()
        self._buffers: dict[date, _Buffer] = {}
        self._buffered_bytes = 0
        self._writers: dict[date, DataFileWriter] = {}
        self._files: list[DataFile] = []
        self._model_ids: dict[str, None] = {}
        self._quarantine = QuarantineWriter(storage, run)

    def read(self, logs: Sequence[LogObject], metadata_fields: Sequence[str]) -> Tally:
        """Read whole objects; one that cannot be opened is named in the tally.

        `metadata_fields` are the encoded ones that the table has by now. Raises OSError where an object breaks
        off in the middle: what was read since the last harvest is then spoilt.
        """
        self._promote(tuple(metadata_fields))
        tally = Tally()
        for log, opened in self._sources.open_each(logs):
            if isinstance(opened, LogminerError):
                tally.unreadable.append(UnreadableObject(log.uri, opened.problem, opened.exit_code))
                continue
            with opened:
                self._read_object(log, opened, tally)
        return tally

    def _promote(self, table_fields: tuple[str, ...]) -> None:
        """Promote what the table has, and own keys while there is room: what is too much, a commit moves back."""
        if table_fields != self._table_fields:
            own = [field for field in self._fields if field not in table_fields]
            self._fields = [*table_fields, *own][: max(MAX_PROMOTED_KEYS, len(table_fields))]
            self._table_fields = table_fields

    def _read_object(self, log: LogObject, stream: BinaryIO, tally: Tally) -> None:
        records = findings = 0
        for value in read_log(log, stream, self._decoder, self._sources.read_body):
            if isinstance(value, Quarantined):
                findings += 1
                self._quarantine.add(log, value.position, value.reason, value.raw)
                continue
            records += 1
            status = value.conversation.status
            tally.by_status[status] = tally.by_status.get(status, 0) + 1
            self._add(value)
        if not records and not findings:
            findings = 1
            self._quarantine.add(log, 0, "empty_object", b"")
        self._quarantine.end_object(records)
        tally.objects += 1
        tally.read_bytes += log.size_bytes
        tally.records += records
        tally.quarantined += findings

    def _add(self, row: Row) -> None:
        day = _day_of(row.time_us // _DAY_US)
        buffer = self._buffers.get(day)
        if buffer is None:
            buffer = self._buffers[day] = _Buffer()
        self._buffered_bytes += buffer.add(row)
        if buffer.size_bytes > _ROW_GROUP_BYTES or len(buffer.rows) >= _ROW_GROUP_ROWS:
            self._write(day)
        elif self._buffered_bytes > _MAX_BUFFERED_BYTES:
            self._write(max(self._buffers, key=lambda each: self._buffers[each].size_bytes))

    def _write(self, day: date) -> None:
        """Write a day's buffer as a row group; new metadata keys begin a new file, which can have them."""
        buffer = self._buffers.pop(day)
        self._buffered_bytes -= buffer.size_bytes
        fields = promoted_fields(buffer.rows, self._fields)
        self._fields.extend(field for field in fields if field not in self._fields)
        self._model_ids.update(dict.fromkeys(r.record.model_id for r in buffer.rows if r.record.model_id))
        writer = self._writers.get(day)
        if writer is not None and not _fits(writer, fields):
            self._finish(day)
            writer = None
        if writer is not None:
            fields = tuple(metadata_fields_of(writer.schema))
        batch = batch_of_rows(buffer.rows, self._run, fields)
        if writer is None:
            writer = self._writers[day] = DataFileWriter(self._storage, day, batch.schema)
        writer.write(batch)
        if writer.size_bytes > _FILE_BYTES:
            self._finish(day)

    def _finish(self, day: date) -> None:
        self._files.append(self._writers[day].finish())
        del self._writers[day]

    def harvest(self) -> Harvest:
        """Finish all files, and hand over everything since the last harvest."""
        self._quarantine.flush()
        for day in sorted(self._buffers):
            self._write(day)
        for day in sorted(self._writers):
            self._finish(day)
        harvest = Harvest(self._files, list(self._model_ids))
        self._files, self._model_ids = [], {}
        return harvest

    def abandon(self) -> None:
        """Give up what is not harvested; its files vanish."""
        self._quarantine.clear()
        self._buffers.clear()
        self._buffered_bytes = 0
        for writer in self._writers.values():
            writer.abandon()
        self._writers.clear()
        delete_files(self._storage, self._files)
        self._files = []


_DAY_US = 86_400_000_000


@functools.lru_cache(maxsize=1024)
def _day_of(days: int) -> date:
    """The UTC date so many days after 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=days)


class _Buffer:
    """Rows of one day that wait to be written."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.size_bytes = 0

    def add(self, row: Row) -> int:
        """Keep a row; about how many bytes it holds."""
        self.rows.append(row)
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
        if row.record.request_metadata:
            size_bytes += sum(map(len, row.record.request_metadata.values()))
        self.size_bytes += size_bytes
        return size_bytes


def _fits(writer: DataFileWriter, fields: Sequence[str]) -> bool:
    """Whether a file that is open has all the metadata fields that a row group needs."""
    return set(fields) <= set(metadata_fields_of(writer.schema))
