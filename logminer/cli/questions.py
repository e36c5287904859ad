"""Commands that ask: select, count, stats, keys, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import JsonOption, StoreOption, config, takes_selection

if TYPE_CHECKING:
    from logminer.query.explain import Story
    from logminer.query.stats import ModelStats, Stats

_TABLE_ROWS = 20


@takes_selection
def select_command(
    selection: dict[str, Any],
    store: StoreOption = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns", help="Columns with commas.  [default: all; a choice on a terminal]", metavar="A,B"
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", help="At most N records.", metavar="N", min=0)
    ] = None,
    format: Annotated[  # noqa: A002 - the flag's name
        str | None,
        typer.Option(
            "--format",
            help="table, json, jsonl, csv, tsv, markdown or parquet.  [default: table on a terminal, jsonl in a pipe]",
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Write to this file.", metavar="FILE")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show records, ordered by time.

    On a terminal: a table of 20. In a pipe: JSON lines of all.

    \b
    Examples:
      logminer select --filter 'project=CustomerService AND priority=High'
      logminer select --teacher meta.llama3-1-405b --since 7d -o pairs.parquet
      logminer select --status error --columns timestamp,request_id,error_code --format csv
    """
    from logminer import pipeline
    from logminer.cli.output import TABLE_COLUMNS, record_format, say, write_records
    from logminer.query.count import filter_hints

    settings = config()
    chosen = pipeline.make_selection(**selection)
    form = record_format("json" if json else format, output)
    names = columns.split(",") if columns else (list(TABLE_COLUMNS) if form == "table" else None)
    cut = _TABLE_ROWS if limit is None and form == "table" else limit
    with pipeline.open_view(store or settings.store, settings.aliases, chosen.version) as view:
        records = pipeline.select_records(view, chosen, names, cut)
        count = write_records(records, form, output)
        if not count:
            say("no record matches")
            for hint in filter_hints(view, chosen):
                say(f"  {hint}")
        elif form == "table" and limit is None and count == cut:
            total = pipeline.count_records(view, chosen).count
            say(f"{count} of {total:,} records; more with --limit N")
    if output is not None:
        say(f"{count:,} records written to {output}")


