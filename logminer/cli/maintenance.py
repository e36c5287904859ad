"""`logminer store compact`, `vacuum`, `expire` and `ddl`."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import StoreOption, config, number, takes_json
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.maintenance.compaction import CompactionReport
    from logminer.maintenance.expiry import ExpiryReport
    from logminer.maintenance.vacuum import VacuumReport

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@takes_json
def compact_command(
    json: bool,
    store: StoreOption = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only days from this time on, UTC.", metavar="T")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Only days before this time, UTC.", metavar="T")
    ] = None,
    target_mb: Annotated[
        int,
        typer.Option("--target-mb", help="Size of a file.", metavar="N", parser=number("--target-mb", 1)),
    ] = 128,
    everything: Annotated[
        bool, typer.Option("--all", help="Write files anew that are large and sorted already, too.")
    ] = False,
) -> None:
    """Write few large files per day, sorted for queries.

    Rows are sorted by model and time, so that queries read less. Safe beside
    ingests and other compactions. Old versions keep their files until:
    logminer store vacuum

    \b
    Examples:
      logminer store compact --since 7d
      logminer store compact --all
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.streams import print_json

    report = pipeline.compact(
        store or config().store,
        since=since,
        until=until,
        target_mb=target_mb,
        everything=everything,
        progress=_say_day if sys.stderr.isatty() and not json else None,
    )
    if json:
        print_json(msgspec.to_builtins(report))
    else:
        _say_compaction(report)


def _say_day(day: date, place: int, days: int) -> None:
    from logminer.cli.streams import say

    say(f"compacting {day} ({place:,} of {days:,})")


def _say_compaction(report: CompactionReport) -> None:
    from logminer.cli.streams import say, warn
    from logminer.metadata_keys import decode_key

    if report.days:
        say(
            f"{counted(report.files_before, 'file')} of {counted(report.days, 'day')} written as "
            f"{report.files_after:,} ({_size(report.bytes_before)} as {_size(report.bytes_after)}); "
            f"store version {report.version}"
        )
    elif not report.left:
        say(f"every day has few sorted files already; store version {report.version}")
    if report.promoted:
        names = ", ".join(repr(decode_key(field)) for field in report.promoted)
        say(f"metadata keys with columns of their own now: {names}")
    if report.quarantine_files:
        say(f"{counted(report.quarantine_files, 'file')} of the quarantine written as one")
    if report.left:
        warn(
            f"{counted(report.left, 'day')} left alone, since other runs changed them all the time; run again"
        )


@takes_json
def vacuum_command(
    json: bool,
    older_than: Annotated[
        str,
        typer.Option("--older-than", help="Keep what versions of this long need: 7d, 12h.", metavar="AGE"),
    ] = "7d",
    orphans_older_than: Annotated[
        str,
        typer.Option(
            "--orphans-older-than",
            help="How old files must be that killed runs left, 24h or more.",
            metavar="AGE",
        ),
    ] = "24h",
    dry_run: DryRunOption = False,
    store: StoreOption = None,
) -> None:
    """Delete files that only old versions need.

    What killed runs left behind goes too. Versions that are younger than
    --older-than can still be read afterwards with --version N; of older ones,
    those that need a deleted file cannot.

    \b
    Examples:
      logminer store vacuum --dry-run
      logminer store vacuum --older-than 30d
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.streams import print_json

    report = pipeline.vacuum(
        store or config().store,
        older_than=older_than,
        orphans_older_than=orphans_older_than,
        dry_run=dry_run,
    )
    if json:
        print_json(msgspec.to_builtins(report))
    else:
        _say_vacuum(report)


def _say_vacuum(report: VacuumReport) -> None:
    from logminer.cli.streams import say

    verb = "would delete" if report.dry_run else "deleted"
    say(f"{verb} {counted(report.old_files, 'file')} of old versions ({_size(report.old_bytes)})")
    if report.orphans or report.temporary:
        orphans = counted(report.orphans + report.temporary, "file")
        say(f"{verb} {orphans} that killed runs left ({_size(report.orphan_bytes)})")
    if report.kept:
        say(f"kept: {counted(report.kept, 'file')} that younger versions need")
    if report.young:
        say(f"kept: {counted(report.young, 'file')} that a run may be about to commit")
    say(f"versions from {report.oldest_version} to {report.version} can be read")


@takes_json
def expire_command(
    json: bool,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Let go what is older: 180d, 26w.", metavar="AGE")
    ],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    store: StoreOption = None,
) -> None:
    """Delete the records of old dates, for ever.

    Whole UTC dates go, in all versions of the store. Later ingests leave such
    records out and say how many there were.

    \b
    Examples:
      logminer store expire --older-than 180d --dry-run
      logminer store expire --older-than 180d --yes
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.confirmation import confirm
    from logminer.cli.streams import print_json

    place = store or config().store
    report = pipeline.expire(place, older_than=older_than, dry_run=True)
    if not dry_run:
        if not confirm(_expiry_question(report), yes=yes):
            return
        report = pipeline.expire(place, older_than=older_than)
    if json:
        print_json(msgspec.to_builtins(report))
    else:
        _say_expiry(report)


def _expiry_question(report: ExpiryReport) -> str:
    return f"Delete {counted(report.records, 'record')} from before {report.kept_since} for ever?"


def _say_expiry(report: ExpiryReport) -> None:
    from logminer.cli.streams import say

    verb = "would delete" if report.dry_run else "deleted"
    span = f" ({report.first_date} to {report.last_date})" if report.dates else ""
    say(f"{verb} {counted(report.records, 'record')} of {counted(report.dates, 'date')}{span}")
    if report.files:
        say(f"{verb} {counted(report.files, 'file')} ({_size(report.size_bytes)})")
    if report.quarantined:
        emptied = "would empty" if report.dry_run else "emptied"
        say(f"{emptied} {counted(report.quarantined, 'quarantined value')}")
    keeps = "would keep" if report.dry_run else "keeps"
    say(f"the store {keeps} records from {report.kept_since} on; store version {report.version}")


@takes_json
def ddl_command(
    json: bool,
    engine: Annotated[
        str,
        typer.Option("--engine", help="Whose SQL: athena.", metavar="NAME"),
    ] = "athena",
    location: Annotated[
        str | None,
        typer.Option("--location", help="The store's address in S3, if --store is another.", metavar="URI"),
    ] = None,
    table: Annotated[str, typer.Option("--table", help="The table's name.", metavar="NAME")] = "invocations",
    view: Annotated[str, typer.Option("--view", help="The view's name.", metavar="NAME")] = "records",
    store: StoreOption = None,
) -> None:
    """Print the SQL that makes the store known to Athena.

    It makes a table and a view. In the view every metadata key is a
    column, and re-delivered and forgotten records are left out. Run the
    statements one by one. New keys need the view made anew.

    \b
    Examples:
      logminer store ddl --store s3://my-data/logminer
      logminer store ddl --location s3://my-data/logminer --view pairs
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.streams import data_out, print_json

    statements = pipeline.store_ddl(
        store or config().store, engine=engine, location=location, table=table, view=view
    )
    if json:
        print_json(msgspec.to_builtins(statements))
    else:
        out = data_out()
        out.write(f"{statements.table};\n\n{statements.view};\n".encode())
        out.flush()


def _size(size_bytes: Any) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
