"""`logminer keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import StoreOption, config, number, takes_json, takes_selection
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.query.keys import Census


@takes_selection
@takes_json
def keys_command(
    selection: dict[str, Any],
    json: bool,
    store: StoreOption = None,
    top: Annotated[
        int,
        typer.Option("--top", help="Show the N commonest values.", metavar="N", parser=number("--top", 1)),
    ] = 5,
) -> None:
    """Metadata keys: how many records have them, and likely slips.

    \b
    Examples:
      logminer keys
      logminer keys --teacher meta.llama3-1-405b --status pair --top 10
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.notes import say_hints
    from logminer.cli.streams import print_json, say

    settings = config()
    census = pipeline.keys(store or settings.store, top=top, aliases=settings.aliases, **selection)
    if json:
        print_json(msgspec.to_builtins(census))
    else:
        _print_census(census)
    if not census.records:
        found = pipeline.count(
            store or settings.store, aliases=settings.aliases, **{"status": "all", **selection}
        )
        say("no record matches")
        say_hints(found.hints)


def _print_census(census: Census) -> None:
    from logminer.cli.streams import say
    from logminer.cli.tables import print_table

    rows = [
        [
            _named(key.key),
            f"{key.records:,}",
            f"{100 * key.records / max(census.records, 1):.1f} %",
            f"{key.distinct_values:,}",
            ", ".join(f"{_named(value)} ({count:,})" for value, count in key.values.items()),
        ]
        for key in census.keys
    ]
    if rows:
        print_table(["key", "records", "share", "values", "commonest"], rows, right=[1, 2, 3])
    if census.more_keys:
        say(f"and {counted(census.more_keys, 'more key')}")
    if census.records:
        share = 100 * census.untagged / census.records
        say(f"{counted(census.records, 'record')}; {census.untagged:,} without any metadata, {share:.1f} %")
    _say_slips(census)


def _say_slips(census: Census) -> None:
    from logminer.cli.streams import say

    said: set[frozenset[str]] = set()
    for key in census.keys:
        others = [other for other in key.look_alikes if frozenset((key.key, other)) not in said]
        said.update(frozenset((key.key, other)) for other in others)
        if others:
            say(f"{key.key!r} looks like {', '.join(map(repr, others))}")
    for key in census.keys:
        if key.refused:
            marks = " ".join(map(repr, key.refused))
            say(f"{key.key!r}: a Bedrock job's own filter cannot take {marks}; --filter can")


def _named(text: str) -> str:
    """A key or value that can be told from one with other spaces."""
    return text if text and text == text.strip() else repr(text)
