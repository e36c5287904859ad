"""`logminer store`: the store itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import StoreOption, config, number, takes_json
from logminer.errors import UsageError

if TYPE_CHECKING:
    from logminer.pipeline import QuarantinedEntry


@takes_json
def info_command(json: bool, store: StoreOption = None) -> None:
    """What the store holds.

    \b
    Examples:
      logminer store info
      logminer store info --json
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.streams import print_json, show

    info = pipeline.store_info(store or config().store)
    if json:
        print_json(msgspec.to_builtins(info))
        return
    show(f"store        {info.uri}")
    show(f"version      {info.version}")
    show(f"rows         {info.rows:,}")
    show(f"files        {info.files:,} ({info.size_bytes / 1e6:,.1f} MB)")
    if info.dates:
        show(f"dates        {info.dates:,} ({info.first_date} to {info.last_date})")
    if info.kept_since:
        show(f"keeps        records from {info.kept_since} on")
    show(f"models       {info.models:,} ids as logged")
    show(f"metadata     {info.metadata_fields:,} keys with columns of their own")
    show(f"quarantined  {info.quarantined:,}")
    show(f"exports      {info.exports:,}")


@takes_json
def history_command(
    json: bool,
    store: StoreOption = None,
    limit: Annotated[
        int,
        typer.Option("--limit", "-n", help="The newest N.", metavar="N", parser=number("--limit", 1)),
    ] = 20,
) -> None:
    """The store's versions, the newest first.

    Commands take any of them as --version.

    \b
    Examples:
      logminer store history --limit 5
      logminer store history --json
    """
    from logminer import pipeline
    from logminer.cli.streams import print_json, say
    from logminer.cli.tables import print_table

    commits = pipeline.store_history(store or config().store)
    shown = commits[:limit]
    if json:
        print_json(
            [{"version": c.version, "time": c.time, "operation": c.operation, **c.about} for c in shown]
        )
        return
    rows = [
        [
            str(commit.version),
            f"{commit.time:%Y-%m-%d %H:%M:%S}",
            commit.operation,
            ", ".join(f"{name} {value}" for name, value in commit.about.items()),
        ]
        for commit in shown
    ]
    print_table(["version", "time (UTC)", "operation", "about"], rows, right=[0])
    if len(commits) > len(shown):
        say(f"{len(shown):,} of {len(commits):,} versions; more with --limit N")


@takes_json
def quarantine_command(
    json: bool,
    store: StoreOption = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            help="Only values with this reason.",
            metavar="REASON",
            autocompletion=choices.complete_reason,
        ),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the values' bytes to stdout, a line each.")
    ] = False,
) -> None:
    """What could not be read as a log record, where, and why.

    \b
    Examples:
      logminer store quarantine
      logminer store quarantine --reason cut_off --raw
    """
    from logminer import pipeline
    from logminer.cli.streams import data_out, print_json
    from logminer.store.quarantine import QUARANTINE_REASONS

    if reason is not None and reason not in QUARANTINE_REASONS:
        raise UsageError(
            f"there is no reason {reason!r}",
            where="--reason",
            fix="Reasons are: " + ", ".join(QUARANTINE_REASONS),
        )
    if raw and json:
        raise UsageError("contradict each other", where="--raw and --json", fix="Give one of them.")
    entries = pipeline.quarantine(store or config().store, reason=reason)
    if json:
        print_json([_facts(entry) for entry in entries])
    elif raw:
        out = data_out()
        for entry in entries:
            out.write(entry.raw + b"\n")
        out.flush()
    else:
        _print_entries(entries)


def _facts(entry: QuarantinedEntry) -> dict[str, Any]:
    return {
        "source_uri": entry.source_uri,
        "source_position": entry.source_position,
        "reason": entry.reason,
        "raw": entry.raw.decode("utf-8", "backslashreplace"),
        "ingest_id": entry.ingest_id,
    }


def _print_entries(entries: list[QuarantinedEntry]) -> None:
    from logminer.cli.streams import say
    from logminer.cli.tables import print_table
    from logminer.store.quarantine import QUARANTINE_REASONS

    if not entries:
        say("nothing is quarantined")
        return
    rows = [
        [entry.reason, str(entry.source_position), QUARANTINE_REASONS[entry.reason], entry.source_uri]
        for entry in entries
    ]
    print_table(["reason", "position", "meaning", "source"], rows, right=[1])
