"""The stages joined into the few calls that scripts and the command line share.

Each call takes a store (a path) and, where it asks a question, the options of a selection by the names of the
flags: `filter="project=CustomerService"`, `since="7d"`, `teacher="meta.llama3-1-405b"`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.filters import Filter, parse_bedrock, parse_filter
from logminer.query.count import Count, count_records
from logminer.query.explain import Story, explain_request
from logminer.query.keys import Census, read_census
from logminer.query.rows import JSON_COLUMNS, Records, select_records
from logminer.query.selection import Selection
from logminer.query.stats import Stats, read_stats
from logminer.query.view import StoreView
from logminer.schema import PARSER_VERSION
from logminer.store.duck import connect, usable_cores
from logminer.store.quarantine import quarantine_files
from logminer.store.storage import Storage, open_storage
from logminer.store.table import Commit, open_table
from logminer.timespan import parse_instant

if TYPE_CHECKING:
    from typing import Unpack

    from logminer.export.exporting import ExportReport
    from logminer.ingest.driver import IngestReport, Progress
    from logminer.sources import LogObject
    from logminer.store.table import Snapshot
    from logminer.validation import Report


class SelectionOptions(TypedDict, total=False):
    """The options of a selection, by the names of the flags."""

    teacher: str | None
    filter: str | Filter | None
    filter_json: str | None
    has_key: Sequence[str]
    since: str | datetime | None
    until: str | datetime | None
    region: Sequence[str]
    account: Sequence[str]
    operation: Sequence[str]
    identity: str | None
    min_input_tokens: int | None
    max_input_tokens: int | None
    min_output_tokens: int | None
    max_output_tokens: int | None
    exclude_detail: Sequence[str]
    status: str | Sequence[str] | None
    where: str | None
    version: int | None


def make_selection(default_status: str = "pair", **options: Unpack[SelectionOptions]) -> Selection:
    """A selection from options. `status` is `all`, or statuses, or several joined with commas."""
    return Selection(
        teacher=options.get("teacher"),
        filter=_filter(options.get("filter"), options.get("filter_json")),
        has_keys=tuple(options.get("has_key") or ()),
        since=_instant(options.get("since"), "--since"),
        until=_instant(options.get("until"), "--until"),
        regions=tuple(options.get("region") or ()),
        accounts=tuple(options.get("account") or ()),
        operations=tuple(options.get("operation") or ()),
        identity=options.get("identity"),
        min_input_tokens=options.get("min_input_tokens"),
        max_input_tokens=options.get("max_input_tokens"),
        min_output_tokens=options.get("min_output_tokens"),
        max_output_tokens=options.get("max_output_tokens"),
        exclude_details=tuple(options.get("exclude_detail") or ()),
        statuses=_statuses(options.get("status") or default_status),
        where=options.get("where"),
        version=options.get("version"),
    )


def _filter(expression: str | Filter | None, json_path: str | None) -> Filter | None:
    if expression is not None and json_path is not None:
        raise UsageError("give one of the two", where="--filter and --filter-json")
    if json_path is not None:
        return parse_bedrock(_read_text(json_path, "--filter-json"))
    return parse_filter(expression) if isinstance(expression, str) else expression


def _read_text(path: str, option: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read: {error}", where=f"{option} {path}", fix="Check the path.") from error


def _instant(value: str | datetime | None, option: str) -> datetime | None:
    return parse_instant(value, option=option) if isinstance(value, str) else value


def _statuses(value: str | Sequence[str]) -> tuple[str, ...] | None:
    words = (
        value.split(",") if isinstance(value, str) else [word for part in value for word in part.split(",")]
    )
    words = [word.strip() for word in words if word.strip()]
    return None if "all" in words else tuple(dict.fromkeys(words))


@contextmanager
def open_view(store: str, aliases: Mapping[str, str] | None, version: int | None) -> Iterator[StoreView]:
    """A store opened for questions, and closed afterwards."""
    with StoreView(open_storage(store), aliases=aliases, version=version) as view:
        yield view


# --- ingest -------------------------------------------------------------------------------------------------


def ingest(
    *sources: str,
    store: str = DEFAULT_STORE,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    workers: int | None = None,
    reread_changed: bool = False,
    reparse: bool = False,
    status: str | Sequence[str] | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> IngestReport:
    """Read invocation logs into a store: everything that is not there yet, each log record exactly once.

    `sources` are folders, files, globs, or `-` for standard input. `reread_changed` replaces the rows of log
    objects whose content changed; `reparse` those of objects with rows (of the given `status`) that an older
    parser wrote. Once `stop` is set, what is under way is committed and the report says `interrupted`.
    Raises UsageError, ConfigurationError or StorageError.
    """
    from logminer.ingest.driver import ingest_objects
    from logminer.sources import list_source, spool_stdin

    if not sources:
        raise UsageError("say what to read", where="SOURCE", fix="logminer ingest FOLDER")
    storage = open_storage(store)
    span = _instant(since, "--since"), _instant(until, "--until")
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        objects: dict[str, LogObject] = {}
        passed_over = 0
        for source in sources:
            if source == "-":
                log = spool_stdin(sys.stdin.buffer, spool)
                objects[log.uri] = log
                continue
            listing = list_source(source, since=span[0], until=span[1])
            _refuse_store_in_source(storage, source)
            passed_over += listing.other_files
            objects.update((each.uri, each) for each in listing.objects)
        return ingest_objects(
            storage,
            [objects[uri] for uri in sorted(objects)],
            workers=workers or usable_cores(),
            reread=_rereader(storage, objects, reread_changed, reparse, status),
            progress=progress,
            stop=stop,
            passed_over=passed_over,
        )


def _refuse_store_in_source(storage: Storage, source: str) -> None:
    folder = Path(source.removeprefix("file://")).resolve()
    if folder.is_dir() and Path(storage.uri).is_relative_to(folder / "AWSLogs"):
        raise UsageError(
            "the store lies among the logs it is made from", where=storage.uri, fix="Choose another --store."
        )


def _rereader(
    storage: Storage,
    objects: Mapping[str, LogObject],
    reread_changed: bool,
    reparse: bool,
    status: str | Sequence[str] | None,
) -> Callable[[Snapshot, dict[str, tuple[str, int]]], Collection[str]] | None:
    """What names the stored objects that are to be read again."""
    if not reread_changed and not reparse:
        return None

    def choose(snapshot: Snapshot, known: dict[str, tuple[str, int]]) -> Collection[str]:
        from logminer.ingest.commit import objects_of_older_parsers

        chosen: set[str] = set()
        if reread_changed:
            chosen |= {uri for uri, log in objects.items() if known.get(uri, (log.etag, 0))[0] != log.etag}
        if reparse:
            statuses = _statuses(status) if status else None
            chosen |= objects_of_older_parsers(storage, snapshot, PARSER_VERSION, statuses) & objects.keys()
        return chosen

    return choose


# --- questions ----------------------------------------------------------------------------------------------


def select(
    store: str = DEFAULT_STORE,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Iterator[dict[str, Any]]:
    """The selected records, one dict each: column names to plain values, JSON columns parsed.

    They come in (timestamp, request_id, source_uri, source_position) order and are read as you go.
    """
    selection = make_selection(**options)
    with open_view(store, aliases, selection.version) as view:
        records = select_records(view, selection, columns, limit)
        for row in records.rows:
            yield plain_record(records.columns, row)


def plain_record(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """A record with its JSON columns parsed."""
    return {
        name: json.loads(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in zip(columns, row, strict=True)
    }


@contextmanager
def open_records(
    store: str,
    selection: Selection,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Iterator[Records]:
    """The selected records as they are read, for writers that need no parsed JSON."""
    with open_view(store, aliases, selection.version) as view:
        yield select_records(view, selection, columns, limit)


def count(
    store: str = DEFAULT_STORE,
    *,
    by: str | None = None,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Count:
    """How many records a selection has; `by` a column or a metadata key."""
    selection = make_selection(**options)
    with open_view(store, aliases, selection.version) as view:
        return count_records(view, selection, by)


def stats(
    store: str = DEFAULT_STORE,
    *,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Stats:
    """Readiness for distillation, per model."""
    selection = make_selection("all", **options)
    with open_view(store, aliases, selection.version) as view:
        return read_stats(view, selection)


def keys(
    store: str = DEFAULT_STORE,
    *,
    top: int = 5,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Census:
    """Which metadata keys there are, with their commonest values."""
    selection = make_selection("all", **options)
    with open_view(store, aliases, selection.version) as view:
        return read_census(view, selection, top)


def explain(
    request_id: str,
    store: str = DEFAULT_STORE,
    *,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Story:
    """Everything that the store knows of one request."""
    selection = make_selection(**options)
    with open_view(store, aliases, selection.version) as view:
        return explain_request(view, request_id, selection)


def export(
    path: str,
    store: str = DEFAULT_STORE,
    *,
    to: str = "bedrock-conversation",
    prompts_only: bool = False,
    max_lines: int | None = None,
    allow_few: bool = False,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> ExportReport:
    """Write the selected pairs of one teacher, each once, as a training file; whole or not at all."""
    from logminer.export import export_format
    from logminer.export.exporting import ExportPlan, export_pairs

    if options.get("status") is not None:
        raise UsageError(
            "an export has pairs alone", where="--status", fix="Leave it out, or use --prompts-only."
        )
    selection = make_selection(**options)
    plan = ExportPlan(selection, export_format(to), path, prompts_only, max_lines, allow_few)
    with open_view(store, aliases, selection.version) as view:
        return export_pairs(view, plan)


def validate(
    path: str, *, profile: str = "distillation", teacher: str | None = None, allow_few: bool = False
) -> Report:
    """Check a dataset file against a profile's rules, all of them."""
    from logminer.validation import resolve_profile, validate_file

    return validate_file(path, resolve_profile(profile, teacher=teacher), allow_few=allow_few)


