"""Commands that make and check datasets: export, validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import StoreOption, config, number, takes_json, takes_selection

if TYPE_CHECKING:
    from logminer.exports.exporting import ExportReport


@takes_selection
@takes_json
def export_command(
    selection: dict[str, Any],
    json: bool,
    output: Annotated[str, typer.Option("--output", "-o", help="The file to write.", metavar="PATH")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="Format; see above.",
            metavar="FORMAT",
            autocompletion=choices.complete_export_format,
        ),
    ] = "bedrock-conversation",
    store: StoreOption = None,
    prompts_only: Annotated[
        bool,
        typer.Option("--prompts-only", help="Prompts without answers; of any model without --teacher."),
    ] = False,
    max_lines: Annotated[
        int | None,
        typer.Option(
            "--max",
            help="At most N lines; a choice that stays while logs grow.",
            metavar="N",
            parser=number("--max", 1),
        ),
    ] = None,
    allow_few: Annotated[bool, typer.Option("--allow-few", help="Write fewer than 100 lines too.")] = False,
) -> None:
    """Write one teacher's distinct pairs as a training file.

    The file is written whole or not at all. Teachers of Anthropic and Meta get
    single-turn conversations alone, those of Amazon Nova all.

    \b
    Formats:
      bedrock-conversation  JSONL of the schema bedrock-conversation-2024

    \b
    Examples:
      logminer export --filter 'project=CustomerService' -o train.jsonl
      logminer export --teacher amazon.nova-pro --max 15000 -o train.jsonl
      logminer export --prompts-only --filter 'priority=High' -o prompts.jsonl
    """
    from logminer import pipeline
    from logminer.cli.notes import say_lacking
    from logminer.cli.streams import print_json, warn
    from logminer.outputs import check_output

    check_output(output)
    settings = config()
    report = pipeline.export(
        output,
        store or settings.store,
        to=to,
        prompts_only=prompts_only,
        max_lines=max_lines,
        allow_few=allow_few,
        aliases=settings.aliases,
        **selection,
    )
    if json:
        print_json(_facts(report))
    else:
        _say(report)
    what = "prompts" if report.prompts_only else "pairs"
    say_lacking(report.lacking, f"matching {what}")
    for text in report.warnings:
        warn(text)


def _facts(report: ExportReport) -> dict[str, Any]:
    import msgspec

    facts = msgspec.to_builtins(report.entry)
    assert isinstance(facts, dict)
    del facts["request_ids"]
    return {
        **facts,
        "prompts_only": report.prompts_only,
        "input_tokens": report.input_tokens,
        "output_tokens": report.output_tokens,
        "multi_turn": report.multi_turn,
        "duplicates": report.duplicates,
        "over_max": report.over_max,
        "lacking": report.lacking,
        "routes": list(report.routes),
        "other_routes": list(report.other_routes),
        "warnings": list(report.warnings),
    }


def _say(report: ExportReport) -> None:
    import shlex

    from logminer.cli.streams import say

    entry = report.entry
    what = "prompts" if report.prompts_only else "pairs"
    of = f" of {report.model}" if report.model else ""
    say(
        f"{entry.lines:,} {what}{of} written to {entry.path} "
        f"({entry.size_bytes:,} bytes, {report.input_tokens:,} tokens in, {report.output_tokens:,} out)"
    )
    for count, why in (
        (report.multi_turn, "of several turns, which this teacher does not take"),
        (report.duplicates, "the same as one that is written"),
        (report.over_max, "beyond --max"),
    ):
        if count:
            say(f"  left out: {count:,} {why}")
    for route in report.routes:
        say(f"  fits: {route}")
    for route in report.other_routes:
        say(f"  does not fit: {route}")
    teacher = f" --teacher {shlex.quote(report.model)}" if report.model else ""
    say(f"  check it with: logminer validate {shlex.quote(entry.path)}{teacher}")


@takes_json
def validate_command(
    json: bool,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A .jsonl or .jsonl.gz file.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            help="Rules; see above.",
            metavar="NAME",
            autocompletion=choices.complete_profile,
        ),
    ] = "distillation",
    teacher: Annotated[
        str | None,
        typer.Option(
            "--teacher",
            help="With distillation: picks the rules of this model.",
            metavar="MODEL",
            autocompletion=choices.complete_teacher,
        ),
    ] = None,
    allow_few: Annotated[
        bool, typer.Option("--allow-few", help="Fewer than 100 lines are no fault.")
    ] = False,
    shown: Annotated[
        int,
        typer.Option("--show", help="Show N faults of each kind.", metavar="N", parser=number("--show", 1)),
    ] = 10,
) -> None:
    """Check a dataset: every fault, with line, JSON path and remedy.

    \b
    Profiles:
      distillation    the rules for --teacher's model; else distill-single
      distill-single  one user turn and an answer: Anthropic, Meta teachers
      distill-nova    several turns: Amazon Nova teachers
      aws-script      exactly what AWS's own validation script asks

    \b
    Examples:
      logminer validate train.jsonl
      logminer validate train.jsonl --teacher amazon.nova-pro-v1:0
      logminer validate train.jsonl --profile aws-script --json
    """
    from logminer import pipeline
    from logminer.cli.streams import print_json, show
    from logminer.validation import report_lines

    report = pipeline.validate(path, profile=profile, teacher=teacher, allow_few=allow_few)
    if json:
        print_json(report.as_dict())
    else:
        for line in report_lines(report, shown=shown):
            show(line)
    if not report.ok:
        raise typer.Exit(1)
