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
from logminer.ingest.reader import read_log
from logminer.model import IngestRun
from logminer.sources import LogObject, open_log
from logminer.store.quarantine import QuarantinedValue
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
    """What a worker has ready to be committed: whole files, quarantined values, and model ids seen."""

    files: list[DataFile] = []
    metadata_fields: list[str] = []
    quarantined: list[QuarantinedValue] = []
    model_ids: list[str] = []


class IngestWorker:
    """Reads log objects one after the other; what it wrote is handed over by `harvest`."""

    def __init__(self, storage: Storage, run: IngestRun, metadata_fields: Sequence[str]) -> None:
        self._storage = storage
        self._run = run
        self._fields = list(metadata_fields)
        self._decoder = record_decoder()
        self._buffers: dict[date, _Buffer] = {}
        self._buffered_bytes = 0
        self._writers: dict[date, DataFileWriter] = {}
        self._harvest = Harvest()
        self._model_ids: dict[str, None] = {}

    def read(self, logs: Sequence[LogObject]) -> Tally:
        """Read whole objects; one that cannot be opened is named in the tally.

        Raises OSError where one breaks off in the middle: what was read since the last harvest is then spoilt.
        """
        tally = Tally()
        for log in logs:
            try:
                stream = open_log(log)
            except LogminerError as error:
                tally.unreadable.append(UnreadableObject(log.uri, error.problem, error.exit_code))
                continue
            with stream:
                self._read_object(log, stream, tally)
        return tally

    def _read_object(self, log: LogObject, stream: BinaryIO, tally: Tally) -> None:
        records = 0
        findings: list[Quarantined] = []
        for value in read_log(log, stream, self._decoder):
            if isinstance(value, Quarantined):
                findings.append(value)
                continue
            records += 1
            status = value.conversation.status
            tally.by_status[status] = tally.by_status.get(status, 0) + 1
            self._add(value)
        if not records and not findings:
            findings.append(Quarantined(0, "empty_object", b""))
        self._harvest.quarantined.extend(
            QuarantinedValue(log.uri, each.position, each.reason, each.raw, records, log.etag, log.size_bytes)
            for each in findings
        )
        tally.objects += 1
        tally.read_bytes += log.size_bytes
        tally.records += records
        tally.quarantined += len(findings)

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
        batch = batch_of_rows(
            buffer.rows, self._run, metadata_fields_of(writer.schema) if writer is not None else fields
        )
        if writer is None:
            writer = self._writers[day] = DataFileWriter(self._storage, day, batch.schema)
        writer.write(batch)
        if writer.size_bytes > _FILE_BYTES:
            self._finish(day)

    def _finish(self, day: date) -> None:
        self._harvest.files.append(self._writers.pop(day).finish())

    def harvest(self) -> Harvest:
        """Finish all files, and hand over everything since the last harvest."""
        for day in sorted(self._buffers):
            self._write(day)
        for day in sorted(self._writers):
            self._finish(day)
        harvest, self._harvest = self._harvest, Harvest()
        harvest.metadata_fields = list(self._fields)
        harvest.model_ids = list(self._model_ids)
        return harvest

    def abandon(self) -> None:
        """Give up what is not harvested; its files vanish."""
        self._buffers.clear()
        self._buffered_bytes = 0
        for writer in self._writers.values():
            writer.abandon()
        self._writers.clear()
        for file in self._harvest.files:
            self._storage.delete(f"invocations/{file.name}")
        self._harvest = Harvest()


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
            + 2 * len(said.response or "")
            + len(said.reasoning or "")
            + len(said.tools or "")
        )
        self.size_bytes += size_bytes
        return size_bytes


def _fits(writer: DataFileWriter, fields: Sequence[str]) -> bool:
    """Whether a file that is open has all the metadata fields that a row group needs."""
    return set(fields) <= set(metadata_fields_of(writer.schema))
