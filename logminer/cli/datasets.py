"""The command that makes datasets: export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli import choices
from logminer.cli.curation_options import takes_curation
from logminer.cli.options import StoreOption, config, takes_json, takes_selection
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.datasets.funnel import Stage
    from logminer.datasets.plan import ExportReport

_RECIPE_PANEL = "How to make it again"


def _recipe(name: str, help: str) -> Any:
    return typer.Option(name, help=help, metavar="FILE", rich_help_panel=_RECIPE_PANEL)


@takes_selection
@takes_curation
@takes_json
def export_command(
    selection: dict[str, Any],
    curation: dict[str, Any],
    json: bool,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="The file to write; a folder for invocation-log.", metavar="PATH"
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Format; see above.  [default: bedrock-conversation]",
            metavar="FORMAT",
            autocompletion=choices.complete_export_format,
        ),
    ] = None,
    store: StoreOption = None,
    prompts_only: Annotated[
        bool | None,
        typer.Option(
            "--prompts-only/--no-prompts-only",
            help="Prompts without answers; of any model without --teacher.",
        ),
    ] = None,
    allow_few: Annotated[
        bool | None,
        typer.Option("--allow-few/--no-allow-few", help="Write fewer than 100 lines too."),
    ] = None,
    held_out_path: Annotated[
        str | None,
        typer.Option(
            "--held-out-path", help="Where --held-out goes.  [default: NAME.held-out.jsonl]", metavar="PATH"
        ),
    ] = None,
    rejects: Annotated[
        str | None,
        typer.Option("--rejects", help="List what is left out, and why, as JSONL.", metavar="PATH"),
    ] = None,
    recipe: Annotated[
        str | None, _recipe("--recipe", "Options from a TOML file; those given here go first.")
    ] = None,
    save_recipe: Annotated[str | None, _recipe("--save-recipe", "Write all options as a recipe.")] = None,
    from_manifest: Annotated[
        str | None, _recipe("--from-manifest", "Make the dataset of this manifest again, byte for byte.")
    ] = None,
) -> None:
    """Write one teacher's distinct pairs as a training file.

    The file is written whole or not at all, with a manifest and the origin of
    every line beside it. Teachers of Anthropic and Meta get single-turn
    conversations alone, those of Amazon Nova all.

    \b
    Formats:
      bedrock-conversation   distillation, fine-tuning of conversation models
      invocation-log         a folder of logs, for the route over the logs
      prompt-completion      fine-tuning of text models
      continued-pretraining  continued pre-training
      anthropic-messages     fine-tuning of Claude 3 Haiku
      nova-sft               fine-tuning of Nova, with tools and reasoning
      rft                    reinforcement fine-tuning
      bedrock-eval           model evaluation: prompts and references
      batch                  batch inference of the prompts
      openai-chat            training outside of Bedrock
      parquet                a table

    \b
    Rules, all of them with --curate; apologies and refusals only report then:
      blank            exact_duplicates     length
      template_tokens  near_duplicates      invalid_json
      reserved_words   conflicting_answers  broken_off
      apologies        refusals             repetition

    reserved_words looks at pairs of Nova teachers alone, unless models=any.
    near_duplicates compares runs of three words: threshold=0.8 drops a pair
    that shares eight of ten with an earlier one, in prompt and in answer.
    Instructions that users' turns repeat count: where they are long, raise it.

    \b
    Examples:
      logminer export --filter 'project=CustomerService' -o train.jsonl
      logminer export --teacher amazon.nova-pro --max 15000 -o train.jsonl
      logminer export --prompts-only --filter 'priority=High' -o prompts.jsonl
      logminer export --curate --redact surrogate --held-out 0.1 -o train.jsonl
      logminer export --rule near_duplicates:threshold=0.9 -o train.jsonl
    """
    from logminer import pipeline
    from logminer.cli.notes import say_lacking
    from logminer.cli.streams import print_json, warn

    if output is not None and recipe is None and from_manifest is None:
        pipeline.check_export_path(output, to)
    settings = config()
    report = pipeline.export(
        output,
        store,
        to=to,
        prompts_only=prompts_only,
        allow_few=allow_few,
        held_out_path=held_out_path,
        rejects=rejects,
        recipe=recipe,
        save_recipe=save_recipe,
        from_manifest=from_manifest,
        default_store=settings.store,
        aliases=settings.aliases,
        **curation,
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

    held_out = report.held_out
    return {
        **_entry_facts(report.entry),
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
        "manifest": report.manifest,
        "funnel": msgspec.to_builtins(report.funnel),
        "held_out": _entry_facts(held_out) if held_out is not None else None,
        "rejects": {"path": report.rejects_path, "lines": report.rejects} if report.rejects_path else None,
        "redaction": report.redaction.as_json() if report.redaction is not None else None,
    }


def _entry_facts(entry: Any) -> dict[str, Any]:
    import msgspec

    facts = msgspec.to_builtins(entry)
    assert isinstance(facts, dict)
    del facts["request_ids"]
    return facts


def _say(report: ExportReport) -> None:
    from logminer.cli.streams import say

    entry = report.entry
    what = "prompt" if report.prompts_only else "pair"
    of = f" of {report.model}" if report.model else ""
    say(
        f"{counted(entry.lines, what)}{of} written to {entry.path} "
        f"({entry.size_bytes:,} bytes, {report.input_tokens:,} tokens in, {report.output_tokens:,} out)"
    )
    if report.held_out is not None:
        held = report.held_out
        say(f"{held.lines:,} held out to {held.path} ({held.size_bytes:,} bytes)")
    _say_losses(report)
    if report.rejects is not None:
        say(f"  why each is left out: {report.rejects_path} ({counted(report.rejects, 'line')})")
    say(f"  what it is made of: {report.manifest}")
    for route in report.routes:
        say(f"  fits: {route}")
    for route in report.other_routes:
        say(f"  does not fit: {route}")
    _say_check(report)


def _say_losses(report: ExportReport) -> None:
    from logminer.cli.streams import say

    if not report.is_plain:
        idle = [stage.stage for stage in report.funnel if not _reasons(stage)]
        for stage in report.funnel:
            if stage.stage not in idle:
                say(f"  {stage.stage:<20} {stage.entered:>9,} -> {stage.left:>9,}  {_reasons(stage)}")
        if idle:
            say(f"  found nothing: {', '.join(dict.fromkeys(idle))}")
        for line in report.redaction.lines() if report.redaction is not None else ():
            say(f"  {line}")
        return
    for count, why in (
        (report.multi_turn, f"of several turns, which this {_who_takes_one_turn(report)} does not take"),
        (report.duplicates, "the same as one that is written"),
        (report.over_max, "beyond --max"),
    ):
        if count:
            say(f"  left out: {count:,} {why}")


def _who_takes_one_turn(report: ExportReport) -> str:
    from logminer.exports import export_format

    return "teacher" if export_format(report.entry.format).turns else "format"


def _reasons(stage: Stage) -> str:
    """What a stage did, in words; nothing for one that did nothing."""
    parts = [f"{count:,} {reason}" for reason, count in stage.dropped.items()]
    parts += [f"{count:,} {reason} reported" for reason, count in stage.reported.items()]
    parts += [f"{count:,} {kind} changed" for kind, count in stage.changed.items()]
    parts += [f"{stage.made:,} made"] if stage.made else []
    return ", ".join(parts)


def _say_check(report: ExportReport) -> None:
    import shlex

    from logminer.cli.streams import say

    if report.profile is None:
        return
    teacher = f" --teacher {shlex.quote(report.model)}" if report.model else ""
    profile = f" --profile {report.profile}" if report.profile != "distillation" else ""
    say(f"  check it with: logminer validate {shlex.quote(report.entry.path)}{profile}{teacher}")