@takes_selection
def count_command(
    selection: dict[str, Any],
    store: StoreOption = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Count per value of this column or metadata key.", metavar="NAME"),
    ] = None,
    require_ready: Annotated[
        bool, typer.Option("--require-ready", help="Exit with code 1 unless there are 100 to 15,000.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Count records; by default pairs.

    \b
    Examples:
      logminer count --filter 'project=CustomerService'
      logminer count --by model
      logminer count --status all --by project
    """
    from logminer import pipeline
    from logminer.cli.output import print_json, print_table, say

    settings = config()
    found = pipeline.count(store or settings.store, by=by, aliases=settings.aliases, **selection)
    if json:
        facts: dict[str, Any] = {"count": found.count}
        if found.by is not None:
            facts["by"] = [{"value": value, "count": number} for value, number in found.by.items()]
        if found.lacking:
            facts["lacking"] = found.lacking
        print_json(facts)
    elif found.by is not None:
        print_table(
            [by or "", "count"], [[_or_none(value), f"{n:,}"] for value, n in found.by.items()], right=[1]
        )
        say(f"{found.count:,} in all")
    else:
        print(found.count)
    _say_lacking(found.lacking)
    for hint in found.hints:
        say(hint)
    if require_ready:
        _require_ready(found.count)


def _or_none(value: str | None) -> str:
    return "(none)" if value is None else value


def _say_lacking(lacking: dict[str, int]) -> None:
    from logminer.cli.output import say

    for key, number in lacking.items():
        if number:
            say(
                f"{number:,} of them lack the key {key!r}, which != lets pass; leave them out with --has-key {key}"
            )


def _require_ready(pairs: int) -> None:
    from logminer.errors import CheckFailed
    from logminer.teachers import MAX_PAIRS, MIN_PAIRS

    if not MIN_PAIRS <= pairs <= MAX_PAIRS:
        raise CheckFailed(
            f"{pairs:,} pairs are {'fewer' if pairs < MIN_PAIRS else 'more'} than a distillation job takes "
            f"({MIN_PAIRS} to {MAX_PAIRS:,})",
            fix="Widen the filter or the time span."
            if pairs < MIN_PAIRS
            else f"Export with --max {MAX_PAIRS}.",
        )


@takes_selection
def stats_command(
    selection: dict[str, Any],
    store: StoreOption = None,
    require_ready: Annotated[
        bool,
        typer.Option("--require-ready", help="Exit with code 1 unless one teacher has 100 to 15,000 pairs."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Readiness for distillation: from all records to the pairs that an export writes, each loss named.

    \b
    Examples:
      logminer stats
      logminer stats --teacher meta.llama3-1-405b
      logminer stats --teacher meta.llama3-1-405b --filter 'project=CustomerService AND priority=High'
    """
    from logminer import pipeline
    from logminer.cli.output import print_json, say

    settings = config()
    found = pipeline.stats(store or settings.store, aliases=settings.aliases, **selection)
    if json:
        print_json(_stats_facts(found))
    elif "teacher" in selection:
        for model in found.models:
            _print_model(model, found)
    else:
        _print_overview(found)
    _say_lacking(found.lacking)
    for hint in found.hints:
        say(hint)
    if require_ready:
        _require_ready(found.models[0].distinct_pairs if found.models else 0)


def _stats_facts(stats: Stats) -> dict[str, Any]:
    import msgspec

    facts = msgspec.to_builtins(stats, builtin_types=())
    assert isinstance(facts, dict)
    for model, known in zip(facts["models"], stats.models, strict=True):
        model["verdict"] = known.verdict
    return facts


def _print_overview(stats: Stats) -> None:
    from logminer.cli.output import print_table, say

    say(
        f"store version {stats.version}: {stats.rows:,} rows, {stats.redelivered:,} re-delivered; "
        + ", ".join(f"{status} {number:,}" for status, number in stats.statuses.items())
    )
    rows = [
        [
            model.model or "(unresolved ids)",
            f"{model.records:,}",
            f"{model.pairs:,}",
            model.verdict,
            f"{model.distinct_pairs:,}",
        ]
        for model in stats.models
    ]
    print_table(["model", "records", "pairs", "verdict", "to export"], rows, right=[1, 2, 4])
    unresolved = next((model for model in stats.models if model.model is None), None)
    for logged in list(unresolved.logged)[:5] if unresolved else ():
        say(f"name the model of {logged or 'records without modelId'} in logminer.toml, [models.aliases]")


def _print_model(model: ModelStats, stats: Stats) -> None:
    from logminer.cli.output import print_table
    from logminer.teachers import AS_OF, MAX_PAIRS, MIN_PAIRS, find_teacher

    print(f"teacher     {model.model}")
    known = find_teacher(model.model or "")
    if known is not None:
        print(f"students    {', '.join(known.students)} (as of {AS_OF})")
        if known.note:
            print(f"note        {known.note}")
    else:
        print(f"note        not among the distillation teachers known on {AS_OF}")
    print("logged as   " + "\n            ".join(f"{name}  {n:,}" for name, n in model.logged.items()))
    if stats.redelivered:
        print(f"re-delivered, left out  {stats.redelivered:,}")
    print()
    print_table(["", "records", ""], _funnel(model), right=[1])
    print()
    if model.first is not None and model.last is not None:
        print(f"time span   {model.first:%Y-%m-%d %H:%M:%S} to {model.last:%Y-%m-%d %H:%M:%S} UTC")
    print(f"tokens      {model.input_tokens:,} in, {model.output_tokens:,} out")
    print(
        f"verdict     {model.verdict}: a distillation job takes {MIN_PAIRS} to {MAX_PAIRS:,} pairs; there are {model.distinct_pairs}"
    )


def _funnel(model: ModelStats) -> list[list[str]]:
    filters = [
        loss
        for loss in model.losses
        if loss.reason in ("filter", "has_key", "where", "exclude_detail", "status")
    ]
    late = [loss for loss in model.losses if loss.reason in ("multi_turn", "duplicate")]
    statuses = [loss for loss in model.losses if loss not in filters and loss not in late]
    rows = [["records", f"{model.records:,}", ""]]
    rows += [[f"  {loss.reason}", f"-{loss.count:,}", loss.about] for loss in filters]
    if filters:
        rows.append(["matching", f"{model.matching:,}", ""])
    rows += [[f"  {loss.reason}", f"-{loss.count:,}", loss.about] for loss in statuses]
    rows.append(["pairs", f"{model.pairs:,}", ""])
    rows += [[f"  {loss.reason}", f"-{loss.count:,}", loss.about] for loss in late]
    rows.append(["distinct pairs", f"{model.distinct_pairs:,}", "what an export writes"])
    return rows


@takes_selection
def keys_command(
    selection: dict[str, Any],
    store: StoreOption = None,
    top: Annotated[int, typer.Option("--top", help="Show the N commonest values.", metavar="N", min=1)] = 5,
    json: JsonOption = False,
) -> None:
    """Which metadata keys there are, how many records have them, and what looks like a slip.

    \b
    Examples:
      logminer keys
      logminer keys --teacher meta.llama3-1-405b --status pair --top 10
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.output import print_json, print_table, say

    settings = config()
    census = pipeline.keys(store or settings.store, top=top, aliases=settings.aliases, **selection)
    if json:
        print_json(msgspec.to_builtins(census))
        return
    say(f"{census.records:,} records, {census.untagged:,} without any metadata")
    rows = [
        [
            repr(key.key) if key.key != key.key.strip() or not key.key else key.key,
            f"{key.records:,}",
            f"{100 * key.records / max(census.records, 1):.1f} %",
            f"{key.distinct_values:,}",
            ", ".join(f"{value or repr(value)} ({number:,})" for value, number in key.values.items()),
        ]
        for key in census.keys
    ]
    print_table(["key", "records", "share", "values", "commonest"], rows, right=[1, 2, 3])
    for key in census.keys:
        if key.look_alikes:
            say(f"{key.key!r} looks like {', '.join(map(repr, key.look_alikes))}")
        if key.refused:
            say(
                f"{key.key!r}: a Bedrock job's filter cannot take {' '.join(map(repr, key.refused))}; logminer's can"
            )


@takes_selection
def explain_command(
    selection: dict[str, Any],
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The request's id.")],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """One record's story: where it was logged, what it was judged to be and why, and where it was exported.

    Give a selection to see which parts of it the record meets.

    \b
    Examples:
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5
      logminer explain 7ee514f3-9eff-467c-af75-8fd564ce58e5 --filter 'project=CustomerService' --json
    """
    from logminer import pipeline
    from logminer.cli.output import print_json

    settings = config()
    story = pipeline.explain(request_id, store or settings.store, aliases=settings.aliases, **selection)
    if json:
        print_json(_story_facts(story))
    else:
        _print_story(story)


def _story_facts(story: Story) -> dict[str, Any]:
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
    from logminer.cli.output import text_of
    from logminer.query.explain import explain_status
    from logminer.query.view import printable

    shown = (
        "timestamp", "model_id", "model", "operation", "request_metadata", "stop_reason", "turns",
        "input_tokens", "output_tokens", "prompt_status", "redelivered", "source_uri", "source_position", "ingest_id",
    )  # fmt: skip
    for record, met in zip(story.records, story.conditions, strict=True):
        print(f"request_id       {printable(story.request_id)}")
        for line in explain_status(record["status"], record["status_detail"]):
            print(f"status           {printable(line)}")
        for name in shown:
            if record[name] is not None:
                print(f"{name:<16} {printable(text_of(record[name]))}")
        for name, meets in met.items():
            print(f"selection        {name}: {'met' if meets else 'not met'}")
        print()
    for entry in story.exports:
        print(
            f"exported         {entry.exported_at:%Y-%m-%d %H:%M:%S} UTC to {printable(entry.path)}, version {entry.store_version}"
        )
    if not story.exports:
        print("exported         never")
