"""An export: one teacher's distinct pairs, in a fixed order, as one whole file and an entry of the store's register."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from logminer.errors import CheckFailed
from logminer.exports.choice import CHOSEN, Choice, choose
from logminer.exports.format import ExportFormat, ExportPair
from logminer.exports.routes import fitting_routes, other_routes
from logminer.outputs import check_output, open_output
from logminer.query.hints import filter_hints
from logminer.query.selection import Selection
from logminer.query.view import ROW_ORDER, StoreView
from logminer.store.registry import EXPORTS_FOLDER, ExportEntry, add_export
from logminer.teachers import MAX_PAIRS, MIN_PAIRS


@dataclass(frozen=True)
class ExportPlan:
    """What is to be written.

    `prompts_only` takes every good prompt, of any model unless the selection names a teacher. `max_lines`
    keeps those with the smallest hashes, so that the choice stays the same while logs grow.
    """

    selection: Selection
    format: ExportFormat
    path: str
    prompts_only: bool = False
    max_lines: int | None = None
    allow_few: bool = False


@dataclass(frozen=True)
class ExportReport:
    """What was written, what was left out, and what the file is for.

    `model` is None for prompts of no particular teacher. `multi_turn` counts conversations that the teacher does
    not take, `duplicates` records that say the same as one that is written, `over_max` those that `max_lines`
    cut off. `lacking` is as in `Count`, of all pairs or prompts of the selection. `other_routes` are those that
    the file does not fit, and why.
    """

    entry: ExportEntry
    model: str | None
    prompts_only: bool
    input_tokens: int
    output_tokens: int
    multi_turn: int
    duplicates: int
    over_max: int
    lacking: dict[str, int]
    routes: tuple[str, ...]
    other_routes: tuple[str, ...]
    warnings: tuple[str, ...]


def export_pairs(view: StoreView, plan: ExportPlan) -> ExportReport:
    """Write the export.

    Raises UsageError where the pairs have several models, CheckFailed where they are fewer than 100: then nothing
    is written. Where writing fails (StorageError, KeyboardInterrupt), nothing of it stays.
    """
    path = check_output(plan.path, view.storage)
    choice = choose(view, plan.selection, prompts_only=plan.prompts_only, max_lines=plan.max_lines)
    if choice.lines == 0 or (choice.lines < MIN_PAIRS and not plan.allow_few):
        raise _too_few(view, plan, choice.lines)
    return ExportReport(
        entry=_write(view, plan, choice, path),
        model=choice.model,
        prompts_only=plan.prompts_only,
        input_tokens=choice.input_tokens,
        output_tokens=choice.output_tokens,
        multi_turn=choice.matching - choice.usable,
        duplicates=choice.usable - choice.distinct,
        over_max=choice.distinct - choice.lines,
        lacking=choice.lacking,
        routes=fitting_routes(prompts_only=plan.prompts_only),
        other_routes=other_routes(prompts_only=plan.prompts_only),
        warnings=_warnings(choice.lines),
    )


def _write(view: StoreView, plan: ExportPlan, choice: Choice, path: str) -> ExportEntry:
    """The file and its entry in the register: both, or none."""
    now = datetime.now(UTC)
    export_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    try:
        with open_output(path) as stream:
            written = _write_lines(view, plan, stream)
            assert len(written.request_ids) == choice.lines
            entry = ExportEntry(
                export_id=export_id,
                exported_at=now,
                format=plan.format.name,
                path=path,
                sha256=written.sha256,
                size_bytes=written.size_bytes,
                lines=choice.lines,
                store_version=view.version,
                model=choice.model,
                selection=_options(plan),
                request_ids=written.request_ids,
            )
            # Before the file appears under its name: an entry can be taken back, a file that was there cannot.
            add_export(view.storage, entry)
    except BaseException:
        view.storage.delete(f"{EXPORTS_FOLDER}/{export_id}.json")
        raise
    return entry


@dataclass(frozen=True)
class _Written:
    sha256: str
    size_bytes: int
    request_ids: list[str]


def _write_lines(view: StoreView, plan: ExportPlan, stream: BinaryIO) -> _Written:
    digest = hashlib.sha256()
    size_bytes = 0
    request_ids: list[str] = []
    for request_id, pair in _pairs(view, plan):
        line = plan.format.write_line(pair)
        stream.write(line)
        digest.update(line)
        size_bytes += len(line)
        request_ids.append(request_id)
    return _Written(digest.hexdigest(), size_bytes, request_ids)


def _pairs(view: StoreView, plan: ExportPlan) -> Iterator[tuple[str, ExportPair]]:
    """The chosen records in the order of `select`, date by date: texts of one day are in memory, not all."""
    response = "NULL" if plan.prompts_only else "response"
    for day in view.days(plan.selection):
        selection = plan.selection.within(day)
        text = (
            f"SELECT coalesce(request_id, ''), system, messages, {response} FROM {view.relation(selection)} "
            f"SEMI JOIN {CHOSEN} USING (source_uri, source_position) ORDER BY {ROW_ORDER}"
        )
        for request_id, system, messages, answer in view.query(text, (), selection):
            yield request_id, ExportPair(system, messages, answer)


def _options(plan: ExportPlan) -> dict[str, Any]:
    """What was asked for, by the names of the flags."""
    more = {"prompts_only": plan.prompts_only, "max": plan.max_lines}
    options = plan.selection.as_options()
    del options["status"]  # an export has none
    return options | {name: value for name, value in more.items() if value}


def _too_few(view: StoreView, plan: ExportPlan, lines: int) -> CheckFailed:
    what = "prompts" if plan.prompts_only else "pairs"
    if lines:
        return CheckFailed(
            f"{lines} different {what} match; a distillation job needs {MIN_PAIRS}",
            where=plan.path,
            fix="Nothing was written. Widen --filter or --since, or write them all the same with --allow-few.",
        )
    hints = filter_hints(view, plan.selection)
    return CheckFailed(
        f"no {what} match",
        where=plan.path,
        fix=" ".join(["Nothing was written.", *hints, "What is lost where: logminer stats."]),
    )


def _warnings(lines: int) -> tuple[str, ...]:
    if lines < MIN_PAIRS:
        return (f"{lines} lines are fewer than the {MIN_PAIRS} that a distillation job needs.",)
    if lines > MAX_PAIRS:
        too_many = f"{lines:,} lines are more than the {MAX_PAIRS:,} that a distillation job takes."
        return (f"{too_many} Choose with --max {MAX_PAIRS}, or narrow --since or --filter.",)
    return ()
