"""`logminer dataset`: what an export wrote, with its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logminer.cli.options import number, takes_json
from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.datasets.comparing import DatasetDiff, LineName
    from logminer.datasets.manifest import Manifest

_PATH = typer.Argument(metavar="PATH", help="What was given to export -o, or its manifest.")
_SHOWN = typer.Option("--show", help="Name N lines of each kind.", metavar="N", parser=number("--show", 0))


@takes_json
def show_command(json: bool, path: Annotated[str, _PATH]) -> None:
    """What a dataset is made of, as its manifest says.

    \b
    Examples:
      logminer dataset show train.jsonl
      logminer dataset show s3://bucket/sets/train.jsonl --json
    """
    import msgspec

    from logminer import pipeline
    from logminer.cli.streams import print_json

    manifest = pipeline.dataset_manifest(path)
    if json:
        print_json(msgspec.to_builtins(manifest))
    else:
        _print_manifest(manifest)


def _print_manifest(manifest: Manifest) -> None:
    from logminer.cli.streams import show
    from logminer.datasets.comparing import flat

    show(f"{'model':<16}{manifest.model or '(any)'}")
    show(f"{'store version':<16}{manifest.store_version}")
    show(f"{'log objects':<16}{manifest.sources.count:,} ({manifest.sources.digest})")
    tokens = manifest.tokens
    uncounted = f", {counted(tokens.uncounted, 'line')} without counts" if tokens.uncounted else ""
    show(f"{'tokens':<16}{tokens.input:,} in, {tokens.output:,} out{uncounted}")
    versions = {"logminer": manifest.logminer_version, **manifest.engines}
    show(f"{'made by':<16}{', '.join(f'{name} {version}' for name, version in versions.items())}")
    for title, table in (("selection", manifest.selection), ("recipe", manifest.recipe)):
        _print_table(title, flat(table))
    for stage in manifest.funnel:
        counts = {**stage.dropped, **{f"{key} reported": n for key, n in stage.reported.items()}}
        counts |= {f"{key} changed": n for key, n in stage.changed.items()}
        counts |= {"made": stage.made} if stage.made else {}
        what = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
        show(f"{stage.stage:<24} {stage.entered:>9,} -> {stage.left:>9,}  {what}".rstrip())
    for file in manifest.files:
        lines = f"{counted(file.lines, 'line')}, " if file.lines is not None else ""
        show(f"{file.role:<16}{file.path} ({lines}{file.size_bytes:,} bytes)")


def _print_table(title: str, table: dict[str, Any]) -> None:
    from logminer.cli.records import text_of
    from logminer.cli.streams import show

    for index, (name, value) in enumerate(table.items()):
        show(f"{'' if index else title:<16}{name} = {text_of(value)}")


@takes_json
def verify_command(json: bool, path: Annotated[str, _PATH]) -> None:
    """Check that every file and line is still the one that was written.

    \b
    Examples:
      logminer dataset verify train.jsonl
      logminer dataset verify s3://bucket/sets/train.jsonl --json
    """
    from dataclasses import asdict

    from logminer import pipeline
    from logminer.cli.streams import print_json, show

    found = pipeline.verify_dataset(path)
    if json:
        print_json({"ok": found.ok, **asdict(found)})
    else:
        for odd in found.oddities:
            show(f"{odd.path}{f':{odd.line}' if odd.line is not None else ''}: {odd.problem}")
        faults = (
            f"; {counted(len(found.oddities), 'fault')}" if found.oddities else ", all as they were written"
        )
        show(f"{counted(found.files, 'file')}, {counted(found.lines, 'line')}{faults}")
    if not found.ok:
        raise typer.Exit(1)


@takes_json
def diff_command(
    json: bool,
    before: Annotated[str, typer.Argument(metavar="A", help="A dataset, or its manifest.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    shown: Annotated[int, _SHOWN] = 10,
) -> None:
    """Compare two datasets: lines that came, went and changed, and why.

    \b
    Examples:
      logminer dataset diff yesterday/train.jsonl today/train.jsonl
      logminer dataset diff a.jsonl b.jsonl --json
    """
    from logminer import pipeline
    from logminer.cli.streams import print_json

    diff = pipeline.diff_datasets(before, after)
    if json:
        print_json(_diff_facts(diff))
    else:
        _print_diff(diff, shown)


def _diff_facts(diff: DatasetDiff) -> dict[str, Any]:
    from dataclasses import asdict

    sets = [{**asdict(each), "share": each.share} for each in diff.sets]
    return {
        "same": diff.same,
        "sets": sets,
        "crossed": [asdict(each) for each in diff.crossed],
        "settings": {name: list(values) for name, values in diff.settings.items()},
    }


def _print_diff(diff: DatasetDiff, shown: int) -> None:
    from logminer.cli.records import text_of
    from logminer.cli.streams import show

    for each in diff.sets:
        share = f" ({100 * each.share:.1f} %)" if each.share is not None else ""
        show(
            f"{each.role:<9} {each.before:,} -> {counted(each.after, 'line')}; {each.stays:,} stay{share}, "
            f"{len(each.came):,} came, {len(each.went):,} went, {len(each.changed):,} changed"
        )
        for word, names in (("came", each.came), ("went", each.went), ("changed", each.changed)):
            _print_names(word, names, shown)
    if diff.crossed:
        show(f"{len(diff.crossed):,} changed sides between training and held-out")
        _print_names("crossed", diff.crossed, shown)
    for name, (old, new) in diff.settings.items():
        show(f"{name}: {_value(old, text_of)} -> {_value(new, text_of)}")


def _value(value: Any, text_of: Any) -> str:
    return "(none)" if value is None else str(text_of(value))


def _print_names(word: str, names: Sequence[LineName], shown: int) -> None:
    from logminer.cli.streams import show

    for name in names[:shown]:
        turn = f" turn {name.turn}" if name.turn is not None else ""
        show(f"  {word:<8} {name.request_id or f'{name.source_uri}:{name.source_position}'}{turn}")
    if shown and len(names) > shown:
        show(f"  {word:<8} and {len(names) - shown:,} more")
