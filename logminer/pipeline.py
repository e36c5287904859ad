"""The stages joined into the few calls that scripts and the command line share.

Each call takes a store (a path) and, where it asks a question, the options of a selection by the names of the
flags: `filter="project=CustomerService"`, `since="7d"`, `teacher="meta.llama3-1-405b"`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypedDict, cast

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.filters import Filter, format_filter, parse_bedrock, parse_filter, read_bedrock
from logminer.models import parse_model_id
from logminer.query.count import Count, count_records
from logminer.query.explain import Story, explain_request
from logminer.query.keys import Census, read_census
from logminer.query.rows import check_columns, select_records
from logminer.query.selection import Selection
from logminer.query.stats import Stats, read_stats
from logminer.query.view import StoreView
from logminer.schema import JSON_COLUMNS
from logminer.store.duck import usable_cores
from logminer.store.quarantine import QUARANTINE_REASONS, read_quarantine
from logminer.store.storage import Storage, open_storage
from logminer.store.table import Commit, open_table
from logminer.timespan import parse_age, parse_instant

if TYPE_CHECKING:
    from datetime import date
    from typing import Unpack

    from logminer.datasets.comparing import DatasetDiff
    from logminer.datasets.explaining import Verdict
    from logminer.datasets.manifest import Manifest
    from logminer.datasets.plan import ExportReport
    from logminer.datasets.verifying import Verification
    from logminer.exports.conversion import ConversionReport
    from logminer.ingestion.choice import Reread
    from logminer.ingestion.driver import IngestReport, Progress
    from logminer.ingestion.gathering import Scope
    from logminer.ingestion.plan import IngestPlan
    from logminer.ingestion.text_scope import TextScope
    from logminer.maintenance.compaction import CompactionReport
    from logminer.maintenance.ddl import Ddl
    from logminer.maintenance.expiry import ExpiryReport
    from logminer.maintenance.forgetting import ForgetReport
    from logminer.maintenance.vacuum import VacuumReport
    from logminer.sources import SourceRule
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


class ExportOptions(SelectionOptions, total=False):
    """The options of a selection, and how a dataset is made of it, by the names of the flags.

    `rules` are curation rules by name with their options, or texts such as `near_duplicates:threshold=0.9`; an
    option `action` is drop, report or off. `held_out` is a share below 1, or a number of lines.
    """

    to: str | None
    prompts_only: bool | None
    max_lines: int | None
    allow_few: bool | None
    curate: bool | None
    rules: Mapping[str, Mapping[str, Any]] | Sequence[str] | None
    history: str | None
    system: str | None
    redact: str | None
    redact_kinds: str | Sequence[str] | None
    redact_model: str | None
    stratify: str | Sequence[str] | None
    diverse: bool | None
    held_out: float | None
    held_out_path: str | None
    held_out_to: str | None
    session: str | None
    gold: str | None
    rejects: str | None


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


class IngestOptions(TypedDict, total=False):
    """What `ingest` and `plan_ingest` both take, by the names of the flags."""

    store: str
    since: str | datetime | None
    until: str | datetime | None
    late_window: str | timedelta | None
    full_scan: bool
    source_base: str | None
    workers: int | None
    reread_changed: bool
    reparse: bool
    retry_bodies: bool
    status: str | Sequence[str] | None
    rules: Sequence[SourceRule]
    text_for: str | Filter | None
    text_teacher: str | None
    aliases: Mapping[str, str] | None


def ingest(
    *sources: str,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    **options: Unpack[IngestOptions],
) -> IngestReport:
    """Read invocation logs into a store: everything that is not there yet, each log record exactly once.

    `sources` are folders, files, globs, `s3://bucket/prefix`, or `-` for standard input; `rules` say how S3 is
    reached where the AWS chain alone does not. `reread_changed` replaces the rows of log
    objects whose content changed; `reparse` those of objects with rows (of the given `status`) that an older
    parser wrote or whose text was not kept; `retry_bodies` those of objects with rows that lack a body which may be
    had by now. Buckets are listed from `late_window` (`3d`) before the last hour that is read; `full_scan`, and
    whatever reads stored objects again, lists them whole. `source_base` is the place that a copied or moved source
    is recorded under. Text is kept of the records alone that `text_for` (a filter) and `text_teacher` (a model, with
    `aliases` for opaque ids) both take. Once `stop` is set, what is under way is committed and the report says `interrupted`.
    Raises UsageError, ConfigurationError or StorageError.
    """
    from logminer.ingestion.driver import IngestReport, ingest_objects
    from logminer.ingestion.gathering import gather
    from logminer.ingestion.log_groups import ingest_log_group
    from logminer.sources import is_log_group

    asked = _read_ingest_options(options)
    groups = [source for source in sources if is_log_group(source)]
    others = [source for source in sources if not is_log_group(source)]
    report = IngestReport("")
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        if others or not groups:
            gathered = gather(asked.storage, others, asked.scope, asked.rules, spool)
            report = ingest_objects(
                asked.storage,
                gathered.objects,
                workers=asked.workers,
                reread=asked.reread,
                progress=progress,
                stop=stop,
                passed_over=gathered.passed_over,
                rules=asked.rules,
                text_scope=asked.text_scope,
            )
            report.begun_at = gathered.begun_at
            if report.is_whole:
                unread = {each.uri for each in report.tally.unreadable}
                gathered.remember(asked.storage, report.table_id, asked.scope, unread)
        for group in groups:
            if not report.is_whole:
                break
            report.add(
                ingest_log_group(
                    asked.storage,
                    group,
                    asked.scope,
                    spool=spool,
                    workers=asked.workers,
                    reread=asked.reread,
                    progress=progress,
                    stop=stop,
                    rules=asked.rules,
                    text_scope=asked.text_scope,
                )
            )
    return report


def plan_ingest(*sources: str, **options: Unpack[IngestOptions]) -> IngestPlan:
    """What `ingest` with these options would read, with its requests, price and time. Nothing is written."""
    from logminer.ingestion.gathering import gather
    from logminer.ingestion.plan import make_plan
    from logminer.sources import is_log_group

    asked = _read_ingest_options(options)
    if groups := [source for source in sources if is_log_group(source)]:
        raise UsageError(
            "a log group is read as it is listed, so a dry run cannot tell what is in it",
            where=groups[0],
            fix="Leave --dry-run out, or give other sources.",
        )
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        gathered = gather(asked.storage, sources, asked.scope, asked.rules, spool)
    return make_plan(asked.storage, gathered, asked.reread, asked.workers)


@dataclass(frozen=True)
class _IngestAsked:
    """The options of an ingest, read."""

    storage: Storage
    scope: Scope
    reread: Reread
    workers: int
    rules: Sequence[SourceRule]
    text_scope: TextScope


def _read_ingest_options(options: IngestOptions) -> _IngestAsked:
    from logminer.ingestion.choice import Reread
    from logminer.ingestion.gathering import LATE_WINDOW, Scope

    unknown = options.keys() - IngestOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    status = options.get("status")
    reread = Reread(
        changed=options.get("reread_changed", False),
        older_parsers=options.get("reparse", False),
        statuses=_statuses(status) if status else None,
        missing_bodies=options.get("retry_bodies", False),
    )
    window = options.get("late_window")
    if isinstance(window, str):
        window = parse_age(window, option="--late-window")
    # What is stored can lie anywhere, so whatever reads it again needs it all.
    if options.get("full_scan") or reread.anything:
        window = None
    elif window is None:
        window = LATE_WINDOW
    scope = Scope(
        _instant(options.get("since"), "--since"),
        _instant(options.get("until"), "--until"),
        window,
        options.get("source_base"),
    )
    storage = open_storage(options.get("store", DEFAULT_STORE))
    workers = options.get("workers") or usable_cores()
    return _IngestAsked(storage, scope, reread, workers, options.get("rules", ()), _text_scope(options))


def _text_scope(options: IngestOptions) -> TextScope:
    from logminer.ingestion.text_scope import TextScope

    kept, teacher = options.get("text_for"), options.get("text_teacher")
    if teacher is not None and not teacher.strip():
        raise UsageError("is empty", where="--text-teacher", fix="Give a model, or leave it out.")
    node = parse_filter(kept) if isinstance(kept, str) else kept
    return TextScope(
        filter=format_filter(node) if node is not None else None,
        teacher=teacher,
        aliases=dict(options.get("aliases") or {}),
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
    path: str | None = None,
    store: str | None = None,
    *,
    recipe: str | None = None,
    save_recipe: str | None = None,
    from_manifest: str | None = None,
    default_store: str = DEFAULT_STORE,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[ExportOptions],
) -> ExportReport:
    """Write the selected pairs of one teacher, each once, as a training file; whole or not at all.

    What is given goes over what the `recipe` (a TOML file) says; `save_recipe` writes the two as one. Without `store`
    and without one in the recipe it is `default_store`. `from_manifest` makes the dataset of a manifest again, byte
    for byte, or raises CheckFailed with nothing written. Beside the file go `PATH.manifest.json` and
    `PATH.pairs.jsonl`.
    """
    from logminer.datasets.building import build_dataset
    from logminer.datasets.recipe import save_recipe as write_recipe
    from logminer.datasets.request import make_request

    request = make_request({**options, "path": path, "store": store}, recipe, from_manifest)
    names = SelectionOptions.__annotations__
    if "status" in request.options:
        raise UsageError(
            "an export has pairs alone", where="--status", fix="Leave it out, or use --prompts-only."
        )
    if "path" not in request.options:
        raise UsageError("missing option '--output' / '-o'", fix="See: logminer export --help")
    selection = make_selection(**cast(SelectionOptions, request.selection_options(names)))
    settings = request.settings(names)
    with ExitStack() as stack:
        with request.needing_its_version():
            place = request.options.get("store", default_store)
            view = stack.enter_context(open_view(place, aliases, selection.version))
        report = build_dataset(view, request.plan(selection, settings, view.storage, save_recipe))
    if save_recipe is not None:
        write_recipe(save_recipe, request.as_recipe(names))
    return report


def check_export_path(path: str, to: str | None = None) -> None:
    """Whether an export in a format can be written to a path. Raises UsageError, ConfigurationError."""
    from logminer.datasets.outputs import check_place
    from logminer.datasets.settings import make_settings

    check_place(make_settings(to=to).format, path)


def explain_export(
    request_id: str,
    store: str | None = None,
    *,
    recipe: str | None = None,
    default_store: str = DEFAULT_STORE,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[ExportOptions],
) -> tuple[Verdict, ...]:
    """What each stage of an export with these options says about one request; nothing is written."""
    from logminer.datasets.explaining import explain_stages
    from logminer.datasets.request import make_request

    request = make_request({**options, "store": store}, recipe)
    names = SelectionOptions.__annotations__
    selection = make_selection(**cast(SelectionOptions, request.selection_options(names)))
    settings = request.settings(names)
    with open_view(request.options.get("store", default_store), aliases, selection.version) as view:
        return explain_stages(view, request.plan(selection, settings, view.storage), request_id)


def dataset_manifest(path: str) -> Manifest:
    """What the dataset at a path is made of. Raises UsageError where it has no manifest."""
    from logminer.datasets.manifest import read_manifest

    return read_manifest(path)


def verify_dataset(path: str) -> Verification:
    """Whether every file and line of a dataset is still as it was written."""
    from logminer.datasets.verifying import verify_dataset as verify

    return verify(path)


def diff_datasets(before: str, after: str) -> DatasetDiff:
    """Which lines of two datasets came, went and changed."""
    from logminer.datasets.comparing import compare_datasets

    return compare_datasets(before, after)


def validate(
    path: str,
    *,
    profile: str = "distillation",
    teacher: str | None = None,
    model: str | None = None,
    held_out: bool = False,
    allow_few: bool = False,
    fix_to: str | None = None,
    aliases: Mapping[str, str] | None = None,
    rules: Sequence[SourceRule] = (),
) -> Report:
    """Check a dataset against a profile's rules, all of them; with `invocation-logs`, log objects.

    `path` is a file, an S3 object or `-` for standard input; of logs a folder, glob or S3 prefix as well. `model`
    is the one to be trained, where a profile has rules for several; `held_out` asks for the bounds of a validation
    set. What can be mended is written to `fix_to`, and the report is about that. Raises UsageError,
    ConfigurationError or StorageError.
    """
    from logminer.validation import INVOCATION_LOGS, Allowance, resolve_profile
    from logminer.validation.running import fix_source, validate_source

    if profile == INVOCATION_LOGS:
        from logminer.validation.logs import validate_logs

        for option, value in (("--model", model), ("--held-out", held_out), ("--fix", fix_to)):
            if value:
                raise UsageError(f"does not go with {INVOCATION_LOGS}", where=option, fix="Leave it out.")
        return validate_logs(path, teacher=teacher, aliases=aliases, rules=rules, allow_few=allow_few)
    chosen = resolve_profile(profile, teacher, model)
    allowance = Allowance(allow_few=allow_few, held_out=held_out)
    if fix_to is not None:
        return fix_source(path, fix_to, chosen, allowance, rules)
    return validate_source(path, chosen, allowance, rules)


def convert(
    source: str,
    output: str | BinaryIO,
    *,
    to: str,
    system: str | None = None,
    teacher: str | None = None,
    skip_bad: bool = False,
) -> ConversionReport:
    """Turn an existing training file into another format; whole or not at all, but for an open stream.

    `source` is a path, an S3 address, or `-` for standard input. `system` is for lines that have no system prompt,
    `teacher` names the model that answered. Raises CheckFailed for a line that cannot be converted, unless
    `skip_bad` leaves it out and counts it.
    """
    from logminer.exports import export_format
    from logminer.exports.conversion import ConversionPlan, check_destination, convert_lines
    from logminer.exports.line_input import open_input

    plan = ConversionPlan(export_format(to), system, _named_model(teacher), skip_bad)
    destination = check_destination(plan, source, output)
    with open_input(source, sys.stdin.buffer) as stream:
        return convert_lines(stream, "stdin" if source == "-" else source, plan, destination)


def _named_model(teacher: str | None) -> str | None:
    if teacher is None:
        return None
    model = parse_model_id(teacher).model
    if model is None:
        raise UsageError(
            "names no model", where=f"--teacher {teacher}", fix="Give the id of a foundation model."
        )
    return model


# --- the store ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoreInfo:
    """A store at a glance. Dates are UTC; sizes are bytes. Before `kept_since` it takes no records (None: all)."""

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
    kept_since: str | None = None


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
        kept_since=snapshot.kept_since.isoformat() if snapshot.kept_since else None,
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


# --- upkeep -------------------------------------------------------------------------------------------------

_LONGEST_AGE = timedelta(days=100 * 365)


def compact(
    store: str = DEFAULT_STORE,
    *,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    target_mb: int = 128,
    everything: bool = False,
    progress: Callable[[date, int, int], None] | None = None,
) -> CompactionReport:
    """Write the files of each day together where they are many, small or not sorted; safe beside everything else.

    With `everything`, files that are large and sorted already are written anew too. `progress` is told the day,
    its place and the number of days. Raises StorageError; days that are done stay.
    """
    from logminer.maintenance.compaction import CompactionPlan
    from logminer.maintenance.compaction import compact as compact_store

    if target_mb < 1:
        raise UsageError(f"cannot be {target_mb}", where="--target-mb", fix="Give a whole number, 1 or more.")
    selection = make_selection("all", since=since, until=until)
    return compact_store(
        open_storage(store), CompactionPlan(selection, target_mb << 20, everything), progress
    )


def vacuum(
    store: str = DEFAULT_STORE,
    *,
    older_than: str | timedelta = "7d",
    orphans_older_than: str | timedelta = "24h",
    dry_run: bool = False,
) -> VacuumReport:
    """Delete files that only versions need which were replaced longer ago, and what killed runs left behind."""
    from logminer.maintenance.vacuum import vacuum as vacuum_store

    return vacuum_store(
        open_storage(store),
        _age(older_than, "--older-than"),
        orphans_older_than=_age(orphans_older_than, "--orphans-older-than"),
        dry_run=dry_run,
    )


def forget(
    store: str = DEFAULT_STORE,
    *,
    request_ids: str | Sequence[str] | None = None,
    identities: str | Sequence[str] | None = None,
    metadata: Sequence[tuple[str, str]] = (),
    dry_run: bool = False,
) -> ForgetReport:
    """Forget every record that any of these names, with all deliveries of its request, for ever.

    `identities` may have `*` and `?` as wildcards; `metadata` are pairs of key and value. Older versions that
    held the records can be read no more. Later ingests do not bring them back. Running again goes on.
    """
    from logminer.maintenance.criteria import Criteria
    from logminer.maintenance.forgetting import forget as forget_records

    criteria = Criteria(frozenset(_texts(request_ids)), _texts(identities), tuple(metadata))
    return forget_records(open_storage(store), criteria, dry_run=dry_run)


def expire(store: str = DEFAULT_STORE, *, older_than: str | timedelta, dry_run: bool = False) -> ExpiryReport:
    """Let the records of UTC dates that are longer ago go, for ever: later ingests count and drop such records."""
    from logminer.maintenance.expiry import expire as expire_records

    age = _age(older_than, "--older-than")
    if age < timedelta(days=1):
        raise UsageError("would leave no whole day", where="--older-than", fix="Give 1d or more.")
    return expire_records(open_storage(store), (datetime.now(UTC) - age).date(), dry_run=dry_run)


def store_ddl(
    store: str = DEFAULT_STORE,
    *,
    engine: str = "athena",
    location: str | None = None,
    table: str = "invocations",
    view: str = "records",
) -> Ddl:
    """The statements that make a store known to another engine: its table, and a view with plain column names."""
    from logminer.maintenance.ddl import ENGINES, athena_ddl

    if engine not in ENGINES:
        raise UsageError(
            f"{engine!r} is not known", where="--engine", fix=f"Known are: {', '.join(ENGINES)}."
        )
    return athena_ddl(open_storage(store), location=location, table=table, view=view)


def _age(value: str | timedelta, option: str) -> timedelta:
    age = parse_age(value, option=option) if isinstance(value, str) else value
    if age > _LONGEST_AGE:
        raise UsageError("is longer than anything can be ago", where=option, fix="Give less, such as 180d.")
    return age
