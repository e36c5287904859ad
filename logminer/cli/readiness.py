"""`logminer stats`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import StoreOption, config, takes_json, takes_selection
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.query.stats import Loss, ModelStats, Stats

_SHOWN_UNRESOLVED = 3
_TEXT_WIDTH = 80
# Steps of the funnel, beside the statuses: those before them, and those after.
_FILTERS = frozenset({"filter", "has_key", "where", "exclude_detail", "status"})
_LATE = frozenset({"multi_turn", "duplicate"})


@takes_selection
@takes_json
def stats_command(
    selection: dict[str, Any],
    json: bool,
    store: StoreOption = None,
    require_ready: Annotated[
        bool,
        typer.Option("--require-ready", help="Exit with code 1 unless a teacher has 100 to 15,000 pairs."),
    ] = False,
) -> None:
    """Readiness for distillation, with every loss named.

    From all records of a teacher to the pairs that an export writes. The last
    number printed is the number of lines of that export.

    \b
    Examples:
      logminer stats
      logminer stats --teacher meta.llama3-1-405b
      logminer stats --teacher meta.llama3-1-405b --filter 'priority=High' --json
    """
    from logminer import pipeline
    from logminer.cli import notes
    from logminer.cli.streams import print_json

    settings = config()
    found = pipeline.stats(store or settings.store, aliases=settings.aliases, **selection)
    if json:
        print_json(_facts(found))
    else:
        _print_stats(found, of_teacher="teacher" in selection)
    notes.say_lacking(found.lacking, "pairs")
    notes.say_hints(found.hints)
    if require_ready:
        _require_ready(found)


def _facts(stats: Stats) -> dict[str, Any]:
    import msgspec

    facts = msgspec.to_builtins(stats)
    assert isinstance(facts, dict)
    for model, known in zip(facts["models"], stats.models, strict=True):
        model["verdict"] = known.verdict
    return facts


def _require_ready(stats: Stats) -> None:
    from logminer.cli import notes

    if any(model.verdict == "ready" for model in stats.models):
        return
    best = stats.models[0] if stats.models else None
    whose = f" of {best.model or 'unresolved model ids'}" if best and len(stats.models) > 1 else ""
    notes.require_ready(best.distinct_pairs if best else 0, whose)


def _print_stats(stats: Stats, *, of_teacher: bool) -> None:
    from logminer.cli.streams import say, show

    matching = [model for model in stats.models if model.matching]
    shown = stats.models if of_teacher else matching
    if of_teacher or len(matching) == 1:
        for index, model in enumerate(shown):
            if index:
                show()
            _print_model(model)
    else:
        _print_overview(stats, matching)
    _say_unresolved(stats, listed=not of_teacher)
    if stats.redelivered:
        say(f"left out: {counted(stats.redelivered, 're-delivered record')}")
    if not matching:
        say("no record matches")
    elif hidden := len(stats.models) - len(shown):
        say(f"not shown: {counted(hidden, 'model')} without a record that matches")


# --- all models ---------------------------------------------------------------------------------------------


def _print_overview(stats: Stats, models: list[ModelStats]) -> None:
    from logminer.cli.streams import show
    from logminer.cli.tables import print_table

    show(f"version   {stats.version}")
    show(f"rows      {stats.rows:,}")
    statuses = ", ".join(f"{status} {number:,}" for status, number in stats.statuses.items())
    for line in textwrap.wrap(f"statuses  {statuses or 'none'}", _TEXT_WIDTH, subsequent_indent=" " * 10):
        show(line)
    rows = [
        [
            model.model or "(unresolved ids)",
            f"{model.records:,}",
            f"{model.pairs:,}",
            model.verdict,
            f"{model.distinct_pairs:,}",
        ]
        for model in models
    ]
    if rows:
        show()
        print_table(["model", "records", "pairs", "verdict", "to export"], rows, right=[1, 2, 4])


def _say_unresolved(stats: Stats, *, listed: bool) -> None:
    """Some of these records may be any teacher's."""
    from logminer.cli.streams import say

    ids = [name for name in stats.unresolved if name]
    if not ids:
        return
    records = counted(sum(stats.unresolved[name] for name in ids), "record")
    say(
        f"{records} of {counted(len(ids), 'id')} that name no model; say it in logminer.toml, [models.aliases]"
    )
    for name in ids[:_SHOWN_UNRESOLVED] if listed else ():
        say(f"  {name}: {counted(stats.unresolved[name], 'record')}")
    if listed and len(ids) > _SHOWN_UNRESOLVED:
        say(f"  and {len(ids) - _SHOWN_UNRESOLVED:,} more; all with: logminer stats --json")


# --- one model ----------------------------------------------------------------------------------------------


def _print_model(model: ModelStats) -> None:
    from logminer.cli.streams import show
    from logminer.cli.tables import print_table
    from logminer.teachers import MAX_PAIRS, MIN_PAIRS

    _print_identity(model)
    show()
    print_table(["", "records", ""], _funnel(model), right=[1])
    show()
    if model.first is not None and model.last is not None:
        show(f"time span  {model.first:%Y-%m-%d %H:%M:%S} to {model.last:%Y-%m-%d %H:%M:%S} UTC")
    show(f"tokens     {model.input_tokens:,} in, {model.output_tokens:,} out")
    show(
        f"verdict    {model.verdict}: a distillation job takes {MIN_PAIRS} to {MAX_PAIRS:,} pairs; "
        f"there are {model.distinct_pairs}"
    )


def _print_identity(model: ModelStats) -> None:
    from logminer.cli.streams import show
    from logminer.teachers import AS_OF, find_teacher

    show(f"teacher    {model.model or '(ids that do not say their model)'}")
    known = find_teacher(model.model or "")
    notes = [f"not among the distillation teachers known on {AS_OF}"] if known is None else []
    if known is not None:
        _show_list("students", [*known.students, f"(as of {AS_OF})"])
        notes += [known.note] if known.note else []
    for note in notes:
        show(f"note       {note}")
    _show_list("logged as", [f"{name or '(no id)'}: {number:,}" for name, number in model.logged.items()])


def _show_list(title: str, entries: list[str]) -> None:
    from logminer.cli.streams import show

    for index, entry in enumerate(entries):
        show(f"{'' if index else title:<11}{entry}")


def _funnel(model: ModelStats) -> list[list[str]]:
    filters = [loss for loss in model.losses if loss.reason in _FILTERS]
    late = [loss for loss in model.losses if loss.reason in _LATE]
    statuses = [loss for loss in model.losses if loss.reason not in _FILTERS | _LATE]
    rows = [["records", f"{model.records:,}", ""], *_losses(filters)]
    if filters:
        rows.append(["matching", f"{model.matching:,}", ""])
    rows += [*_losses(statuses), ["pairs", f"{model.pairs:,}", ""], *_losses(late)]
    return [*rows, ["distinct pairs", f"{model.distinct_pairs:,}", "what an export writes"]]


def _losses(losses: list[Loss]) -> list[list[str]]:
    return [[f"  {loss.reason}", f"-{loss.count:,}", loss.about] for loss in losses]
