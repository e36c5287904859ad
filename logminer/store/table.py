"""The Delta table `invocations`: opened at a version, and changed by commits of whole Parquet files.

Commits are one action list with an application transaction id: two that were prepared against the same version
cannot both succeed, so the loser looks again at what the winner did.
Source of the format: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logminer.errors import StorageError, StoreChangedError, UsageError
from logminer.schema import COLUMNS, FIRST_METADATA_FIELD, STORE_FORMAT_VERSION
from logminer.store.storage import Storage

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

INGEST = "logminer-ingest"
MAINTENANCE = "logminer-maintenance"

_FIRST_ENTRY = "_delta_log/00000000000000000000.json"
_FORMAT_PROPERTY = "logminer.formatVersion"
_KEPT_SINCE_PROPERTY = "logminer.keptSince"
_PROPERTIES = {
    # No statistics of text, identity or metadata: the log would keep prompts that were to be forgotten.
    "delta.dataSkippingStatsColumns": "timestamp",
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
    "delta.checkpointInterval": "50",
    _FORMAT_PROPERTY: str(STORE_FORMAT_VERSION),
}
_DELTA_TYPES = {
    "date": "date",
    "timestamp": "timestamp",
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "long": "long",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of the table. `name` is relative to the table's root."""

    name: str
    size_bytes: int
    date: date
    rows: int


@dataclass(frozen=True)
class Snapshot:
    """The table at one version: its files, sorted by name, and the encoded metadata fields that they may have.

    `kept_since` is the first UTC date that the store takes records of; None where it takes all.
    """

    version: int
    files: tuple[DataFile, ...]
    metadata_fields: tuple[str, ...]
    kept_since: date | None = None

    @property
    def rows(self) -> int:
        """Rows of all files, redelivered and forgotten ones included."""
        return sum(file.rows for file in self.files)


@dataclass(frozen=True, slots=True)
class Commit:
    """One version in the table's history. `about` is what logminer wrote of it."""

    version: int
    time: datetime
    operation: str
    about: dict[str, Any]


class CommitConflict(Exception):  # noqa: N818 - control flow: the caller looks again and retries
    """Another process committed since the table was last looked at; nothing of this commit is in the table."""


