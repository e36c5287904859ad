"""`logminer filter`."""

from __future__ import annotations

from typing import Annotated

import typer


def filter_command(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="A filter, such as 'project=X AND priority=High'.")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="bedrock, duckdb, athena, athena-logs or text.", metavar="TARGET")
    ] = "bedrock",
    filter_json: Annotated[
        str | None,
        typer.Option(
            "--filter-json",
            help="Read the filter as Bedrock's JSON from this file; - is stdin.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Translate a filter: into a Bedrock job's requestMetadataFilters, or into SQL.

    \b
    Targets:
      bedrock      requestMetadataFilters of a model customization job, as JSON
      duckdb       a condition over the store's columns, with its parameters
      athena       the same for Athena over the store
      athena-logs  for Athena over the raw log table
      text         the filter in its plainest form

    \b
    The language:
      priority=High                         project=X AND priority=High AND region!=eu
      NOT priority=Low                      intent=Refund OR intent=Complaint
      "cost centre"='a=b, c'                one kind of operator per filter, 16 comparisons at most

    \b
    Examples:
      logminer filter 'project=CustomerService AND priority=High'
      logminer filter 'NOT priority=Low' --to athena-logs
    """
    from logminer import pipeline
    from logminer.cli.output import warn
    from logminer.errors import UsageError
    from logminer.filters import TARGETS, format_filter, render, warnings_for

    selection = pipeline.make_selection(filter=expression, filter_json=filter_json)
    if selection.filter is None:
        raise UsageError("say which filter", where="EXPR", fix="logminer filter 'project=CustomerService'")
    if to not in TARGETS and to != "text":
        raise UsageError(
            f"there is no target {to!r}", where="--to", fix="Targets are: " + ", ".join([*TARGETS, "text"])
        )
    print(format_filter(selection.filter) if to == "text" else render(selection.filter, to))
    for text in warnings_for(selection.filter):
        warn(text)
