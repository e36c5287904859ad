"""A store opened for questions: one version of the table, a DuckDB connection over it, and its models."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from logminer.errors import StorageError, UsageError
from logminer.filters import Sql
from logminer.models import ModelId, ModelNames, TeacherCandidate, TeacherMatch, match_teacher
from logminer.query.selection import Condition, Selection, compile_selection
from logminer.store.duck import connect, empty_scan, metadata_fields_in, quote_literal, scan_files
from logminer.store.registry import read_model_ids
from logminer.store.storage import Storage
from logminer.store.table import DataFile, Snapshot, Table, open_table

if TYPE_CHECKING:
    import duckdb

ROW_ORDER = "timestamp, request_id, source_uri, source_position"
# DuckDB hands an instant with a zone to Python only through pytz, so it goes without its zone and gets it back.
UTC_TIMESTAMP = "(timestamp AT TIME ZONE 'UTC')"


def as_utc(value: datetime) -> datetime:
    """An instant that was read without its zone."""
    return value.replace(tzinfo=UTC)


class StoreView:
    """One version of a store, open for questions. Use it as a context manager, or close it."""

    def __init__(
        self, storage: Storage, *, aliases: Mapping[str, str] | None = None, version: int | None = None
    ) -> None:
        self.storage = storage
        self._table: Table = open_table(storage, version)
        self.snapshot: Snapshot = self._table.snapshot()
        if version is not None:
            self._check_files()
        self.model_names = ModelNames(aliases or {})
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._model_ids: set[str] | None = None
        self._promoted: dict[tuple[DataFile, ...], tuple[str, ...]] = {}

    def __enter__(self) -> StoreView:
        """The view itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def version(self) -> int:
        """The version that is looked at."""
        return self.snapshot.version

    def promoted(self, selection: Selection) -> tuple[str, ...]:
        """The encoded metadata fields that the files of a selection have; naming another is an error."""
        files = self._files(selection)
        if files not in self._promoted:
            scan = scan_files(self.storage, files) if files else empty_scan()
            self._promoted[files] = metadata_fields_in(self.connection, scan)
        return self._promoted[files]

    def _files(self, selection: Selection) -> tuple[DataFile, ...]:
        if selection.since is None and selection.until is None:
            return self.snapshot.files
        return tuple(
            each for each in self.snapshot.files if _may_hold(each, selection.since, selection.until)
        )

    @property
    def model_ids(self) -> set[str]:
        """Model ids as logged that may occur."""
        if self._model_ids is None:
            self._model_ids = read_model_ids(self.storage)
        return self._model_ids

    def history(self) -> list[Any]:
        """All versions, newest first."""
        return self._table.history()

    def _check_files(self) -> None:
        missing = [
            file
            for file in self.snapshot.files
            if not Path(self.storage.path(f"invocations/{file.name}")).exists()
        ]
        if missing:
            raise UsageError(
                f"version {self.version} can no longer be read: {len(missing)} of its files were vacuumed",
                where=self.storage.uri,
                fix=f"The oldest version that can be read is {self._oldest_readable()}.",
            )

    def _oldest_readable(self) -> int:
        oldest = newest = open_table(self.storage).version
        for version in range(newest, -1, -1):
            with contextlib.suppress(UsageError):
                files = open_table(self.storage, version).snapshot().files
                if not all(Path(self.storage.path(f"invocations/{file.name}")).exists() for file in files):
                    break
                oldest = version
        return oldest

    # --- teachers ---------------------------------------------------------------------------------------

    def match_teacher(self, teacher: str) -> TeacherMatch:
        """The models of this store that `teacher` means. Raises UsageError where it means none."""
        match = match_teacher(teacher, self.model_ids, self.model_names)
        if match.candidates:
            return match
        if match.near:
            fix = "Did you mean: " + ", ".join(match.near) + "?"
        elif match.asked.model is None:
            fix = f'Name its model in logminer.toml: [models.aliases] "{printable(teacher)}" = "MODEL"'
        else:
            fix = "List the models with: logminer stats"
        raise UsageError(f"no record is of the model {printable(teacher)!r}", where="--teacher", fix=fix)

    def one_teacher(self, teacher: str) -> TeacherCandidate:
        """The one model that `teacher` means. Raises UsageError with the candidates where there are several."""
        match = self.match_teacher(teacher)
        if len(match.candidates) > 1:
            raise UsageError(
                f"{teacher!r} means {len(match.candidates)} models",
                where="--teacher",
                fix="Give one of: " + ", ".join(candidate.model for candidate in match.candidates),
            )
        return match.candidates[0]

    def models(self) -> dict[str, ModelId]:
        """What every logged id of the store means."""
        return {logged: self.model_names.resolve(logged) for logged in sorted(self.model_ids)}

    # --- questions --------------------------------------------------------------------------------------

    def conditions(self, selection: Selection) -> list[Condition]:
        """What a record has to meet."""
        model_ids = None
        if selection.teacher is not None:
            match = self.match_teacher(selection.teacher)
            model_ids = [known.logged for candidate in match.candidates for known in candidate.logged]
        return compile_selection(
            selection, self.promoted(selection) if _asks_metadata(selection) else (), model_ids
        )

    def relation(self, selection: Selection, *, with_model: bool = False) -> str:
        """SQL for all rows of the files that a selection's time span needs.

        `date` is there, and `model` (what `model_id` means, NULL where nobody knows) on request and wherever
        the user's own expression might name it.
        """
        files = self._files(selection)
        scan = scan_files(self.storage, files) if files else empty_scan()
        if not with_model and selection.where is None:
            return f"(SELECT timestamp::DATE AS date, * FROM {scan})"
        self._put_models()
        return (
            f"(SELECT timestamp::DATE AS date, logs.*, models.model FROM {scan} AS logs "
            "LEFT JOIN models USING (model_id))"
        )

    def _put_models(self) -> None:
        """The table `models`: what each logged id means, resolved now."""
        connection = self.connection
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS models (model_id VARCHAR, model VARCHAR)")
        if connection.execute("SELECT count(*) FROM models").fetchone() == (0,):
            rows = [[logged, known.model] for logged, known in self.models().items()]
            if rows:
                connection.executemany("INSERT INTO models VALUES (?, ?)", rows)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection; instants are UTC."""
        if self._connection is None:
            self._connection = connect()
        return self._connection

    def query(self, select: Sql, selection: Selection) -> duckdb.DuckDBPyConnection:
        """Run a query whose WHERE may hold the user's own expression. Raises UsageError for a wrong one."""
        import duckdb

        if selection.where is not None:
            self._prepare_where(selection.where)
        try:
            return self.connection.execute(select.text, list(select.params))
        except (duckdb.IOException, duckdb.HTTPException) as error:
            raise StorageError(
                f"cannot read the store: {_first_line(error)}",
                where=self.storage.uri,
                fix="A file of the store is missing or damaged; look at: logminer store info",
            ) from error
        except duckdb.Error as error:
            if selection.where is None:
                raise
            raise _bad_where(selection.where, error) from error

    def _prepare_where(self, where: str) -> None:
        """Check that it is one expression, and shut the connection off from everything but the store."""
        import duckdb

        try:
            duckdb.SQLExpression(where)
        except duckdb.Error as error:
            raise _bad_where(where, error) from error
        connection = self.connection
        if connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,):
            return
        paths = ", ".join(
            quote_literal(self.storage.path(f"invocations/{file.name}")) for file in self.snapshot.files
        )
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _asks_metadata(selection: Selection) -> bool:
    return selection.filter is not None or bool(selection.has_keys)


def _may_hold(file: DataFile, since: datetime | None, until: datetime | None) -> bool:
    if since is not None and file.date < since.date():
        return False
    return until is None or file.date <= (until - timedelta(microseconds=1)).date()


def _bad_where(where: str, error: Exception) -> UsageError:
    return UsageError(
        f"is not an expression that DuckDB takes: {_first_line(error)}",
        where=f"--where {printable(where)}",
        fix="Write one boolean expression over the store's columns, such as: output_tokens > 50",
    )


def _first_line(error: Exception) -> str:
    return printable(str(error).splitlines()[0]) if str(error) else type(error).__name__


def printable(text: str) -> str:
    """`text` fit for a terminal: control characters are escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