class Table:
    """A handle on the table. Not safe to share between threads or forked processes.

    What it decides from is the version that it saw last; `refresh` sees the newest one.
    """

    def __init__(self, storage: Storage, delta: DeltaTable) -> None:
        self._storage = storage
        self._delta = delta

    @property
    def version(self) -> int:
        """The version that this handle sees."""
        return self._delta.version()

    @property
    def id(self) -> str:
        """What tells this table from one that was made in its place later."""
        return str(self._delta.metadata().id)

    def refresh(self) -> None:
        """See the newest version. Raises StorageError where the table is gone or another one by now."""
        self._delta = self._newest()

    def _newest(self) -> DeltaTable:
        try:
            newest = open_table(self._storage)._delta
        except UsageError as error:
            raise StorageError(
                "the store is gone", where=self._storage.uri, fix="Was it moved or deleted? Run again."
            ) from error
        if newest.metadata().id != self._delta.metadata().id:
            raise StoreChangedError(
                "the store was deleted and made anew meanwhile", where=self._storage.uri, fix="Run again."
            )
        return newest

    def snapshot(self) -> Snapshot:
        """The files of the version that this handle sees."""
        actions = self._delta.get_add_actions(flatten=True)
        columns = [
            actions.column(name).to_pylist()
            for name in ("path", "size_bytes", "partition.date", "num_records")
        ]
        files = [DataFile(*row) for row in zip(*columns, strict=True)]
        since = self._delta.metadata().configuration.get(_KEPT_SINCE_PROPERTY)
        return Snapshot(
            self.version,
            tuple(sorted(files, key=lambda file: file.name)),
            self._metadata_fields(),
            date.fromisoformat(since) if since else None,
        )

    def _metadata_fields(self) -> tuple[str, ...]:
        schema = json.loads(self._delta.schema().to_json())
        for field in schema["fields"]:
            if field["name"] == "request_metadata":
                return tuple(part["name"] for part in field["type"]["fields"])
        raise StorageError("the table has no request_metadata", fix="It was not made by logminer.")

    def widen(self, fields: Sequence[str]) -> None:
        """Commit new fields of `request_metadata`. Raises CommitConflict, StorageError.

        Runs that only add rows do not conflict with this: the handle may afterwards be more than one version
        further on, and what was decided before must be decided again.
        """
        from deltalake import Field
        from deltalake.exceptions import CommitFailedError, DeltaError

        self._newest()
        try:
            self._delta.alter.add_columns([Field("request_metadata", _metadata_struct(fields))])
        except CommitFailedError as error:
            raise CommitConflict from error
        except (DeltaError, OSError) as error:
            raise self._storage.failure(error, "cannot widen the store") from error
        self.refresh()

    def commit(
        self,
        application: str,
        *,
        add: Sequence[DataFile] = (),
        remove: Sequence[DataFile] = (),
        about: dict[str, Any],
    ) -> None:
        """Add and remove files in one version. Raises CommitConflict where the table changed underneath.

        Whatever removes files commits as MAINTENANCE too, so that no two removals cross; files that are not
        in the version that this handle sees cannot be removed. Raises StorageError, with nothing committed.
        """
        from deltalake.exceptions import CommitFailedError, DeltaError
        from deltalake.transaction import CommitProperties, Transaction

        if remove and not {file.name for file in remove} <= _names(self._delta):
            raise CommitConflict
        # A table that was deleted meanwhile must not come back as a log that begins in its middle.
        self._newest()
        applications = {application, MAINTENANCE} if remove else {application}
        transactions = [
            Transaction(name, (self._delta.transaction_version(name) or 0) + 1)
            for name in sorted(applications)
        ]
        try:
            self._delta.create_write_transaction(
                _actions(add, remove),
                "append",
                self._delta.schema(),
                ["date"],
                commit_properties=CommitProperties(
                    app_transactions=transactions, custom_metadata={"logminer": json.dumps(about)}
                ),
            )
        except (DeltaError, OSError) as error:
            # An error can come after the log entry was written, out of what follows it.
            if add and add[0].name in _names(self._newest()):
                self.refresh()
                return
            if isinstance(error, CommitFailedError):
                raise CommitConflict from error
            raise self._storage.failure(error, "cannot commit to the store") from error
        self.refresh()

    def keep_since(self, day: date) -> None:
        """Commit that the store takes no records of earlier UTC dates any more. Raises CommitConflict, StorageError.

        Runs that are under way conflict with this, and look again before they commit.
        """
        from deltalake.exceptions import CommitFailedError, DeltaError
        from deltalake.transaction import CommitProperties

        self._newest()
        about = {"kept_since": day.isoformat()}
        try:
            self._delta.alter.set_table_properties(
                {_KEPT_SINCE_PROPERTY: day.isoformat()},
                raise_if_not_exists=False,
                commit_properties=CommitProperties(custom_metadata={"logminer": json.dumps(about)}),
            )
        except CommitFailedError as error:
            raise CommitConflict from error
        except (DeltaError, OSError) as error:
            raise self._storage.failure(error, "cannot change the store") from error
        self.refresh()

    def note(self, about: dict[str, Any]) -> None:
        """Commit words for the history and nothing else; no other run conflicts with it. Raises StorageError."""
        from deltalake.exceptions import DeltaError
        from deltalake.transaction import CommitProperties

        self._newest()
        properties = CommitProperties(custom_metadata={"logminer": json.dumps(about)})
        try:
            self._delta.create_write_transaction(
                [], "append", self._delta.schema(), ["date"], commit_properties=properties
            )
        except (DeltaError, OSError) as error:
            raise self._storage.failure(error, "cannot commit to the store") from error
        self.refresh()

    def history(self) -> list[Commit]:
        """All versions whose log entries still exist, newest first."""
        return [
            Commit(
                version=entry["version"],
                time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
                operation=entry["operation"],
                about=json.loads(entry.get("logminer", "{}")),
            )
            for entry in self._delta.history()
        ]


