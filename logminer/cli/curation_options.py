"""The options that say what is done with the pairs of a selection, shared by `export` and `explain`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import number, spread_parameters
from logminer.errors import UsageError

CURATION_PANEL = "Which pairs are worth training on"
CHOICE_PANEL = "Which of them are written"


def _curation(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=CURATION_PANEL, **more)


def _choice(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=CHOICE_PANEL, **more)


def _share_or_number(text: str | float) -> float | int:
    """`0.1`, `10%` or `500`."""
    given = str(text)
    bare = given.removesuffix("%")
    try:
        value = float(bare) / (100 if bare != given else 1)
    except ValueError:
        value = -1.0
    if not (0 < value < 1 or (value >= 1 and value == int(value) and bare == given)):
        raise UsageError(
            f"cannot be {given!r}",
            where="--held-out",
            fix="Give a share such as 0.1 or 10%, or a number of lines.",
        )
    return int(value) if value >= 1 else value


class CurationParameters:
    """What is done with pairs, as parameters of a command; see `takes_curation`."""

    curate: Annotated[
        bool | None, _curation("--curate/--no-curate", help="Run all rules, as they are by default.")
    ] = None
    rule: Annotated[
        list[str] | None,
        _curation(
            "--rule",
            help="Drop what this rule finds; NAME:option=value sets one; repeatable.",
            metavar="NAME",
            autocompletion=choices.complete_rule,
        ),
    ] = None
    report: Annotated[
        list[str] | None,
        _curation(
            "--report",
            help="Only count and list what it finds; repeatable.",
            metavar="NAME",
            autocompletion=choices.complete_rule,
        ),
    ] = None
    no_rule: Annotated[
        list[str] | None,
        _curation(
            "--no-rule",
            help="Leave this rule out of --curate; repeatable.",
            metavar="NAME",
            autocompletion=choices.complete_rule,
        ),
    ] = None
    history: Annotated[
        str | None,
        _curation(
            "--history",
            help="Chats logged at each turn: last, longest, split or fold.",
            metavar="MODE",
            autocompletion=choices.complete_history,
        ),
    ] = None
    system: Annotated[
        str | None,
        _curation("--system", help="System prompts: keep, drop, or a file with another.", metavar="FILE"),
    ] = None
    redact: Annotated[
        str | None,
        _curation(
            "--redact",
            help="Personal data and secrets: placeholder or surrogate.",
            metavar="MODE",
            autocompletion=choices.complete_redact,
        ),
    ] = None
    redact_kinds: Annotated[
        str | None,
        _curation("--redact-kinds", help="Only these kinds, such as email,phone.", metavar="A,B"),
    ] = None
    redact_model: Annotated[
        str | None,
        _curation(
            "--redact-model",
            help="Names too, by this spaCy model; needs logminer[ner].",
            metavar="NAME|FOLDER",
        ),
    ] = None
    stratify: Annotated[
        str | None,
        _choice(
            "--stratify", help="Of each value of these keys or columns its share of --max.", metavar="A,B"
        ),
    ] = None
    diverse: Annotated[
        bool | None,
        _choice("--diverse/--no-diverse", help="Spread --max over prompts that are not alike."),
    ] = None
    held_out: Annotated[
        float | None,
        _choice(
            "--held-out",
            help="Keep a share (0.1) or N lines back in a second file; nothing leaks.",
            metavar="SHARE",
            parser=_share_or_number,
        ),
    ] = None
    held_out_to: Annotated[
        str | None,
        _choice(
            "--held-out-to",
            help="Format of that file.  [default: as --to]",
            metavar="FORMAT",
            autocompletion=choices.complete_export_format,
        ),
    ] = None
    session: Annotated[
        str | None,
        _choice("--session", help="Metadata key whose values stay on one side.", metavar="KEY"),
    ] = None
    gold: Annotated[
        str | None,
        _choice("--gold", help="Labelled examples to mix into the training file.", metavar="FILE"),
    ] = None
    max_lines: Annotated[
        int | None,
        _choice(
            "--max",
            help="At most N lines; a choice that stays while logs grow.",
            metavar="N",
            parser=number("--max", 1),
        ),
    ] = None


def takes_curation(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets those that were set as the dict `curation`, as `pipeline.export` takes."""
    return spread_parameters(command, "curation", CurationParameters, _read_curation)


def _read_curation(values: dict[str, Any]) -> dict[str, Any]:
    from logminer.datasets.rule_choice import ACTION, parse_rule

    actions = {"rule": "drop", "report": "report", "no_rule": "off"}
    rules: dict[str, dict[str, Any]] = {}
    for option, action in actions.items():
        for text in values.pop(option) or ():
            name, options = parse_rule(text, f"--{option.replace('_', '-')}")
            rules[name] = {**options, ACTION: action}
    curation = {name: value for name, value in values.items() if value is not None}
    return curation | ({"rules": rules} if rules else {})
