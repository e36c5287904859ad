"""`logminer store`: the store itself."""

from __future__ import annotations

from typing import Annotated

import typer

from logminer.cli.options import JsonOption, StoreOption, config

store_app = typer.Typer(
    help="Look at the store itself.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@store_app.command("info")
def info_command(store: StoreOption = None, json: JsonOption = False) -> None:
    """What the store holds.

    \b
    Example:
      logminer store info
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.output import print_json

    info = pipeline.store_info(store or config().store)
    if json:
        print_json(msgspec.to_builtins(info))
        return
    print(f"store        {info.uri}")
    print(f"version      {info.version}")
    print(f"rows         {info.rows:,}")
    print(f"files        {info.files:,} ({info.size_bytes / 1e6:,.1f} MB)")
    if info.dates:
        print(f"dates        {info.dates} ({info.first_date} to {info.last_date})")
    print(f"models       {info.models} ids as logged")
    print(f"metadata     {info.metadata_fields} keys with columns of their own")
    print(f"quarantined  {info.quarantined:,}")
    print(f"exports      {info.exports:,}")


@store_app.command("history")
def history_command(
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="The newest N.", metavar="N", min=1)] = 20,
    json: JsonOption = False,
) -> None:
    """The store's versions, newest first; any can be asked with --version.

    \b
    Example:
      logminer store history --limit 5
    """
    from logminer import pipeline
    from logminer.cli.output import print_json, print_table

    commits = pipeline.store_history(store or config().store)[:limit]
    if json:
        print_json(
            [{"version": c.version, "time": c.time, "operation": c.operation, **c.about} for c in commits]
        )
        return
    rows = [
        [
            str(c.version),
            f"{c.time:%Y-%m-%d %H:%M:%S}",
            c.operation,
            ", ".join(f"{k} {v}" for k, v in c.about.items()),
        ]
        for c in commits
    ]
    print_table(["version", "time (UTC)", "operation", "about"], rows, right=[0])


@store_app.command("quarantine")
def quarantine_command(
    store: StoreOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only values with this reason.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the values' bytes to stdout, a line each.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """What could not be read as a log record: where it lies, and why.

    \b
    Examples:
      logminer store quarantine
      logminer store quarantine --reason cut_off --raw
    """
    import sys

    from logminer import pipeline
    from logminer.cli.output import print_json, print_table, say
    from logminer.errors import UsageError
    from logminer.store.quarantine import QUARANTINE_REASONS

    if reason is not None and reason not in QUARANTINE_REASONS:
        raise UsageError(
            f"there is no reason {reason!r}",
            where="--reason",
            fix="Reasons are: " + ", ".join(QUARANTINE_REASONS),
        )
    entries = pipeline.quarantine(store or config().store, reason=reason)
    if json:
        print_json(
            [
                {
                    "source_uri": entry.source_uri,
                    "source_position": entry.source_position,
                    "reason": entry.reason,
                    "raw": entry.raw.decode("utf-8", "backslashreplace"),
                    "ingest_id": entry.ingest_id,
                }
                for entry in entries
            ]
        )
    elif raw:
        for entry in entries:
            sys.stdout.buffer.write(entry.raw + b"\n")
    else:
        if not entries:
            say("nothing is quarantined")
            return
        rows = [
            [entry.source_uri, str(entry.source_position), entry.reason, QUARANTINE_REASONS[entry.reason]]
            for entry in entries
        ]
        print_table(["source", "position", "reason", "meaning"], rows, right=[1])