# --- the store ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoreInfo:
    """A store at a glance. `first_date` and `last_date` are UTC; sizes are bytes."""

    uri: str
    version: int
    rows: int
    files: int
    size_bytes: int
    dates: int
    first_date: str | None
    last_date: str | None
    metadata_fields: int
    models: int
    quarantined: int
    exports: int


def store_info(store: str = DEFAULT_STORE) -> StoreInfo:
    """What a store holds."""
    from logminer.store.registry import read_exports, read_model_ids

    storage = open_storage(store)
    snapshot = open_table(storage).snapshot()
    dates = sorted({file.date.isoformat() for file in snapshot.files})
    return StoreInfo(
        uri=storage.uri,
        version=snapshot.version,
        rows=snapshot.rows,
        files=len(snapshot.files),
        size_bytes=sum(file.size_bytes for file in snapshot.files),
        dates=len(dates),
        first_date=dates[0] if dates else None,
        last_date=dates[-1] if dates else None,
        metadata_fields=len(snapshot.metadata_fields) - 1,  # one is there for the empty key alone
        models=len(read_model_ids(storage)),
        quarantined=len(quarantine(store)),
        exports=len(read_exports(storage)),
    )


def store_history(store: str = DEFAULT_STORE) -> list[Commit]:
    """All versions of a store, newest first."""
    return open_table(open_storage(store)).history()


@dataclass(frozen=True)
class QuarantinedEntry:
    """One value that could not be read as a log record. `raw` is its first bytes."""

    source_uri: str
    source_position: int
    reason: str
    raw: bytes
    ingest_id: str


def quarantine(store: str = DEFAULT_STORE, *, reason: str | None = None) -> list[QuarantinedEntry]:
    """What could not be read, each value once, in the order of source and position."""
    storage = open_storage(store)
    open_table(storage)
    files = quarantine_files(storage)
    if not files:
        return []
    rows = connect().execute(
        "SELECT source_uri, source_position, any_value(reason), any_value(raw), min(ingest_id) "
        "FROM read_parquet(?) WHERE ? IS NULL OR reason = ? GROUP BY ALL ORDER BY ALL",
        [files, reason, reason],
    )
    return [QuarantinedEntry(*row) for row in rows.fetchall()]
