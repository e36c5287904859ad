"""`logminer explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.curation_options import takes_curation
from logminer.cli.options import StoreOption, config, takes_json, takes_selection

if TYPE_CHECKING:
    from logminer.datasets.explaining import Verdict
    from logminer.query.explain import Story

_SHOWN = (
    "timestamp", "model_id", "model", "operation", "request_metadata", "error_code", "stop_reason", "turns",
    "input_tokens", "output_tokens", "prompt_status", "redelivered", "source_uri", "source_position", "ingest_id",
)  # fmt: skip


@takes_selection
@takes_curation
@takes_json
def explain_command(
    selection: dict[str, Any],
    curation: dict[str, Any],
    json: bool,
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The request's id.")],
    store: StoreOption = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="The recipe of an export.", metavar="FILE")
    ] = None,
) -> None:
    """One request: what was logged, judged and exported, and why.

    Give a selection to see which parts of it the record meets; give a recipe, or
    options of an export, to see what each of its stages says.

    \b
    Examples:
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5 -f 'project=HR' --json
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5 --curate
    """
    from logminer import pipeline
    from logminer.cli.streams import print_json

    settings = config()
    story = pipeline.explain(request_id, store or settings.store, aliases=settings.aliases, **selection)
    verdicts = None
    if curation or recipe is not None:
        if recipe is None and story.records[0]["model"] is not None:
            selection.setdefault("teacher", story.records[0]["model"])  # an export is of one
        verdicts = pipeline.explain_export(
            request_id,
            store,
            recipe=recipe,
            default_store=settings.store,
            aliases=settings.aliases,
            **curation,
            **selection,
        )
    if json:
        print_json(_facts(story, verdicts))
    else:
        _print_story(story)
        _print_verdicts(verdicts or ())


def _facts(story: Story, verdicts: Sequence[Verdict] | None) -> dict[str, Any]:
    import msgspec

    from logminer.pipeline import plain_record

    return {
        "request_id": story.request_id,
        "records": [plain_record(list(record), list(record.values())) for record in story.records],
        "conditions": list(story.conditions),
        "exports": [
            {name: value for name, value in msgspec.to_builtins(entry).items() if name != "request_ids"}
            for entry in story.exports
        ],
        **({"stages": msgspec.to_builtins(verdicts)} if verdicts is not None else {}),
    }


def _print_story(story: Story) -> None:
    from logminer.cli.records import text_of
    from logminer.cli.streams import show
    from logminer.query.explain import explain_status

    for record, met in zip(story.records, story.conditions, strict=True):
        show(f"request_id        {story.request_id}")
        for index, line in enumerate(explain_status(record["status"], record["status_detail"])):
            show(f"{'' if index else 'status':<18}{line}")
        for name in _SHOWN:
            if record[name] is not None:
                show(f"{name:<18}{text_of(record[name])}")
        for index, (name, meets) in enumerate(met.items()):
            show(f"{'' if index else 'selection':<18}{name}: {'met' if meets else 'not met'}")
        show()
    for entry in story.exports:
        when = f"{entry.exported_at:%Y-%m-%d %H:%M:%S} UTC"
        show(f"exported          {when} to {entry.path}, from version {entry.store_version}")
    if not story.exports:
        show("exported          never")


def _print_verdicts(verdicts: Sequence[Verdict]) -> None:
    from logminer.cli.streams import show

    for index, each in enumerate(verdicts):
        about = f": {each.reason}" if each.reason else ""
        evidence = f" ({each.evidence})" if each.evidence else ""
        turn = f", turn {each.turn}" if each.turn is not None else ""
        show(f"{'' if index else 'stages':<18}{each.stage}{turn}: {each.verdict}{about}{evidence}")
