"""Few large files per day, their rows sorted by model and time, so that a query reads what it asks for.

A day is sorted on disk and written in row groups. The new files
take the place of the old ones in one commit under the maintenance transaction id: of two compactions at once the
second finds its files gone, gives up the day and looks again. Ingests that run meanwhile only add files, which
stay as they are. Old versions keep their files until a vacuum.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from logminer.maintenance.metadata_fields import fields_for_files, new_fields, with_metadata_fields
from logminer.maintenance.quarantine_files import join_quarantine
from logminer.query.selection import Selection
from logminer.schema import FILE_COLUMNS
from logminer.store.rewrite import delete_files, read_row_groups, schema_of_file, sorting_of_file
from logminer.store.rows import DataFileWriter
from logminer.store.storage import Storage
from logminer.store.table import MAINTENANCE, CommitConflict, DataFile, Snapshot, Table, open_table

if TYPE_CHECKING:
    import pyarrow as pa

# Measured over a million rows of a day: a model's count takes a third, its texts a sixth of the time that they
# take where rows are sorted by time alone; a count with a time span takes the same.
SORTED_BY = ("model_id", "timestamp")
# Rows are sorted by model: small row groups let a question for one skip most of them. Of 5 million rows without
# texts a count takes 28 ms with these, cut where a model ends, and 47 with 60,000 in each.
ROW_GROUP_ROWS = 20_000
ROW_GROUP_BYTES = 96 << 20
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """What is to be compacted: days of the time span of `selection`, into files of about `target_bytes`.

    With `everything`, files that are large and sorted already are written anew as well.
    """

    selection: Selection
    target_bytes: int = 128 << 20
    everything: bool = False


@dataclass(frozen=True)
class CompactionReport:
    """What a compaction did; sizes are bytes. `left` counts days that another run was at.

    `promoted` are encoded metadata fields that the table did not have. Of the quarantine `quarantine_files` were
    written together.
    """

    version: int
    days: int
    left: int
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    promoted: tuple[str, ...]
    quarantine_files: int


@dataclass(frozen=True, slots=True)
class _Done:
    """One day: the files that went, and those that came."""

    before: tuple[DataFile, ...]
    after: tuple[DataFile, ...]


# Told of each day before it is written: the day, its place, the number of days.
Progress = Callable[[date, int, int], None]


def compact(storage: Storage, plan: CompactionPlan, progress: Progress | None = None) -> CompactionReport:
    """Compact the days of a plan that need it, one after the other. Raises StorageError; days that are done stay."""
    table = open_table(storage)
    due = _due_days(storage, table.snapshot(), plan)
    promoted = _promote(storage, table, due)
    done: list[_Done] = []
    left = 0
    for place, day in enumerate(sorted(due), start=1):
        if progress is not None:
            progress(day, place, len(due))
        outcome = _compact_day(storage, table, day, plan)
        left += outcome is None
        done += [outcome] if outcome is not None else []
    joined = join_quarantine(storage)
    before = [file for each in done for file in each.before]
    after = [file for each in done for file in each.after]
    return CompactionReport(
        version=table.version,
        days=sum(bool(each.before) for each in done),
        left=left,
        files_before=len(before),
        files_after=len(after),
        bytes_before=sum(file.size_bytes for file in before),
        bytes_after=sum(file.size_bytes for file in after),
        promoted=promoted,
        quarantine_files=joined,
    )


def _due_days(storage: Storage, snapshot: Snapshot, plan: CompactionPlan) -> dict[date, list[DataFile]]:
    by_day: dict[date, list[DataFile]] = defaultdict(list)
    for file in snapshot.files:
        if plan.selection.may_hold(file.date):
            by_day[file.date].append(file)
    due = {day: _due(storage, files, plan) for day, files in by_day.items()}
    return {day: files for day, files in due.items() if files}


def _due(storage: Storage, files: Sequence[DataFile], plan: CompactionPlan) -> list[DataFile]:
    """Those of a day's files that are to be written together: small ones, and ones that are not sorted."""
    if plan.everything:
        return list(files)
    unsorted = {file.name for file in files if sorting_of_file(storage, file) != SORTED_BY}
    due = [file for file in files if file.size_bytes < plan.target_bytes // 2 or file.name in unsorted]
    return due if len(due) > 1 or unsorted else []


def _promote(storage: Storage, table: Table, due: dict[date, list[DataFile]]) -> tuple[str, ...]:
    """Give the commonest keys without a field of their own one, as far as there is room in the table."""
    files = [file for day in sorted(due) for file in due[day]]
    for _ in range(_ATTEMPTS):
        fields = new_fields(storage, files, table.snapshot().metadata_fields)
        if not fields:
            return ()
        try:
            table.widen(fields)
        except CommitConflict:
            table.refresh()
        else:
            return fields
    return ()


def _compact_day(storage: Storage, table: Table, day: date, plan: CompactionPlan) -> _Done | None:
    """Compact one day; None where other runs are at it all the time."""
    for _ in range(_ATTEMPTS):
        table.refresh()
        files = _due(storage, [file for file in table.snapshot().files if file.date == day], plan)
        if not files:
            return _Done((), ())
        after = _write_sorted(storage, day, files, table.snapshot().metadata_fields, plan.target_bytes)
        if _exchange(storage, table, files, after):
            return _Done(tuple(files), tuple(after))
    return None


def _exchange(storage: Storage, table: Table, files: Sequence[DataFile], after: Sequence[DataFile]) -> bool:
    """Commit; False, and the new files gone, where one of the old ones is not in the table any more."""
    try:
        for attempt in range(10 * _ATTEMPTS):
            if attempt:
                time.sleep(0.05)
            table.refresh()
            if not {*files} <= {*table.snapshot().files}:
                break
            try:
                table.commit(MAINTENANCE, add=after, remove=files, about={"compacted": len(files)})
            except CommitConflict:
                continue
            return True
    except BaseException:
        _give_up(storage, table, after)
        raise
    delete_files(storage, after)
    return False


def _give_up(storage: Storage, table: Table, files: Sequence[DataFile]) -> None:
    """Delete new files, unless the commit went through after all."""
    table.refresh()
    named = {file.name for file in table.snapshot().files}
    delete_files(storage, [file for file in files if file.name not in named])


def _write_sorted(
    storage: Storage, day: date, files: Sequence[DataFile], table_fields: Sequence[str], target_bytes: int
) -> list[DataFile]:
    from logminer.maintenance.sorting import SortedRows

    schema = _common_schema(storage, files, fields_for_files(storage, files, table_fields))
    written: list[DataFile] = []
    writer: DataFileWriter | None = None
    try:
        with SortedRows(schema) as rows:
            for file in files:
                for group in read_row_groups(storage, file):
                    rows.add(_with_schema(group, schema))
            for piece in rows.pieces(ROW_GROUP_ROWS, ROW_GROUP_BYTES):
                writer = writer or DataFileWriter(storage, day, schema, SORTED_BY)
                writer.write(piece)
                if writer.size_bytes >= target_bytes:
                    written.append(writer.finish())
                    writer = None
        if writer is not None:
            written.append(writer.finish())
    except BaseException:
        if writer is not None:
            writer.abandon()
        delete_files(storage, written)
        raise
    return written


def _common_schema(storage: Storage, files: Sequence[DataFile], fields: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    found = {field.name: field for file in files for field in schema_of_file(storage, file)}
    found["request_metadata"] = pa.field(
        "request_metadata", pa.struct([(each, pa.string()) for each in fields])
    )
    return pa.schema([found[column.name] for column in FILE_COLUMNS if column.name in found])


def _with_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the columns and metadata fields of all files, NULL where their own file lacks one."""
    import pyarrow as pa

    fields = [field.name for field in schema.field("request_metadata").type]
    rows = with_metadata_fields(rows, fields)
    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
