"""The command that checks datasets: validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logminer.cli import choices
from logminer.cli.options import config, number

if TYPE_CHECKING:
    from logminer.validation import Report


def validate_command(
    path: Annotated[
        str,
        typer.Argument(metavar="PATH", help="A .jsonl or .jsonl.gz file, s3://bucket/key, or - for stdin."),
    ],
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
            help="With distillation and invocation-logs: the teacher, whose rules count.",
            metavar="MODEL",
            autocompletion=choices.complete_teacher,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="With fine-tuning: the model that is trained, where its rules differ.",
            metavar="MODEL",
        ),
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="The file is the validation set of a job: other bounds.")
    ] = False,
    allow_few: Annotated[
        bool, typer.Option("--allow-few", help="Fewer lines than a job needs are no error.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what needs no guessing, and check what comes out.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="With --fix: the file to write.", metavar="PATH"),
    ] = None,
    shown: Annotated[
        int,
        typer.Option("--show", help="Show N faults of each kind.", metavar="N", parser=number("--show", 1)),
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, json or github (annotations of a workflow).  [default: table]",
            metavar="FORMAT",
            autocompletion=choices.complete_report_format,
        ),
    ] = None,
) -> None:
    """Check a dataset: every fault, with line, JSON path and remedy.

    \b
    Profiles:
      distillation    the rules for --teacher's model; else distill-single
      distill-single  one user turn and an answer: Anthropic, Meta teachers
      distill-nova    several turns: Amazon Nova teachers
      aws-script      exactly what AWS's own validation script asks
      invocation-logs what a job would find in logs: a folder or s3:// prefix
      nova-sft        fine-tuning of Amazon Nova: media, tools, reasoning
      llama-conversation, anthropic-messages, prompt-completion,
      continued-pretraining, rft, openai-chat, image-caption: other training
      bedrock-eval, batch: evaluation jobs, batch inference

    \b
    --fix removes byte order marks, blank and repeated lines, keys that nobody
    reads and empty `system` keys, makes line ends line feeds and corrects the
    schema version. It changes no text.

    \b
    Examples:
      logminer validate train.jsonl
      logminer validate train.jsonl --teacher amazon.nova-pro-v1:0
      logminer validate s3://my-sets/train.jsonl.gz --profile aws-script --json
      logminer validate sft.jsonl --profile nova-sft --model nova-lite
      logminer validate logs/ --profile invocation-logs --teacher meta.llama3-1
      logminer validate train.jsonl --fix -o mended.jsonl
    """
    from logminer import pipeline

    form = _form(form, as_json=json)
    _check_fix(fix=fix, output=output)
    settings = config()
    report = pipeline.validate(
        path,
        profile=profile,
        teacher=teacher,
        model=model,
        held_out=held_out,
        allow_few=allow_few,
        fix_to=output,
        aliases=settings.aliases,
        rules=settings.sources,
    )
    _print(report, form, shown)
    if not report.ok:
        raise typer.Exit(1)


def _form(form: str | None, *, as_json: bool) -> str:
    from logminer.errors import UsageError

    if form is not None and form not in choices.REPORT_FORMATS:
        fix = f"Formats are: {', '.join(choices.REPORT_FORMATS)}"
        raise UsageError(f"there is no format {form!r}", where="--format", fix=fix)
    if as_json and form not in (None, "json"):
        raise UsageError(
            "contradict each other", where=f"--json and --format {form}", fix="Give one of them."
        )
    return "json" if as_json else form or "table"


def _check_fix(*, fix: bool, output: str | None) -> None:
    from logminer.errors import UsageError

    if fix and output is None:
        raise UsageError("needs a file to write", where="--fix", fix="Name it with -o mended.jsonl.")
    if output is not None and not fix:
        raise UsageError("goes with --fix", where="-o", fix="Give --fix too, or leave -o out.")


def _print(report: Report, form: str, shown: int) -> None:
    from logminer.cli.streams import print_json, show
    from logminer.validation import github_lines, report_lines

    if form == "json":
        print_json(report.as_dict())
        return
    for line in github_lines(report) if form == "github" else report_lines(report, shown=shown):
        show(line)
