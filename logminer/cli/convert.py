"""The command that turns a training file of one format into another: convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.options import config, takes_json
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.exports.conversion import ConversionReport


@takes_json
def convert_command(
    json: bool,
    source: Annotated[str, typer.Argument(metavar="IN", help="JSONL, gzipped or not; - is stdin.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="Format; see above.",
            metavar="FORMAT",
            autocompletion=choices.complete_export_format,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Where to write.  [default: stdout]", metavar="PATH"),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option("--system", help="System prompt for lines that have none.", metavar="TEXT"),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            "--teacher",
            help="The model that answered; invocation-log needs it.",
            metavar="MODEL",
            autocompletion=choices.complete_teacher,
        ),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out, and count, lines that do not fit.")
    ] = False,
) -> None:
    """Turn an existing training file into another format.

    Reads prompt and completion, OpenAI chat messages, Anthropic messages and
    bedrock-conversation-2024, and tells them apart by the line. IN and PATH
    may be s3:// addresses. The output appears whole or not at all.

    \b
    Formats:
      bedrock-conversation   distillation, fine-tuning of conversation models
      prompt-completion      fine-tuning of text models
      anthropic-messages     fine-tuning of Claude 3 Haiku
      nova-sft               fine-tuning of Nova, with tools and reasoning
      rft                    reinforcement fine-tuning
      continued-pretraining  text alone
      bedrock-eval           evaluation jobs
      batch                  batch inference; batch:body=anthropic, llama3,
                             nova or openai for InvokeModel
      invocation-log         a folder of logs, for usePromptResponse
      openai-chat, parquet   trainers outside of Bedrock

    \b
    Examples:
      logminer convert old.jsonl --to bedrock-conversation -o new.jsonl
      logminer convert chat.jsonl.gz --to nova-sft --skip-bad -o sft.jsonl
      logminer convert - --to rft --system 'Be brief.' -o rft.jsonl < in.jsonl
    """
    from logminer import pipeline
    from logminer.cli.streams import data_out, print_json, warn
    from logminer.errors import UsageError

    if output is None and json:
        raise UsageError("needs -o", where="--json", fix="Without -o the lines themselves go to stdout.")
    config()  # says how what is written to S3 is encrypted
    report = pipeline.convert(
        source,
        output if output is not None else data_out(),
        to=to,
        system=system,
        teacher=teacher,
        skip_bad=skip_bad,
    )
    if json:
        print_json(_facts(report, output))
    else:
        _say(report, output)
    for text in report.warnings:
        warn(text)


def _facts(report: ConversionReport, output: str | None) -> dict[str, Any]:
    return {
        "path": output,
        "format": report.format,
        "lines": report.lines,
        "size_bytes": report.size_bytes,
        "skipped": report.skipped,
        "own_system": report.own_system,
        "unanswered": report.unanswered,
        "routes": list(report.routes),
        "warnings": list(report.warnings),
    }


def _say(report: ConversionReport, output: str | None) -> None:
    from logminer.cli.streams import say

    where = output if output is not None else "stdout"
    say(
        f"{counted(report.lines, 'line')} written to {where} as {report.format} ({report.size_bytes:,} bytes)"
    )
    for reason, count in report.skipped.items():
        say(f"  left out: {counted(count, 'line')}, the first is {report.first_skipped[reason]}: it {reason}")
    if report.own_system:
        say(f"  --system is not in {counted(report.own_system, 'line')} with a system prompt of its own")
    if report.unanswered:
        say(f"  {counted(report.unanswered, 'line')} without an answer")
    for route in report.routes:
        say(f"  fits: {route}")
