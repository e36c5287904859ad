"""`logminer select`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import StoreOption, config, number, takes_selection
from logminer.errors import UsageError
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.query.selection import Selection
    from logminer.query.view import StoreView

_TABLE_ROWS = 20


@takes_selection
def select_command(
    selection: dict[str, Any],
    store: StoreOption = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            help="Columns with commas.  [default: all; in a table a choice]",
            metavar="A,B",
            autocompletion=choices.complete_columns,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            help="At most N records.  [default: all; in a table 20]",
            metavar="N",
            parser=number("--limit"),
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, json, jsonl, csv, tsv, markdown or parquet.  "
            "[default: by the file's ending; table on a terminal, jsonl in a pipe]",
            metavar="FORMAT",
            autocompletion=choices.complete_record_format,
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Write to this file.", metavar="FILE")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Show records, in the order of time.

    On a terminal: a table of 20. In a pipe: a line of JSON for each.

    \b
    Examples:
      logminer select --filter 'project=CustomerService AND priority=High'
      logminer select --teacher meta.llama3-1-405b --since 7d -o pairs.parquet
      logminer select --status error --columns timestamp,error_code --format csv
      logminer select --where "response LIKE '%refund%'" --limit 5 --json
    """
    from logminer import pipeline
    from logminer.cli.records import TABLE_COLUMNS, record_format, write_records
    from logminer.cli.streams import say
    from logminer.outputs import check_output
    from logminer.query.rows import select_records

    if json and format not in (None, "json"):
        raise UsageError(
            "contradict each other", where=f"--json and --format {format}", fix="Give one of them."
        )
    if output is not None:
        check_output(output)
    chosen = pipeline.make_selection(**selection)
    form = record_format("json" if json else format, output)
    names = _columns(columns, list(TABLE_COLUMNS) if form == "table" else None)
    cut = _TABLE_ROWS if limit is None and form == "table" else limit
    settings = config()
    with pipeline.open_view(store or settings.store, settings.aliases, chosen.version) as view:
        count = write_records(select_records(view, chosen, names, cut), form, output)
        if output is not None:
            say(f"{counted(count, 'record')} written to {output}")
        _say_notes(view, chosen, count, cut, is_cut_table=form == "table" and limit is None)


def _columns(given: str | None, default: list[str] | None) -> list[str] | None:
    if given is None:
        return default
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not names:
        raise UsageError("is empty", where="--columns", fix="Give columns, such as request_id,response.")
    return list(dict.fromkeys(names))


def _say_notes(
    view: StoreView, chosen: Selection, count: int, limit: int | None, *, is_cut_table: bool
) -> None:
    """What a result without records may mean, how much a table leaves out, and what != let pass."""
    from logminer.cli.notes import say_hints, say_lacking
    from logminer.cli.streams import say
    from logminer.query.count import count_records

    if count == 0 and limit != 0:
        say("no record matches")
        say_hints(count_records(view, chosen).hints)
    is_cut = is_cut_table and count == limit
    if is_cut or (count and chosen.filter is not None and chosen.filter.negated_keys):
        found = count_records(view, chosen)
        if is_cut and found.count > count:
            say(f"{count} of {counted(found.count, 'record')}; more with --limit N")
        say_lacking(found.lacking, counted(found.count, "record"))
