"""A store opened for questions: one version of the table, a DuckDB connection over it, and its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import TracebackType

from logminer.filters import Sql
from logminer.models import ModelId, ModelNames, TeacherMatch, match_teacher
from logminer.query.connection import Answer, StoreConnection
from logminer.query.selection import Condition, Selection, compile_selection
from logminer.query.versions import check_version
from logminer.query.where import check_where, where_error
from logminer.s3.uris import is_s3
from logminer.store.duck import quote_name, scan_files
from logminer.store.registry import read_model_ids
from logminer.store.storage import Storage
from logminer.store.table import DataFile, Snapshot, open_table
from logminer.teachers import turn_rule

# Ties cannot be: source and position identify a record for ever.
ROW_ORDER = "timestamp, request_id NULLS LAST, source_uri, source_position"
# DuckDB hands an instant with a zone to Python only through pytz, so it goes without and gets it back.
UTC_TIMESTAMP = "(timestamp AT TIME ZONE 'UTC')"


def as_utc(value: datetime) -> datetime:
    """An instant that was read without its zone."""
    return value.replace(tzinfo=UTC)


class StoreView:
    """One version of a store, open for questions, one at a time. Use it as a context manager, or close it.

    Raises UsageError where there is no store, or where the files of `version` are gone.
    """

    def __init__(
        self, storage: Storage, *, aliases: Mapping[str, str] | None = None, version: int | None = None
    ) -> None:
        self.storage = storage
        table = open_table(storage, version)
        if version is not None:
            check_version(storage, table)
        self.snapshot: Snapshot = table.snapshot()
        self.model_names = ModelNames(aliases or {})
        self._connection: StoreConnection | None = None
        self._model_ids: set[str] | None = None
        self._models_put = False
        self._promoted: dict[tuple[DataFile, ...], tuple[str, ...]] = {}
        self._has_rest: dict[tuple[DataFile, ...], bool] = {}
        self._checked: set[str] = set()

    def __enter__(self) -> StoreView:
        """The view itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; a later question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._models_put = False

    @property
    def version(self) -> int:
        """The version that is looked at."""
        return self.snapshot.version

    # --- models -----------------------------------------------------------------------------------------

    @property
    def model_ids(self) -> set[str]:
        """Model ids as logged that may occur."""
        if self._model_ids is None:
            self._model_ids = read_model_ids(self.storage)
        return self._model_ids

    def resolve(self, model_id: str) -> ModelId:
        """What a logged id means now."""
        return self.model_names.resolve(model_id)

    def match_teacher(self, teacher: str) -> TeacherMatch:
        """The models of this store that `teacher` means."""
        return match_teacher(teacher, self.model_ids, self.model_names)

    def usable_turns(self) -> Sql:
        """The condition that a conversation has the turns that its own model takes as a teacher.

        For relations with `model`. A model that nobody knows gets the stricter rule: one user turn.
        """
        known = {self.resolve(logged).model for logged in self.model_ids}
        several = sorted(model for model in known if model is not None and turn_rule(model) == "multi")
        if not several:
            return Sql("coalesce(turns = 1, false)")
        places = ", ".join("?" for _ in several)
        return Sql(f"(coalesce(turns = 1, false) OR coalesce(model IN ({places}), false))", tuple(several))

    # --- questions --------------------------------------------------------------------------------------

    def days(self, selection: Selection) -> list[date]:
        """The UTC dates that a selection touches, oldest first."""
        return sorted({file.date for file in self._files(selection)})

    def promoted(self, selection: Selection) -> tuple[str, ...]:
        """The encoded metadata fields that the files of a selection have; naming another is an error."""
        files = self._files(selection)
        if files not in self._promoted:
            (kind,) = self.connection.types(f"SELECT request_metadata FROM {scan_files(self.storage, files)}")
            self._promoted[files] = tuple(name for name, _ in kind.children)
        return self._promoted[files]

    def has_rest(self, selection: Selection) -> bool:
        """Whether any record in the files of a selection has metadata keys beside the promoted ones."""
        files = self._files(selection)
        if files not in self._has_rest:
            text = f"SELECT count(request_metadata_rest) FROM {scan_files(self.storage, files)}"
            (count,) = self.connection.ask(text).one()
            self._has_rest[files] = count > 0
        return self._has_rest[files]

    def may_have_rest(self, selection: Selection) -> bool:
        """The same; but on S3, where looking takes a request for each file, what nobody looked for is taken to be there."""
        if is_s3(self.storage.uri):
            return self._has_rest.get(self._files(selection), True)
        return self.has_rest(selection)

    def conditions(self, selection: Selection, files_of: Selection | None = None) -> list[Condition]:
        """What a record has to meet. Raises UsageError.

        They are for `relation` of the same selection, or of `files_of`: files differ in their metadata fields.
        """
        model_ids = None
        if selection.teacher is not None:
            match = self.match_teacher(selection.teacher)
            model_ids = [known.logged for candidate in match.candidates for known in candidate.logged]
        if selection.where is not None:
            self._check_where(selection, selection.where)
        asks_metadata = selection.filter is not None or bool(selection.has_keys)
        promoted = self.promoted(files_of or selection) if asks_metadata else ()
        has_rest = asks_metadata and self.may_have_rest(files_of or selection)
        return compile_selection(selection, promoted, model_ids, has_rest=has_rest)

    def relation(self, selection: Selection, *, with_model: bool = False) -> str:
        """SQL for all rows of the files that a selection's time span needs, with the columns of the store.

        `model` (what `model_id` means, NULL where nobody knows) is there on request, and wherever the user's own
        expression might name it.
        """
        scan = scan_files(self.storage, self._files(selection))
        if selection.where is not None:
            scan = self._with_all_fields(scan)
        if not with_model and selection.where is None:
            return f"(SELECT timestamp::DATE AS date, * FROM {scan})"
        self._put_models()
        return (
            "(SELECT logs.timestamp::DATE AS date, logs.*, models.model "
            f"FROM {scan} AS logs LEFT JOIN models USING (model_id))"
        )

    def query(self, text: str, params: Iterable[str], selection: Selection) -> Answer:
        """The answer to a query that the selection's conditions are part of.

        Raises StorageError where a file is gone or damaged, UsageError where `--where` fails for a record.
        """
        return self.connection.ask(text, tuple(params), where=selection.where)

    @property
    def connection(self) -> StoreConnection:
        """The connection; instants are UTC."""
        if self._connection is None:
            paths = [
                self.storage.path(f"invocations/{file.name}", file.size_bytes) for file in self.snapshot.files
            ]
            self._connection = StoreConnection(self.storage, paths)
        return self._connection

    def _files(self, selection: Selection) -> tuple[DataFile, ...]:
        return tuple(file for file in self.snapshot.files if selection.may_hold(file.date))

    def _with_all_fields(self, scan: str) -> str:
        """`scan` with every metadata field that the store has, so that an expression may name any.

        Which files are looked at, and so which fields there are, depends on the time span.
        """
        fields = ", ".join(f"{quote_name(name)} VARCHAR" for name in self.snapshot.metadata_fields)
        return f"(SELECT * REPLACE (request_metadata::STRUCT({fields}) AS request_metadata) FROM {scan})"

    def _put_models(self) -> None:
        """Make the table `models`: what each logged id means, resolved now."""
        if self._models_put:
            return
        logged = sorted(self.model_ids)
        models = [self.resolve(model_id).model for model_id in logged]
        self.connection.ask(
            "CREATE TEMP TABLE models AS SELECT unnest(?::VARCHAR[]) AS model_id, unnest(?::VARCHAR[]) AS model",
            [logged, models],
        )
        self._models_put = True

    def _check_where(self, selection: Selection, where: str) -> None:
        """Refuse an expression that is none, that is not about one record, or that gives no truth value."""
        import duckdb

        if where in self._checked:
            return
        check_where(self.connection, where)
        text = f"SELECT (\n{where}\n) FROM {self.relation(selection)} WHERE (\n{where}\n) LIMIT 0"
        try:
            (kind,) = self.connection.types(text)
        except duckdb.Error as error:
            raise where_error(where, str(error).partition("\n")[0]) from error
        if str(kind) != "BOOLEAN":
            raise where_error(where, f"gives {kind}, not true or false")
        self._checked.add(where)
