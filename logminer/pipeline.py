"""The stages joined into the few calls that scripts and the command line share.

Each call takes a store (a path) and, where it asks a question, the options of a selection by the names of the
flags: `filter="project=CustomerService"`, `since="7d"`, `teacher="meta.llama3-1-405b"`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.filters import Filter, parse_bedrock, parse_filter, read_bedrock
from logminer.query.count import Count, count_records
from logminer.query.explain import Story, explain_request
from logminer.query.keys import Census, read_census
from logminer.query.rows import JSON_COLUMNS, check_columns, select_records
from logminer.query.selection import Selection
from logminer.query.stats import Stats, read_stats
from logminer.query.view import StoreView
from logminer.s3.uris import is_s3
from logminer.store.duck import usable_cores
from logminer.store.quarantine import QUARANTINE_REASONS, read_quarantine
from logminer.store.storage import Storage, open_storage
from logminer.store.table import Commit, open_table
from logminer.timespan import parse_instant

if TYPE_CHECKING:
    from typing import Unpack

    from logminer.exports.exporting import ExportReport
    from logminer.ingestion.driver import IngestReport, Progress
    from logminer.sources import LogObject, SourceRule
    from logminer.validation import Report


class SelectionOptions(TypedDict, total=False):
    """The options of a selection, by the names of the flags."""

    teacher: str | None
    filter: str | Filter | None
    filter_json: str | Mapping[str, Any] | None
    has_key: str | Sequence[str] | None
    since: str | datetime | None
    until: str | datetime | None
    region: str | Sequence[str] | None
    account: str | Sequence[str] | None
    operation: str | Sequence[str] | None
    identity: str | None
    min_input_tokens: int | None
    max_input_tokens: int | None
    min_output_tokens: int | None
    max_output_tokens: int | None
    exclude_detail: str | Sequence[str] | None
    status: str | Sequence[str] | None
    where: str | None
    version: int | None


def make_selection(default_status: str = "pair", **options: Unpack[SelectionOptions]) -> Selection:
    """A selection from options; None is as good as leaving one out. Raises UsageError, FilterError.

    `filter` is an expression or what `parse_filter` made of one, `filter_json` the path of Bedrock's form of it
    (`-` is standard input) or that form itself. `since` and `until` are instants, dates or ages (`7d`) as text, or
    datetimes, which are UTC without a zone. `status` is `all`, or one or more statuses. Where a flag repeats, one
    text or several are taken.
    """
    unknown = options.keys() - SelectionOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    return Selection(
        teacher=options.get("teacher"),
        filter=_filter(options.get("filter"), options.get("filter_json")),
        has_keys=_texts(options.get("has_key")),
        since=_instant(options.get("since"), "--since"),
        until=_instant(options.get("until"), "--until"),
        regions=_texts(options.get("region")),
        accounts=_texts(options.get("account")),
        operations=_texts(options.get("operation")),
        identity=options.get("identity"),
        min_input_tokens=options.get("min_input_tokens"),
        max_input_tokens=options.get("max_input_tokens"),
        min_output_tokens=options.get("min_output_tokens"),
        max_output_tokens=options.get("max_output_tokens"),
        exclude_details=_texts(options.get("exclude_detail")),
        statuses=_statuses(options.get("status") or default_status),
        where=options.get("where"),
        version=options.get("version"),
    )


def _filter(expression: str | Filter | None, form: str | Mapping[str, Any] | None) -> Filter | None:
    if expression is not None and form is not None:
        raise UsageError("give one of the two", where="--filter and --filter-json")
    if isinstance(form, str):
        return parse_bedrock(_read_text(form, "--filter-json"))
    if form is not None:
        return read_bedrock(form)
    return parse_filter(expression) if isinstance(expression, str) else expression


def _read_text(path: str, option: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:  # ValueError: bytes that are not UTF-8, a path with a NUL
        raise UsageError(f"cannot read: {error}", where=f"{option} {path}", fix="Check the path.") from error


def _instant(value: str | datetime | None, option: str) -> datetime | None:
    return parse_instant(value, option=option) if isinstance(value, str) else value


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value or ()))


def _statuses(value: str | Sequence[str]) -> tuple[str, ...] | None:
    """The statuses meant, several joined with commas or not; None for all of them."""
    words = [word.strip() for text in _texts(value) for word in text.split(",")]
    return None if "all" in words else tuple(dict.fromkeys(word for word in words if word))


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
    rules: Sequence[SourceRule] = (),
) -> IngestReport:
    """Read invocation logs into a store: everything that is not there yet, each log record exactly once.

    `sources` are folders, files, globs, `s3://bucket/prefix`, or `-` for standard input; `rules` say how S3 is
    reached where the AWS chain alone does not. `reread_changed` replaces the rows of log
    objects whose content changed; `reparse` those of objects with rows (of the given `status`) that an older
    parser wrote. Once `stop` is set, what is under way is committed and the report says `interrupted`.
    Raises UsageError, ConfigurationError or StorageError.
    """
    from logminer.ingestion.driver import Reread, ingest_objects
    from logminer.sources import SourceReader, list_source, spool_stdin

    if not sources:
        raise UsageError(
            "say what to read",
            where="SOURCE",
            fix="logminer ingest FOLDER, or [[sources]] with a uri in logminer.toml",
        )
    storage = open_storage(store)
    span = _instant(since, "--since"), _instant(until, "--until")
    reader = SourceReader(rules)
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        objects: list[LogObject] = []
        passed_over = 0
        for source in sources:
            if source == "-":
                objects.append(spool_stdin(sys.stdin.buffer, spool))
                continue
            listing = list_source(source, since=span[0], until=span[1], reader=reader)
            _refuse_store_in_source(storage, source)
            logs = _without_store(storage, source, listing.objects)
            passed_over += listing.other_files + len(listing.objects) - len(logs)
            objects += logs
        return ingest_objects(
            storage,
            objects,
            workers=workers or usable_cores(),
            reread=Reread(reread_changed, reparse, _statuses(status) if status else None),
            progress=progress,
            stop=stop,
            passed_over=passed_over,
            rules=rules,
        )


def _without_store(storage: Storage, source: str, objects: list[LogObject]) -> list[LogObject]:
    """The objects of a source that are no files of the store, which can lie in the folder whose logs it holds."""
    from logminer.sources import file_uri

    folder = Path(source.removeprefix("file://")).resolve()
    if folder.is_dir() and not Path(storage.uri).is_relative_to(folder):
        return objects
    own = file_uri(f"{storage.uri}/")
    return [log for log in objects if not log.uri.startswith(own)]


def _refuse_store_in_source(storage: Storage, source: str) -> None:
    if is_s3(source) and f"{storage.uri}/".startswith(source.rstrip("/") + "/"):
        raise UsageError(
            "the store lies below its own source", where=storage.uri, fix="Choose another --store."
        )
    folder = Path(source.removeprefix("file://")).resolve()
    if folder.is_dir() and Path(storage.uri).is_relative_to(folder / "AWSLogs"):
        raise UsageError(
            "the store lies among the logs it is made from", where=storage.uri, fix="Choose another --store."
        )


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

    They come in (timestamp, request_id, source_uri, source_position) order and are read as you go; the store is
    open from the first record to the last, or until the iterator is closed.
    """
    selection = make_selection(**options)
    return _select(store, selection, check_columns(columns), limit, aliases)


def _select(
    store: str,
    selection: Selection,
    columns: Sequence[str],
    limit: int | None,
    aliases: Mapping[str, str] | None,
) -> Iterator[dict[str, Any]]:
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


def count(
    store: str = DEFAULT_STORE,
    *,
    by: str | None = None,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[SelectionOptions],
) -> Count:
    """How many records a selection has; `by` a column, or a metadata key."""
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
    from logminer.exports import export_format
    from logminer.exports.exporting import ExportPlan, export_pairs

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
        quarantined=len(read_quarantine(storage, snapshot.files)),
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
    """What could not be read (for one reason), each value once, in the order of source and position."""
    if reason is not None and reason not in QUARANTINE_REASONS:
        known = ", ".join(QUARANTINE_REASONS)
        raise UsageError(f"{reason!r} is not known", where="--reason", fix=f"Known are: {known}.")
    storage = open_storage(store)
    rows = read_quarantine(storage, open_table(storage).snapshot().files, reason)
    return [QuarantinedEntry(*row) for row in rows]
