"""What one worker does: read log objects into rows, and write rows into Parquet files that a commit may name."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import BinaryIO

import msgspec

from logminer.conversations import record_decoder
from logminer.errors import CredentialsError, LogminerError
from logminer.framing import Quarantined
from logminer.ingestion.reader import read_log
from logminer.ingestion.text_scope import TextScope, leave_text_out, text_rule
from logminer.model import IngestRun
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.source_rules import SourceRule
from logminer.sources.objects import LogObject
from logminer.sources.reading import SourceReader
from logminer.store.quarantine import QuarantineWriter
from logminer.store.rewrite import delete_files
from logminer.store.rows import (
    DataFileWriter,
    Row,
    RowGroup,
    metadata_fields_of,
)
from logminer.store.storage import Storage
from logminer.store.table import DataFile

# A row group is written when so much JSON text has come together. Larger ones read faster, and cost memory.
_ROW_GROUP_BYTES = 32 << 20
_ROW_GROUP_ROWS = 60_000
_MAX_BUFFERED_BYTES = 64 << 20
_FILE_BYTES = 160 << 20


class UnreadableObject(msgspec.Struct, frozen=True):
    """A log object that could not be opened, and why. `exit_code` is that of the error.

    With `no_others` no other object can be opened either.
    """

    uri: str
    problem: str
    exit_code: int
    no_others: bool = False


class Tally(msgspec.Struct):
    """What became of some log objects. `read_bytes` is their stored size.

    `without_text` counts records whose text was left out.
    """

    objects: int = 0
    read_bytes: int = 0
    records: int = 0
    quarantined: int = 0
    by_status: dict[str, int] = {}
    unreadable: list[UnreadableObject] = []
    without_text: int = 0

    def add(self, other: Tally) -> None:
        """Count another one in."""
        self.objects += other.objects
        self.read_bytes += other.read_bytes
        self.records += other.records
        self.quarantined += other.quarantined
        for status, count in other.by_status.items():
            self.by_status[status] = self.by_status.get(status, 0) + count
        self.unreadable.extend(other.unreadable)
        self.without_text += other.without_text


class Harvest(msgspec.Struct):
    """What a worker has ready to be committed: whole files, and the model ids in them."""

    files: list[DataFile] = []
    model_ids: list[str] = []


class IngestWorker:
    """Reads log objects one after the other; what it wrote is handed over by `harvest`.

    What could not be read goes to the quarantine directly, at the latest in `harvest`, and so before the commit.
    """

    def __init__(
        self,
        storage: Storage,
        run: IngestRun,
        rules: Sequence[SourceRule] = (),
        text_scope: TextScope | None = None,
    ) -> None:
        self._storage = storage
        self._keeps_text = text_rule(text_scope) if text_scope is not None and text_scope.is_limited else None
        self._sources = SourceReader(rules)
        self._run = run
        self._table_fields: tuple[str, ...] = ()
        self._fields: list[str] = []
        self._decoder = record_decoder()
        self._groups: dict[date, RowGroup] = {}
        self._buffered_bytes = 0
        self._writers: dict[date, DataFileWriter] = {}
        self._files: list[DataFile] = []
        self._model_ids: set[str] = set()
        self._quarantine = QuarantineWriter(storage, run)

    def read(self, logs: Sequence[LogObject], metadata_fields: Sequence[str]) -> Tally:
        """Read whole objects; one that cannot be opened is named in the tally.

        `metadata_fields` are the encoded ones that the table has by now. Raises OSError where an object breaks
        off in the middle: what was read since the last harvest is then spoilt.
        """
        self.promote(metadata_fields)
        tally = Tally()
        for log, opened in self.open_each(logs):
            tally.add(self.read_opened(log, opened))
        return tally

    def open_each(self, logs: Sequence[LogObject]) -> Iterator[tuple[LogObject, BinaryIO | LogminerError]]:
        """Each object with its stored bytes, or with why it cannot be opened, in an order that reads fast."""
        return self._sources.open_each(logs)

    def read_opened(self, log: LogObject, opened: BinaryIO | LogminerError) -> Tally:
        """Read one object that `open_each` gave. Raises OSError as `read` does."""
        tally = Tally()
        if isinstance(opened, LogminerError):
            no_others = isinstance(opened, CredentialsError)
            found = UnreadableObject(log.uri, opened.problem, opened.exit_code, no_others)
            tally.unreadable.append(found)
        else:
            with opened:
                self._read_object(log, opened, tally)
        return tally

    def promote(self, metadata_fields: Sequence[str]) -> None:
        """Promote what the table has, and own keys while there is room: what is too much, a commit moves back."""
        table_fields = tuple(metadata_fields)
        if table_fields != self._table_fields:
            own = [field for field in self._fields if field not in table_fields]
            self._fields = [*table_fields, *own][: max(MAX_PROMOTED_KEYS, len(table_fields))]
            self._table_fields = table_fields

    def _read_object(self, log: LogObject, stream: BinaryIO, tally: Tally) -> None:
        records = findings = 0
        for value in read_log(log, stream, self._decoder, self._sources.ask_body):
            if isinstance(value, Quarantined):
                findings += 1
                # Nobody can tell whose text is in what cannot be read.
                raw = value.raw if self._keeps_text is None else b""
                self._quarantine.add(log, value.position, value.reason, raw)
                continue
            records += 1
            if self._keeps_text is not None and not self._keeps_text(value.record):
                tally.without_text += leave_text_out(value.conversation)
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
        group = self._groups.get(day)
        if group is None:
            group = self._groups[day] = RowGroup()
        self._buffered_bytes += group.add(row)
        if group.size_bytes > _ROW_GROUP_BYTES or group.rows >= _ROW_GROUP_ROWS:
            self._write(day)
        elif self._buffered_bytes > _MAX_BUFFERED_BYTES:
            self._write(max(self._groups, key=lambda each: self._groups[each].size_bytes))

    def _write(self, day: date) -> None:
        """Write a day's row group; new metadata keys begin a new file, which can have them."""
        group = self._groups.pop(day)
        self._buffered_bytes -= group.size_bytes
        fields = group.promoted_fields(self._fields)
        self._fields.extend(field for field in fields if field not in self._fields)
        writer = self._writers.get(day)
        if writer is not None and not _fits(writer, fields):
            self._finish(day)
            writer = None
        if writer is not None:
            fields = tuple(metadata_fields_of(writer.schema))
        else:
            fields = group.with_most_values_first(fields)
        table = group.table(self._run, fields)
        self._model_ids |= group.model_ids
        if writer is None:
            writer = self._writers[day] = DataFileWriter(self._storage, day, table.schema)
        writer.write(table)
        if writer.size_bytes > _FILE_BYTES:
            self._finish(day)

    def _finish(self, day: date) -> None:
        self._files.append(self._writers[day].finish())
        del self._writers[day]

    def harvest(self) -> Harvest:
        """Finish all files, and hand over everything since the last harvest."""
        self._quarantine.flush()
        for day in sorted(self._groups):
            self._write(day)
        for day in sorted(self._writers):
            self._finish(day)
        harvest = Harvest(self._files, sorted(self._model_ids))
        self._files, self._model_ids = [], set()
        return harvest

    def abandon(self) -> None:
        """Give up what is not harvested; its files vanish."""
        self._quarantine.clear()
        self._groups.clear()
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


def _fits(writer: DataFileWriter, fields: Sequence[str]) -> bool:
    """Whether a file that is open has all the metadata fields that a row group needs."""
    return set(fields) <= set(metadata_fields_of(writer.schema))
