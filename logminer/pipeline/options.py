"""Options by the names of the flags, as all calls take them, into what the stages take."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from logminer.errors import UsageError
from logminer.filters import Filter, parse_bedrock, parse_filter, read_bedrock
from logminer.query.selection import Selection
from logminer.query.view import StoreView
from logminer.store.storage import open_storage
from logminer.timespan import parse_instant

if TYPE_CHECKING:
    from typing import Unpack


class SelectionOptions(TypedDict, total=False):
    """The options of a selection, by the names of the flags."""

    teacher: str | None
    filter: str | Filter | None
    filter_json: str | Mapping[str, Any] | None
    has_key: str | Sequence[str] | None
    since: str | datetime | None
    until: str | datetime | None
    region: str | Sequence[str] | None
    account: str | Sequence[str] | None
    operation: str | Sequence[str] | None
    identity: str | None
    min_input_tokens: int | None
    max_input_tokens: int | None
    min_output_tokens: int | None
    max_output_tokens: int | None
    exclude_detail: str | Sequence[str] | None
    status: str | Sequence[str] | None
    where: str | None
    version: int | None


class ExportOptions(SelectionOptions, total=False):
    """The options of a selection, and how a dataset is made of it, by the names of the flags.

    `rules` are curation rules by name with their options, or texts such as `near_duplicates:threshold=0.9`; an
    option `action` is drop, report or off. `held_out` is a share below 1, or a number of lines.
    """

    to: str | None
    prompts_only: bool | None
    max_lines: int | None
    allow_few: bool | None
    curate: bool | None
    rules: Mapping[str, Mapping[str, Any]] | Sequence[str] | None
    history: str | None
    system: str | None
    redact: str | None
    redact_kinds: str | Sequence[str] | None
    redact_model: str | None
    stratify: str | Sequence[str] | None
    diverse: bool | None
    held_out: float | None
    held_out_path: str | None
    held_out_to: str | None
    session: str | None
    gold: str | None
    rejects: str | None


def make_selection(default_status: str = "pair", **options: Unpack[SelectionOptions]) -> Selection:
    """A selection from options; None is as good as leaving one out. Raises UsageError, FilterError.

    `filter` is an expression or what `parse_filter` made of one, `filter_json` the path of Bedrock's form of it
    (`-` is standard input) or that form itself. `since` and `until` are instants, dates or ages (`7d`) as text, or
    datetimes, which are UTC without a zone. `status` is `all`, or one or more statuses. Where a flag repeats, one
    text or several are taken.
    """
    unknown = options.keys() - SelectionOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    return Selection(
        teacher=options.get("teacher"),
        filter=_filter(options.get("filter"), options.get("filter_json")),
        has_keys=texts_of(options.get("has_key")),
        since=instant_of(options.get("since"), "--since"),
        until=instant_of(options.get("until"), "--until"),
        regions=texts_of(options.get("region")),
        accounts=texts_of(options.get("account")),
        operations=texts_of(options.get("operation")),
        identity=options.get("identity"),
        min_input_tokens=options.get("min_input_tokens"),
        max_input_tokens=options.get("max_input_tokens"),
        min_output_tokens=options.get("min_output_tokens"),
        max_output_tokens=options.get("max_output_tokens"),
        exclude_details=texts_of(options.get("exclude_detail")),
        statuses=statuses_of(options.get("status") or default_status),
        where=options.get("where"),
        version=options.get("version"),
    )


def _filter(expression: str | Filter | None, form: str | Mapping[str, Any] | None) -> Filter | None:
    if expression is not None and form is not None:
        raise UsageError("give one of the two", where="--filter and --filter-json")
    if isinstance(form, str):
        return parse_bedrock(_read_text(form, "--filter-json"))
    if form is not None:
        return read_bedrock(form)
    return parse_filter(expression) if isinstance(expression, str) else expression


def _read_text(path: str, option: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:  # ValueError: bytes that are not UTF-8, a path with a NUL
        raise UsageError(f"cannot read: {error}", where=f"{option} {path}", fix="Check the path.") from error


def instant_of(value: str | datetime | None, option: str) -> datetime | None:
    """The instant that a flag means. Raises UsageError, which names the flag."""
    return parse_instant(value, option=option) if isinstance(value, str) else value


def texts_of(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Several texts or one, each once."""
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value or ()))


def statuses_of(value: str | Sequence[str]) -> tuple[str, ...] | None:
    """The statuses meant, several joined with commas or not; None for all of them."""
    words = [word.strip() for text in texts_of(value) for word in text.split(",")]
    return None if "all" in words else tuple(dict.fromkeys(word for word in words if word))


@contextmanager
def open_view(store: str, aliases: Mapping[str, str] | None, version: int | None) -> Iterator[StoreView]:
    """A store opened for questions, and closed afterwards."""
    with StoreView(open_storage(store), aliases=aliases, version=version) as view:
        yield view
