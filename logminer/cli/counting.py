"""`logminer count`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import StoreOption, config, takes_json, takes_selection

if TYPE_CHECKING:
    from logminer.query.count import Count


@takes_selection
@takes_json
def count_command(
    selection: dict[str, Any],
    json: bool,
    store: StoreOption = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Count for each value of this column or metadata key.",
            metavar="NAME",
            autocompletion=choices.complete_column,
        ),
    ] = None,
    require_ready: Annotated[
        bool, typer.Option("--require-ready", help="Exit with code 1 unless there are 100 to 15,000.")
    ] = False,
) -> None:
    """Count records; without --status, pairs.

    \b
    Examples:
      logminer count --filter 'project=CustomerService'
      logminer count --by model
      logminer count --status all --by project --json
    """
    from logminer import pipeline
    from logminer.cli import notes
    from logminer.cli.streams import print_json

    settings = config()
    found = pipeline.count(store or settings.store, by=by, aliases=settings.aliases, **selection)
    if json:
        print_json(_facts(found))
    else:
        _print_count(found, by)
    notes.say_lacking(found.lacking, "records")
    notes.say_hints(found.hints)
    if require_ready:
        notes.require_ready(found.count)


def _facts(found: Count) -> dict[str, Any]:
    facts: dict[str, Any] = {"count": found.count, "lacking": found.lacking, "hints": list(found.hints)}
    if found.by is not None:
        facts["by"] = [{"value": value, "count": number} for value, number in found.by.items()]
    return facts


def _print_count(found: Count, by: str | None) -> None:
    from logminer.cli.streams import say
    from logminer.cli.tables import print_table

    if by is None or found.by is None:
        print(found.count)
        return
    rows = [[_named(value), f"{number:,}"] for value, number in found.by.items()]
    print_table([by, "count"], rows, right=[1])
    say(f"{found.count:,} in all")


def _named(value: str | None) -> str:
    """A value that can be told from none, and from one with other spaces."""
    if value is None:
        return "(none)"
    return value if value and value == value.strip() else repr(value)
