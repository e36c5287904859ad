"""`logminer ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import StoreOption, config, number, read_filter, takes_json
from logminer.cli.stopping import INTERRUPTED
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.ingestion.driver import IngestReport
    from logminer.pipeline import IngestOptions

_MOST_UNREADABLE = 5


@takes_json
def ingest_command(
    json: bool,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, files, globs, s3://bucket/prefix, cloudwatch:LOG_GROUP, or - for standard input."
            "  [default: the sources of logminer.toml]",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Skip hour folders before this time, UTC: 2026-03-14, 7d.", metavar="T"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Skip hour folders from this time on, UTC.", metavar="T")
    ] = None,
    late_window: Annotated[
        str | None,
        typer.Option(
            "--late-window",
            help="List a bucket from this long before the last hour that was read.  [default: 3d]",
            metavar="AGE",
        ),
    ] = None,
    full_scan: Annotated[bool, typer.Option("--full-scan", help="List a bucket from its beginning.")] = False,
    source_base: Annotated[
        str | None,
        typer.Option(
            "--source-base",
            help="Record a copied or moved source as if it were read from here.",
            metavar="URI",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be read, and what it costs; write nothing."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            help="Worker processes.  [default: all cores]",
            metavar="N",
            parser=number("--workers", 1),
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 5 if anything was quarantined.")
    ] = False,
    max_bad: Annotated[
        int | None,
        typer.Option(
            "--max-bad",
            help="Exit with code 5 if more than N values were quarantined.",
            metavar="N",
            parser=number("--max-bad"),
        ),
    ] = None,
    text_for: Annotated[
        str | None,
        typer.Option(
            "--text-for",
            help="Keep the text of records that this filter takes, and no other.",
            metavar="EXPR",
        ),
    ] = None,
    text_teacher: Annotated[
        str | None,
        typer.Option(
            "--text-teacher", help="Keep the text of this model's records, and no other.", metavar="MODEL"
        ),
    ] = None,
    reread_changed: Annotated[
        bool, typer.Option("--reread-changed", help="Replace the rows of log objects that changed.")
    ] = False,
    reparse: Annotated[
        bool,
        typer.Option(
            "--reparse",
            help="Read log objects again whose rows an older logminer wrote, or whose text was not kept.",
        ),
    ] = False,
    retry_bodies: Annotated[
        bool,
        typer.Option("--retry-bodies", help="Read log objects again some of whose bodies were out of reach."),
    ] = False,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            help="With --reparse: only for rows of these statuses, with commas.",
            metavar="A,B",
            autocompletion=choices.complete_status,
        ),
    ] = None,
) -> None:
    """Read invocation logs into the store, each record exactly once.

    Running it again adds what is new. Ctrl-C keeps what is read; run it again
    to go on.

    \b
    Examples:
      logminer ingest logs/
      logminer ingest s3://my-logs/bedrock --dry-run
      logminer ingest s3://my-logs/bedrock --since 30d
      logminer ingest 'logs/AWSLogs/*/BedrockModelInvocationLogs/us-west-2'
      zcat logs/*.json.gz | logminer ingest - --store /data/logminer-store
      logminer ingest logs/ --reparse --status unrecognized,incomplete
      logminer ingest ./copy --source-base s3://my-logs/bedrock
    """
    from logminer import pipeline
    from logminer.cli.planning import print_plan
    from logminer.cli.progress import showing_progress
    from logminer.cli.stopping import stopping_softly

    _check_status(status, reparse=reparse)
    span = pipeline.make_selection(since=since, until=until)
    settings = config()
    sources = sources or [rule.prefix for rule in settings.sources]
    options: IngestOptions = {
        "store": store or settings.store,
        "rules": settings.sources,
        "since": span.since,
        "until": span.until,
        "late_window": late_window,
        "full_scan": full_scan,
        "source_base": source_base,
        "workers": workers,
        "reread_changed": reread_changed,
        "reparse": reparse,
        "retry_bodies": retry_bodies,
        "status": status,
        "text_for": read_filter(settings.text_for if text_for is None else text_for, None),
        "text_teacher": settings.text_teacher if text_teacher is None else text_teacher,
        "aliases": settings.aliases,
    }
    if dry_run:
        with showing_progress() as progress:
            plan = pipeline.plan_ingest(*sources, **options, progress=progress)
        print_plan(plan, json)
        return
    with showing_progress() as progress, stopping_softly(progress) as stop:
        report = pipeline.ingest(*sources, **options, progress=progress, stop=stop)
    _print_report(report, json)
    _exit(report, strict, max_bad)


def _check_status(status: str | None, *, reparse: bool) -> None:
    from logminer.errors import UsageError
    from logminer.pipeline import make_selection

    if status is None:
        return
    if not reparse:
        raise UsageError("goes with --reparse", where="--status", fix="Leave it out, or give --reparse too.")
    make_selection(status=status)  # complains about unknown ones


def _print_report(report: IngestReport, as_json: bool) -> None:
    from logminer.cli.streams import print_json

    if as_json:
        print_json(_facts(report))
    else:
        _say_report(report)


def _facts(report: IngestReport) -> dict[str, Any]:
    from logminer.cli.planning import hours

    tally = report.tally
    return {
        "ingest_id": report.ingest_id,
        "objects": {
            "listed": report.listed,
            "new": tally.objects,
            "skipped": report.skipped,
            "changed": len(report.changed),
            "reread": report.reread,
            "gone": len(report.gone),
            "unreadable": len(tally.unreadable),
            "passed_over": report.passed_over,
        },
        "records": tally.records,
        "by_status": tally.by_status,
        "without_text": tally.without_text,
        "quarantined": tally.quarantined,
        "expired": report.expired,
        "forgotten": report.forgotten,
        "bytes_read": tally.read_bytes,
        "seconds": round(report.seconds, 3),
        "version": report.version,
        "interrupted": report.interrupted,
        "listed_from": hours(report.begun_at),
    }


def _say_report(report: IngestReport) -> None:
    from logminer.cli.planning import say_begun_at
    from logminer.cli.streams import say, warn

    _say_what_is_new(report)
    say_begun_at(report.begun_at)
    if report.passed_over:
        say(f"passed over: {counted(report.passed_over, 'other file')}")
    if report.tally.without_text:
        say(
            f"without their text: {counted(report.tally.without_text, 'record')}, as --text-for and --text-teacher "
            "ask; to read them again with another choice: --reparse"
        )
    if report.expired:
        say(f"left out: {counted(report.expired, 'record')} older than what the store keeps")
    if report.forgotten:
        say(f"left out: {counted(report.forgotten, 'record')} that were to be forgotten")
    if report.taken:
        say(f"committed by another ingest meanwhile: {counted(report.taken, 'log object')}")
    if not report.listed and not report.interrupted:
        warn(
            "no log object was found; they are .json.gz files, under AWSLogs/ in the bucket or its copy, "
            "or events of Bedrock's stream in a log group"
        )
    if report.tally.quarantined:
        values = counted(report.tally.quarantined, "value")
        warn(f"{values} could not be read; see: logminer store quarantine")
    if report.changed:
        warn(
            f"{counted(len(report.changed), 'log object')} changed since the last time, such as "
            f"{report.changed[0]}; to read again: --reread-changed"
        )
    if report.gone:
        warn(f"{counted(len(report.gone), 'log object')} to read again not found, such as {report.gone[0]}")
    _warn_of_unreadable(report)
    if report.interrupted:
        kept = "what was read is stored" if report.tally.objects else "nothing was read yet"
        say(f"{kept}; run the same command again to go on")


def _warn_of_unreadable(report: IngestReport) -> None:
    from logminer.cli.streams import warn

    unreadable = [each for each in report.tally.unreadable if not each.no_others]
    for each in unreadable[:_MOST_UNREADABLE]:
        warn(f"{each.uri}: {each.problem}")
    if len(unreadable) > _MOST_UNREADABLE:
        more = counted(len(unreadable) - _MOST_UNREADABLE, "more log object")
        warn(f"{more} could not be opened")


def _say_what_is_new(report: IngestReport) -> None:
    from logminer.cli.streams import say
    from logminer.statuses import STATUSES

    tally = report.tally
    rate = tally.read_bytes / report.seconds / 1e6 if report.seconds else 0.0
    if not tally.objects:
        if not report.interrupted:
            known = counted(report.skipped, "log object")
            say(f"nothing new; {known} known; store version {report.version}")
        return
    say(
        f"{counted(tally.records, 'record')} from {counted(tally.objects, 'new log object')} "
        f"({tally.read_bytes / 1e6:,.1f} MB in {report.seconds:,.1f} s, {rate:,.1f} MB/s); "
        f"{report.skipped:,} known; store version {report.version}"
    )
    if report.reread:
        say(f"in place of rows that were stored: {counted(report.reread, 'log object')}")
    for status in STATUSES:
        if tally.by_status.get(status):
            say(f"  {tally.by_status[status]:>10,}  {status}")


def _exit(report: IngestReport, strict: bool, max_bad: int | None) -> None:
    from logminer.errors import ConfigurationError, StorageError, TooManyQuarantined

    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    if report.given_up is not None:
        raise ConfigurationError(report.given_up, fix="Log in again, and run again: what was read is stored.")
    unreadable = report.tally.unreadable
    if unreadable:
        kind = ConfigurationError if unreadable[0].exit_code == ConfigurationError.exit_code else StorageError
        raise kind(
            f"{counted(len(unreadable), 'log object')} could not be opened",
            fix="Mend that and run again; the rest is stored.",
        )
    allowed = max_bad if max_bad is not None else (0 if strict else None)
    if allowed is not None and report.tally.quarantined > allowed:
        raise TooManyQuarantined(
            f"quarantined: {counted(report.tally.quarantined, 'value')}; allowed: {allowed:,}",
            fix="Everything else is stored. Look at them with: logminer store quarantine",
        )
