"""Groups of commands whose modules are loaded when a command is asked for, so that each starts as if it were alone."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer

from logminer.cli.help import HELP_WIDTH, PlainCommand, PlainGroup

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH}


@dataclass(frozen=True)
class Listed:
    """A command that is not made yet: its line in the list of commands, and what makes it."""

    about: str
    make: Callable[[], Any]


def command(place: str, about: str) -> Listed:
    """The command of the function at `module:function` below `logminer.cli`; `about` is its docstring's first line."""

    def make() -> Any:
        module, _, function = place.partition(":")
        single = _typer()
        found = getattr(importlib.import_module(f"logminer.cli.{module}"), function)
        single.command(cls=PlainCommand)(found)
        return typer.main.get_command(single)

    return Listed(about, make)


def group(
    help_text: str,
    commands: Mapping[str, Listed],
    callback: Callable[..., None] | None = None,
    *,
    epilog: str = "",
    completion: bool = False,
) -> LazyGroup:
    """A group of these commands, in their order. `callback` has options of the group's own."""
    made = _typer(
        cls=LazyGroup, help=help_text, epilog=epilog, invoke_without_command=True, add_completion=completion
    )
    made.callback()(callback or help_without_command)
    lazy = typer.main.get_command(made)
    assert isinstance(lazy, LazyGroup)
    lazy.commands = _Commands(commands)
    return lazy


def subgroup(help_text: str, commands: Mapping[str, Listed]) -> Listed:
    """A group inside a group, listed with the first line of its help."""
    return Listed(help_text.partition("\n")[0], lambda: group(help_text, commands))


def help_without_command(context: typer.Context) -> None:
    """Where no command is named, the help is what is wrong."""
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


class LazyGroup(PlainGroup):
    """A group that lists its commands without making them."""

    commands: Any

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in their order."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.about) for name, listed in self.commands.listed.items()])


class _Commands(Mapping[str, Any]):
    """The commands by name, each made when it is looked up."""

    def __init__(self, listed: Mapping[str, Listed]) -> None:
        self.listed = listed

    def __getitem__(self, name: str) -> Any:
        return self.listed[name].make()

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)


def _typer(*, add_completion: bool = False, **settings: Any) -> typer.Typer:
    return typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        add_completion=add_completion,
        **settings,
    )
