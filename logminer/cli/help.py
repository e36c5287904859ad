"""How commands are run, and how `--help` looks: at most 80 columns, options in groups, no summary cut short."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

HELP_WIDTH = 80


class ReaderGoneError(Exception):
    """Nobody reads stdout any more. The framework would turn a BrokenPipeError into exit code 1."""


@contextlib.contextmanager
def _noticing_a_gone_reader() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error


class PlainCommand(TyperCommand):
    """A command whose options stand under the headings that they name as their panels."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments by their metavars; brackets mean that one may be left out."""
        return [
            "[OPTIONS]",
            *(_usage(each) for each in self.get_params(ctx) if isinstance(each, TyperArgument)),
        ]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, options, and the further groups of options."""
        _write_options(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """A group of commands whose options look like a command's."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Parse the arguments; this is where --help prints."""
        with _noticing_a_gone_reader():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with _noticing_a_gone_reader():
            return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the group's name."""
        return ["COMMAND [ARGS]..."]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Commands come first: they are what one looks for."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)


def _usage(argument: TyperArgument) -> str:
    name = argument.metavar or argument.name or ""
    return name if argument.required else f"[{name}]"


def _write_options(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    sections: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(ctx):
        if isinstance(each, TyperArgument):
            sections.setdefault("Arguments", []).append((each.metavar or each.name or "", each.help or ""))
        elif isinstance(each, TyperOption):
            record = each.get_help_record(ctx)
            if record is not None:
                sections.setdefault(each.rich_help_panel or "Options", []).append(record)
    for title, rows in sections.items():
        with formatter.section(title):
            formatter.write_dl(rows)
