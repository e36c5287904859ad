"""Options that several commands share, and the configuration behind them."""

from __future__ import annotations

import functools
import inspect
import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from logminer.config import Config, read_config

_SELECTION = "Which records"


def _option(*names: str, help: str, metavar: str | None = None, **more: Any) -> Any:  # noqa: A002 - typer's word
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=_SELECTION, **more)


StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help="The store. Also LOGMINER_STORE, or `store` in logminer.toml.", metavar="PATH"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same facts as JSON, for machines.")]


class SelectionParameters:
    """The options of a selection, as parameters of a command; see `takes_selection`."""

    teacher: Annotated[
        str | None,
        _option("--teacher", help="Teacher model: any form of its id, or its beginning.", metavar="MODEL"),
    ] = None
    filter: Annotated[
        str | None,
        _option(
            "--filter",
            "-f",
            help="requestMetadata filter, such as 'project=X AND priority=High'.",
            metavar="EXPR",
        ),
    ] = None
    filter_json: Annotated[
        str | None,
        _option(
            "--filter-json",
            help="The filter as Bedrock's requestMetadataFilters JSON; - is stdin.",
            metavar="FILE",
        ),
    ] = None
    has_key: Annotated[
        list[str] | None,
        _option("--has-key", help="Only records with this metadata key; repeatable.", metavar="KEY"),
    ] = None
    since: Annotated[
        str | None,
        _option("--since", help="From this time on, UTC: a date, an instant, or an age as 7d.", metavar="T"),
    ] = None
    until: Annotated[str | None, _option("--until", help="Before this time, UTC.", metavar="T")] = None
    region: Annotated[list[str] | None, _option("--region", help="Region called; repeatable.")] = None
    account: Annotated[
        list[str] | None, _option("--account", help="AWS account; repeatable.", metavar="ID")
    ] = None
    operation: Annotated[
        list[str] | None,
        _option("--operation", help="API operation, such as Converse; repeatable.", metavar="NAME"),
    ] = None
    identity: Annotated[
        str | None, _option("--identity", help="Caller's ARN, with * and ? as wildcards.", metavar="GLOB")
    ] = None
    min_input_tokens: Annotated[
        int | None, _option("--min-input-tokens", help="At least N prompt tokens.", metavar="N", min=0)
    ] = None
    max_input_tokens: Annotated[
        int | None, _option("--max-input-tokens", help="At most N prompt tokens.", metavar="N", min=0)
    ] = None
    min_output_tokens: Annotated[
        int | None, _option("--min-output-tokens", help="At least N answer tokens.", metavar="N", min=0)
    ] = None
    max_output_tokens: Annotated[
        int | None, _option("--max-output-tokens", help="At most N answer tokens.", metavar="N", min=0)
    ] = None
    exclude_detail: Annotated[
        list[str] | None,
        _option(
            "--exclude-detail",
            help="Without this word in status_detail, such as prefill; repeatable.",
            metavar="D",
        ),
    ] = None
    status: Annotated[
        str | None,
        _option("--status", help="pair, all, or several with commas.  [default: pair; stats and keys: all]"),
    ] = None
    where: Annotated[
        str | None, _option("--where", help="One DuckDB boolean expression over the columns.", metavar="EXPR")
    ] = None
    version: Annotated[
        int | None, _option("--version", help="The store as it was at this version.", metavar="N", min=0)
    ] = None


def takes_selection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a selection; it gets those that were set as the dict `selection`."""
    hints = typing.get_type_hints(SelectionParameters, include_extras=True)
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=getattr(SelectionParameters, name), annotation=hint
        )
        for name, hint in hints.items()
    ]
    own_hints = typing.get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own_hints[name])
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "selection"
    ]

    @functools.wraps(command)
    def with_selection(**arguments: Any) -> None:
        selection = {name: arguments.pop(name) for name in hints}
        command(selection={k: v for k, v in selection.items() if v is not None}, **arguments)

    parameters = [*own, *added]
    with_selection.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_selection.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_selection


def config() -> Config:
    """The configuration of the folder that the command runs in."""
    return read_config(Path.cwd(), os.environ)
