"""What is to be forgotten, and the rows that this means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from logminer.errors import UsageError
from logminer.filters import Comparison, Filter, Operator, Sql, compile_duckdb
from logminer.maintenance.engine import working_connection
from logminer.store.duck import metadata_fields_in, scan_files
from logminer.store.forgotten import Entry, RowsByFile, rows_by_file
from logminer.store.storage import Storage
from logminer.store.table import DataFile


@dataclass(frozen=True)
class Criteria:
    """What names a record to forget: any one of these. Identities may have `*` and `?` as wildcards."""

    request_ids: frozenset[str] = frozenset()
    identities: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        given = [*self.request_ids, *self.identities, *(key for key, _ in self.metadata)]
        if not given:
            raise UsageError(
                "say what to forget", where="store forget", fix="Give --request-id, --identity or --metadata."
            )
        if not all([*self.request_ids, *self.identities]):
            raise UsageError("is empty", where="--request-id or --identity", fix="Give a value.")
        if any(not each.strip("*?") for each in self.identities):
            raise UsageError("would forget every record", where="--identity", fix="Name the caller.")

    def mentioned_in(self) -> Callable[[bytes], bool]:
        """Whether bytes that are no whole record speak of these identities or metadata; rather too often."""
        patterns = [re.compile(_glob_pattern(identity)) for identity in self.identities]
        pairs = [(_spellings(key), _spellings(value)) for key, value in self.metadata]

        def mentioned(raw: bytes) -> bool:
            return any(pattern.search(raw) for pattern in patterns) or any(
                any(key in raw for key in keys) and any(value in raw for value in values)
                for keys, values in pairs
            )

        return mentioned

    def texts(self) -> tuple[str, ...]:
        """The identities and metadata values, which must not stay anywhere."""
        return (*self.identities, *(value for _, value in self.metadata if value))


def _glob_pattern(glob: str) -> bytes:
    """The identity as it can stand in JSON."""
    pieces = re.split(r"([*?])", glob)
    wild = {"*": rb'[^"]*', "?": rb'[^"]'}
    return b"".join(wild.get(piece) or re.escape(piece.encode()) for piece in pieces)


def _spellings(text: str) -> set[bytes]:
    """A string as JSON writes it: with characters, or with escapes for all but ASCII."""
    return {json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"), json.dumps(text).encode()}


@dataclass(frozen=True)
class Found:
    """The rows that criteria mean: `rows` are those that are no tombstones yet.

    `records` counts those; `log_objects` (sorted) and `request_ids` are of all.
    """

    rows: RowsByFile
    entries: frozenset[Entry]
    dates: tuple[date, ...]
    log_objects: tuple[str, ...]
    request_ids: frozenset[str]

    @property
    def records(self) -> int:
        """How many rows are to become tombstones."""
        return sum(len(places) for places in self.rows.values())


NOTHING = Found({}, frozenset(), (), (), frozenset())


def find_rows(storage: Storage, files: Sequence[DataFile], criteria: Criteria) -> Found:
    """The rows that criteria name, and every other delivery of the same requests. Raises StorageError."""
    import pyarrow as pa

    if not files:
        return NOTHING
    scan = scan_files(storage, files, filename=True)
    columns = (
        "filename, source_uri, source_position, request_id, timestamp::DATE AS day, status = 'forgotten'"
    )
    with working_connection(storage) as connection:
        asked = pa.table({"request_id": pa.array(sorted(criteria.request_ids), pa.string())})
        connection.register("asked", asked)
        named = _condition(criteria, metadata_fields_in(connection, scan))
        connection.execute(
            f"CREATE TEMP TABLE named AS SELECT source_uri, source_position, request_id FROM {scan} "
            f"WHERE {named.text}",
            named.params,
        )
        rows = connection.execute(
            f"SELECT {columns} FROM {scan} AS stored WHERE "
            "request_id IN (SELECT request_id FROM named WHERE request_id <> '') OR "
            "EXISTS (SELECT 1 FROM named WHERE named.source_uri = stored.source_uri "
            "AND named.source_position = stored.source_position)"
        ).fetchall()
    return _found(storage, files, rows)


def _found(
    storage: Storage, files: Sequence[DataFile], rows: list[tuple[str, str, int, str | None, date, bool]]
) -> Found:
    live = [(path, uri, position) for path, uri, position, _, _, is_tombstone in rows if not is_tombstone]
    return Found(
        rows=rows_by_file(storage, files, live),
        entries=frozenset((request or None, uri, position) for _, uri, position, request, _, _ in rows),
        dates=tuple(sorted({day for _, _, _, _, day, _ in rows})),
        log_objects=tuple(sorted({uri for _, uri, _, _, _, _ in rows})),
        request_ids=frozenset(request for _, _, _, request, _, _ in rows if request),
    )


def _condition(criteria: Criteria, promoted: Sequence[str]) -> Sql:
    parts = [Sql("request_id IN (SELECT request_id FROM asked)")]
    parts += [Sql("coalesce(identity_arn GLOB ?, false)", (identity,)) for identity in criteria.identities]
    for key, value in criteria.metadata:
        node = Filter(Operator.SINGLE, (Comparison(key, value),))
        parts.append(compile_duckdb(node, promoted))
    text = " OR ".join(f"coalesce({part.text}, false)" for part in parts)
    return Sql(text, tuple(param for part in parts for param in part.params))
