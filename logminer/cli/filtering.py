"""`logminer filter`."""

from __future__ import annotations

from typing import Annotated

import typer

from logminer.cli import choices
from logminer.cli.options import read_filter, takes_json
from logminer.errors import UsageError


@takes_json
def filter_command(
    json: bool,
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="A filter, such as 'project=X AND priority=High'.")
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="Target; see above.",
            metavar="TARGET",
            autocompletion=choices.complete_target,
        ),
    ] = "bedrock",
    filter_json: Annotated[
        str | None,
        typer.Option("--filter-json", help="Read the filter as Bedrock's JSON; - is stdin.", metavar="FILE"),
    ] = None,
) -> None:
    """Translate a filter: into a Bedrock job's form, or into SQL.

    \b
    Targets:
      bedrock      requestMetadataFilters of a customization job, as JSON
      duckdb       a condition over the store's columns, with its parameters
      athena       the same for Athena over the store
      athena-logs  for Athena over the raw log table
      text         the filter in its plainest form

    \b
    The language: one operator per filter, 16 comparisons at most.
      priority=High               project=X AND priority=High AND region!=eu
      NOT priority=Low            intent=Refund OR intent=Complaint
      "cost centre"='a=b, c'      quotes around what has spaces or signs
    A record without the key: = is false, != is true. Case counts.

    \b
    Examples:
      logminer filter 'project=CustomerService AND priority=High'
      logminer filter 'NOT priority=Low' --to athena-logs
      logminer filter --filter-json filters.json --to text
    """
    from logminer.cli.streams import print_json, show
    from logminer.filters import format_filter, render

    if to not in choices.FILTER_TARGETS:
        raise UsageError(
            f"there is no target {to!r}",
            where="--to",
            fix="Targets are: " + ", ".join(choices.FILTER_TARGETS),
        )
    node = read_filter(expression, filter_json)
    if node is None:
        raise UsageError("say which filter", where="EXPR", fix="logminer filter 'project=CustomerService'")
    text = format_filter(node) if to == "text" else render(node, to)
    if json and to != "bedrock":  # that one is JSON already
        print_json({"filter": format_filter(node), "target": to, "translation": text})
    else:
        show(text) if to == "text" else print(text)