def _actions(add: Sequence[DataFile], remove: Sequence[DataFile]) -> list[AddAction | RemoveAction]:
    from deltalake.transaction import AddAction, RemoveAction

    now_ms = int(time.time() * 1000)
    actions: list[AddAction | RemoveAction] = [
        RemoveAction(file.name, True, now_ms, file.size_bytes, {"date": file.date.isoformat()})
        for file in remove
    ]
    actions += (
        AddAction(
            file.name,
            file.size_bytes,
            {"date": file.date.isoformat()},
            now_ms,
            True,
            json.dumps({"numRecords": file.rows}),
        )
        for file in add
    )
    return actions


def _names(delta: DeltaTable) -> set[str]:
    return set(delta.get_add_actions(flatten=True).column("path").to_pylist())


def _metadata_struct(fields: Sequence[str]) -> Any:
    from deltalake import Field
    from deltalake.schema import PrimitiveType, StructType

    return StructType([Field(name, PrimitiveType("string")) for name in fields])


def table_exists(storage: Storage) -> bool:
    """Whether there is a table in this place. Raises StorageError, ConfigurationError where nobody can tell."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable.is_deltatable(storage.table_uri, storage_options=storage.table_options)
    except (DeltaError, OSError) as error:
        raise storage.failure(error, "cannot open the store") from error


def create_table(storage: Storage, metadata_fields: Sequence[str]) -> None:
    """Make an empty table; that another process just made it is no error."""
    from deltalake import DeltaTable, Field, Schema
    from deltalake.exceptions import DeltaError
    from deltalake.schema import PrimitiveType

    fields = [
        Field(column.name, _metadata_struct([FIRST_METADATA_FIELD, *metadata_fields]))
        if column.type == "metadata"
        else Field(column.name, PrimitiveType(_DELTA_TYPES[column.type]))
        for column in COLUMNS
    ]
    storage.prepare()
    # Of two creations at once deltalake would let the second replace the first one's schema. The first log
    # entry is therefore made elsewhere, and put into its place only where there is none.
    try:
        with tempfile.TemporaryDirectory(prefix="logminer-") as elsewhere:
            DeltaTable.create(
                elsewhere,
                schema=Schema(fields),
                partition_by=["date"],
                configuration=_PROPERTIES,
                raise_if_key_not_exists=False,
            )
            entry = (Path(elsewhere) / _FIRST_ENTRY).read_text("utf-8")
            made_in = Path(elsewhere).as_uri()
    except (DeltaError, OSError) as error:
        raise storage.failure(error, "cannot make the store") from error
    entry = entry.replace(made_in, json.dumps(storage.table_uri)[1:-1])
    storage.put_new(f"invocations/{_FIRST_ENTRY}", entry.encode())


def open_table(storage: Storage, version: int | None = None) -> Table:
    """The table at its newest or a given version. Raises UsageError where there is none such."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    if version is not None and version > open_table(storage).version:
        # deltalake would look for every version up to this one, which can take for ever.
        raise _no_version(storage, version)
    try:
        delta = DeltaTable(storage.table_uri, version=version, storage_options=storage.table_options)
    except TableNotFoundError as error:
        if version is not None and table_exists(storage):
            raise _no_version(storage, version) from error
        raise UsageError(
            "there is no store here",
            where=storage.uri,
            fix="Make one with: logminer ingest LOGS --store PATH",
        ) from error
    except (DeltaError, OSError) as error:
        if version is not None and isinstance(error, DeltaError):
            raise _no_version(storage, version) from error
        raise storage.failure(error, "cannot open the store") from error
    _check_format(storage, delta)
    return Table(storage, delta)


def _no_version(storage: Storage, version: int) -> UsageError:
    newest = open_table(storage).version
    return UsageError(
        f"the store has no version {version}; its newest is {newest}",
        where=storage.uri,
        fix="List them with: logminer store history",
    )


def _check_format(storage: Storage, delta: DeltaTable) -> None:
    found = delta.metadata().configuration.get(_FORMAT_PROPERTY)
    if found is None:
        raise UsageError(
            "this Delta table was not made by logminer", where=storage.uri, fix="Choose another --store."
        )
    if int(found) > STORE_FORMAT_VERSION:
        raise StoreChangedError(
            f"the store has format {found}; this logminer reads up to {STORE_FORMAT_VERSION}",
            where=storage.uri,
            fix="Upgrade with: pip install --upgrade logminer",
        )
