"""`logminer store forget`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.maintenance import DryRunOption, YesOption
from logminer.cli.options import StoreOption, config, takes_json
from logminer.errors import UsageError
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.maintenance.forgetting import ForgetReport

_SHOWN = 20


@takes_json
def forget_command(
    json: bool,
    request_id: Annotated[
        list[str] | None, typer.Option("--request-id", help="This request; repeatable.", metavar="ID")
    ] = None,
    request_ids_from: Annotated[
        str | None,
        typer.Option(
            "--request-ids-from", help="The requests of a file, an id a line; - is stdin.", metavar="FILE"
        ),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(
            "--identity", help="Calls of this ARN, with * and ? as wildcards; repeatable.", metavar="GLOB"
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata", help="Calls tagged so; the first = ends the key; repeatable.", metavar="KEY=VALUE"
        ),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    store: StoreOption = None,
) -> None:
    """Forget records, for ever: those that any option names.

    Their prompts, answers, callers and metadata go from every file and every
    version of the store; what stays is the request's id, its date and its
    place, so that no later ingest brings it back. Calls that are made later
    are not affected. Log objects and exports that still hold the records are
    listed: they are yours to delete.

    \b
    Examples:
      logminer store forget --request-id 4f1c... --dry-run
      logminer store forget --identity 'arn:aws:iam::*:user/jane' --yes
      logminer store forget --metadata customer=4711
    """
    from logminer import pipeline
    from logminer.cli.confirmation import confirm
    from logminer.cli.streams import print_json

    place = store or config().store
    named: dict[str, Any] = {
        "request_ids": [*(request_id or ()), *_read_ids(request_ids_from)],
        "identities": identity,
        "metadata": [_pair(text) for text in metadata or ()],
    }
    report = pipeline.forget(place, **named, dry_run=True)
    if not dry_run:
        if not confirm(_question(report), yes=yes):
            return
        report = pipeline.forget(place, **named)
    if json:
        print_json(_facts(report))
    else:
        _print_report(report)


def _read_ids(path: str | None) -> list[str]:
    import sys

    if path is None:
        return []
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:  # ValueError: bytes that are not UTF-8, a path with a NUL
        raise UsageError(
            f"cannot read: {error}", where=f"--request-ids-from {path}", fix="Check the path."
        ) from error
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    if not ids:
        raise UsageError("holds no request id", where=f"--request-ids-from {path}", fix="Write an id a line.")
    return ids


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise UsageError("has no =", where="--metadata", fix="Write KEY=VALUE.")
    return key, value


def _question(report: ForgetReport) -> str:
    return (
        f"Forget {counted(report.records, 'record')} of {counted(len(report.log_objects), 'log object')} "
        f"and {counted(report.quarantined, 'quarantined value')} for ever?"
    )


def _facts(report: ForgetReport) -> Any:
    import msgspec

    return msgspec.to_builtins(report)


def _print_report(report: ForgetReport) -> None:
    from logminer.cli.streams import say, show, warn

    verb = "would forget" if report.dry_run else "forgot"
    say(
        f"{verb} {counted(report.records, 'record')} and {counted(report.quarantined, 'quarantined value')}; "
        f"store version {report.version}"
    )
    if report.files_deleted:
        say(f"deleted {counted(report.files_deleted, 'file')} of older versions that held them")
    if report.unknown:
        keeps = "would be" if report.dry_run else "are"
        say(
            f"no record of {counted(len(report.unknown), 'request')}, such as {report.unknown[0]}; "
            f"they {keeps} kept out when they come"
        )
    _list_what_still_holds(report)
    if report.unfinished:
        warn(
            f"{counted(len(report.unfinished), 'file')} of runs that have not ended may hold them too, such as "
            f"{report.unfinished[0]}; once no run is under way, a day later: logminer store vacuum"
        )
    for line in _lines(report)[:_SHOWN]:
        show(line)
    if len(_lines(report)) > _SHOWN:
        say(f"{len(_lines(report)) - _SHOWN:,} more; all with --json")


def _list_what_still_holds(report: ForgetReport) -> None:
    from logminer.cli.streams import say

    if _lines(report):
        say("still there, and not logminer's to delete (with the bodies in data/ beside log objects):")


def _lines(report: ForgetReport) -> list[str]:
    exports = [f"export      {each.path} ({counted(each.lines, 'line')})" for each in report.exports]
    return exports + [f"log object  {uri}" for uri in report.log_objects]
