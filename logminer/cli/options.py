"""Options that several commands share, and the configuration behind them."""

from __future__ import annotations

import functools
import inspect
import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.errors import UsageError

if TYPE_CHECKING:
    from logminer.config import Config

SELECTION_PANEL = "Which records"
_MOST = 2**63 - 1  # the largest number that SQL takes for a count


def number(option: str, least: int = 0) -> Callable[[str | int], int]:
    """What reads the value of an option that counts something; defaults come as numbers."""

    def read(given: str | int) -> int:
        text = str(given)
        # int() takes other scripts' digits and underscores too.
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not least <= value <= _MOST:
            raise UsageError(
                f"cannot be {text!r}", where=option, fix=f"Give a whole number, {least} or more."
            )
        return value

    return read


def _option(*names: str, help: str, metavar: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=SELECTION_PANEL, **more)


def _count(name: str, help: str) -> Any:
    return _option(name, help=help, metavar="N", parser=number(name))


StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="Folder or s3://bucket/prefix of the store.  [default: ./logminer-store]",
        metavar="PATH",
    ),
]


class JsonParameters:
    """Two ways to ask for the facts as JSON, as parameters of a command; see `takes_json`."""

    json: Annotated[bool, typer.Option("--json", help="The same facts as JSON, for machines.")] = False
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="text or json; --format json is --json.",
            metavar="FORMAT",
            autocompletion=choices.complete_form,
        ),
    ] = None


class SelectionParameters:
    """The options of a selection, as parameters of a command; see `takes_selection`."""

    teacher: Annotated[
        str | None,
        _option(
            "--teacher",
            help="Teacher model: any form of its id, or its beginning.",
            metavar="MODEL",
            autocompletion=choices.complete_teacher,
        ),
    ] = None
    filter: Annotated[
        str | None,
        _option(
            "--filter",
            "-f",
            help="requestMetadata filter; see: logminer filter --help",
            metavar="EXPR",
        ),
    ] = None
    filter_json: Annotated[
        str | None,
        _option(
            "--filter-json",
            help="The filter as Bedrock's JSON form; - is stdin.",
            metavar="FILE",
        ),
    ] = None
    has_key: Annotated[
        list[str] | None, _option("--has-key", help="With this metadata key; repeatable.", metavar="KEY")
    ] = None
    since: Annotated[
        str | None,
        _option("--since", help="From this time on, UTC: a date, an instant, or 7d.", metavar="T"),
    ] = None
    until: Annotated[str | None, _option("--until", help="Before this time, UTC.", metavar="T")] = None
    region: Annotated[
        list[str] | None, _option("--region", help="Region called; repeatable.", metavar="REGION")
    ] = None
    account: Annotated[
        list[str] | None, _option("--account", help="AWS account; repeatable.", metavar="ID")
    ] = None
    operation: Annotated[
        list[str] | None,
        _option(
            "--operation",
            help="API operation, such as Converse; repeatable.",
            metavar="NAME",
            autocompletion=choices.complete_operation,
        ),
    ] = None
    identity: Annotated[
        str | None, _option("--identity", help="Caller's ARN, with * and ? as wildcards.", metavar="GLOB")
    ] = None
    min_input_tokens: Annotated[int | None, _count("--min-input-tokens", "At least N prompt tokens.")] = None
    max_input_tokens: Annotated[int | None, _count("--max-input-tokens", "At most N prompt tokens.")] = None
    min_output_tokens: Annotated[int | None, _count("--min-output-tokens", "At least N answer tokens.")] = (
        None
    )
    max_output_tokens: Annotated[int | None, _count("--max-output-tokens", "At most N answer tokens.")] = None
    exclude_detail: Annotated[
        list[str] | None,
        _option(
            "--exclude-detail",
            help="Without this word in status_detail; repeatable.",
            metavar="WORD",
            autocompletion=choices.complete_detail,
        ),
    ] = None
    status: Annotated[
        str | None,
        _option(
            "--status",
            help="Statuses.  [default: pair; stats and keys: all]",
            metavar="A,B",
            autocompletion=choices.complete_status,
        ),
    ] = None
    where: Annotated[
        str | None, _option("--where", help="One DuckDB boolean expression over the columns.", metavar="SQL")
    ] = None
    version: Annotated[int | None, _count("--version", help="The store as it was at this version.")] = None


def takes_json(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--json` and `--format`; it gets whether JSON is asked for as `json`."""
    return spread_parameters(command, "json", JsonParameters, _asks_json)


def takes_selection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a selection; it gets those that were set as the dict `selection`.

    The filter is parsed in it, and what is odd about it has been said.
    """
    return spread_parameters(command, "selection", SelectionParameters, _read_selection)


def spread_parameters(
    command: Callable[..., None],
    parameter: str,
    source: type,
    gather: Callable[[dict[str, Any]], Any],
) -> Callable[..., None]:
    """Replace one parameter of a command by those of `source`; `gather` makes its value of theirs."""
    hints = typing.get_type_hints(source, include_extras=True)
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=getattr(source, name), annotation=hint
        )
        for name, hint in hints.items()
    ]
    own_hints = typing.get_type_hints(command, include_extras=True)
    own = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own_hints[name])
        for name, each in inspect.signature(command).parameters.items()
        if name != parameter
    ]

    @functools.wraps(command)
    def spread(**arguments: Any) -> None:
        values = {name: arguments.pop(name) for name in hints}
        command(**{parameter: gather(values)}, **arguments)

    parameters = [*own, *added]
    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {each.name: each.annotation for each in parameters}
    return spread


def _asks_json(values: dict[str, Any]) -> bool:
    form = values["format"]
    if form not in (None, "text", "json"):
        raise UsageError(f"there is no format {form!r}", where="--format", fix="Formats are: text, json")
    if values["json"] and form == "text":
        raise UsageError("contradict each other", where="--json and --format text", fix="Give one of them.")
    return bool(values["json"] or form == "json")


def _read_selection(values: dict[str, Any]) -> dict[str, Any]:
    selection = {name: value for name, value in values.items() if value is not None and value != []}
    for option in ("teacher", "status", "where", "identity", "since", "until"):
        if not selection.get(option, option).strip(", "):
            raise UsageError("is empty", where=f"--{option}", fix=f"Give a value, or leave --{option} out.")
    if "filter" in selection or "filter_json" in selection:
        selection["filter"] = read_filter(selection.get("filter"), selection.pop("filter_json", None))
    return selection


def read_filter(expression: str | None, json_path: str | None) -> Any:
    """The parsed filter, or None without one; what is odd about it is said on stderr."""
    from logminer.cli.streams import warn
    from logminer.filters import warnings_for
    from logminer.pipeline import make_selection

    node = make_selection(filter=expression, filter_json=json_path).filter
    for text in warnings_for(node) if node is not None else ():
        warn(text)
    return node


def config() -> Config:
    """The configuration of the folder that the command runs in; how writes to S3 are encrypted counts from now on."""
    from logminer.config import read_config
    from logminer.s3.encryption import encrypt_writes

    settings = read_config(Path.cwd(), os.environ)
    encrypt_writes(settings.encryption)
    return settings
