"""`logminer explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import StoreOption, config, takes_json, takes_selection

if TYPE_CHECKING:
    from logminer.query.explain import Story

_SHOWN = (
    "timestamp", "model_id", "model", "operation", "request_metadata", "error_code", "stop_reason", "turns",
    "input_tokens", "output_tokens", "prompt_status", "redelivered", "source_uri", "source_position", "ingest_id",
)  # fmt: skip


@takes_selection
@takes_json
def explain_command(
    selection: dict[str, Any],
    json: bool,
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The request's id.")],
    store: StoreOption = None,
) -> None:
    """One request: what was logged, judged and exported, and why.

    Give a selection to see which parts of it the record meets.

    \b
    Examples:
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5 -f 'project=HR' --json
    """
    from logminer import pipeline
    from logminer.cli.streams import print_json

    settings = config()
    story = pipeline.explain(request_id, store or settings.store, aliases=settings.aliases, **selection)
    if json:
        print_json(_facts(story))
    else:
        _print_story(story)


def _facts(story: Story) -> dict[str, Any]:
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
