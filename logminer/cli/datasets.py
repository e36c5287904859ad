"""Commands that make and check datasets: export, validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import JsonOption, StoreOption, config, takes_selection

if TYPE_CHECKING:
    from logminer.export.exporting import ExportReport


@takes_selection
def export_command(
    selection: dict[str, Any],
    output: Annotated[str, typer.Option("--output", "-o", help="The file to write.", metavar="PATH")],
    to: Annotated[
        str, typer.Option("--to", help="Format; see below.", metavar="FORMAT")
    ] = "bedrock-conversation",
    store: StoreOption = None,
    prompts_only: Annotated[
        bool,
        typer.Option(
            "--prompts-only", help="Prompts without answers, of any model unless --teacher is given."
        ),
    ] = False,
    max_lines: Annotated[
        int | None,
        typer.Option(
            "--max", help="At most N lines; the choice stays the same while logs grow.", metavar="N", min=1
        ),
    ] = None,
    allow_few: Annotated[bool, typer.Option("--allow-few", help="Write fewer than 100 lines too.")] = False,
    json: JsonOption = False,
) -> None:
    """Write the distinct pairs of one teacher as a training file, whole or not at all.

    Formats: bedrock-conversation (bedrock-conversation-2024 JSONL). Teachers of Anthropic and Meta get
    single-turn conversations alone, Amazon Nova all.

    \b
    Examples:
      logminer export --filter 'project=CustomerService AND priority=High' -o train.jsonl
      logminer export --teacher amazon.nova-pro --max 15000 --to bedrock-conversation -o train.jsonl
      logminer export --prompts-only --filter 'project=CustomerService' -o prompts.jsonl
    """
    from logminer import pipeline
    from logminer.cli.output import print_json, warn

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
        "routes": list(report.routes),
        "warnings": list(report.warnings),
    }


def _say(report: ExportReport) -> None:
    from logminer.cli.output import say
    from logminer.query.view import printable

    entry = report.entry
    what = "prompts" if report.prompts_only else "pairs"
    of = f" of {report.model}" if report.model else ""
    say(
        f"{entry.lines:,} {what}{of} written to {printable(entry.path)} "
        f"({entry.size_bytes:,} bytes, {report.input_tokens:,} tokens in, {report.output_tokens:,} out)"
    )
    for route in report.routes:
        say(f"  fits: {route}")
    say(
        f"  check it with: logminer validate {printable(entry.path)}"
        + (f" --teacher {report.model}" if report.model else "")
    )


def validate_command(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A .jsonl or .jsonl.gz file.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile", help="distillation, distill-single, distill-nova or aws-script.", metavar="NAME"
        ),
    ] = "distillation",
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", help="With distillation: picks the rules of this model.", metavar="MODEL"),
    ] = None,
    allow_few: Annotated[
        bool, typer.Option("--allow-few", help="Fewer than 100 lines are no fault.")
    ] = False,
    shown: Annotated[
        int, typer.Option("--show", help="Show N faults of each kind.", metavar="N", min=1)
    ] = 10,
    json: JsonOption = False,
) -> None:
    """Check a dataset against the rules of who will read it: every fault, with line, JSON path and remedy.

    \b
    Profiles:
      distillation    the rules for --teacher's model; without it, distill-single
      distill-single  one user turn and an answer: Anthropic and Meta teachers
      distill-nova    several turns: Amazon Nova teachers
      aws-script      exactly what AWS's own validation script asks, and no more

    \b
    Examples:
      logminer validate train.jsonl
      logminer validate train.jsonl --teacher amazon.nova-pro-v1:0
      logminer validate train.jsonl --profile aws-script --json
    """
    from logminer import pipeline
    from logminer.cli.output import print_json
    from logminer.validation import report_lines

    report = pipeline.validate(path, profile=profile, teacher=teacher, allow_few=allow_few)
    if json:
        print_json(report.as_dict())
    else:
        for line in report_lines(report, shown=shown):
            print(line)
    if not report.ok:
        raise typer.Exit(1)
