"""An export: one teacher's distinct pairs, in a fixed order, into one whole file, and into the store's register."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from logminer.errors import CheckFailed, UsageError
from logminer.export.format import ExportFormat, ExportPair
from logminer.filters import Sql
from logminer.query.selection import Condition, Selection, joined
from logminer.query.view import ROW_ORDER, StoreView
from logminer.store.registry import ExportEntry, add_export
from logminer.store.storage import open_whole
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, turn_rule

_BATCH_ROWS = 2_000


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
    """What was written. `model` is None for prompts of several models; `routes` says what the file is for."""

    entry: ExportEntry
    model: str | None
    prompts_only: bool
    input_tokens: int
    output_tokens: int
    routes: tuple[str, ...]
    warnings: tuple[str, ...]


def export_pairs(view: StoreView, plan: ExportPlan) -> ExportReport:
    """Write the export.

    Raises UsageError where the pairs have several models, CheckFailed where they are fewer than 100. Nothing
    is written then.
    """
    if os.path.isdir(plan.path):
        raise UsageError("is a folder", where=plan.path, fix="Give the path of a file, such as train.jsonl.")
    selection, conditions = _conditions(view, plan)
    model = _one_model(view, plan, selection, conditions)
    if not plan.prompts_only and turn_rule(model or "") == "single":
        conditions = [*conditions, Condition("single_turn", "several user turns", Sql("turns = 1"))]
    chosen = _chosen(view, plan, selection, conditions)
    lines = _count(view, chosen, selection)
    if lines == 0 or (lines < MIN_PAIRS and not plan.allow_few):
        raise _too_few(lines, plan)
    entry, tokens = _write(view, plan, selection, chosen, model)
    add_export(view.storage, entry)
    return ExportReport(
        entry=entry,
        model=model,
        prompts_only=plan.prompts_only,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        routes=_routes(plan.prompts_only),
        warnings=_warnings(entry.lines),
    )


def _conditions(view: StoreView, plan: ExportPlan) -> tuple[Selection, list[Condition]]:
    if not plan.prompts_only:
        selection = replace(plan.selection, statuses=("pair",))
        return selection, view.conditions(selection)
    # A throttled or truncated answer carries a good prompt; one that a guardrail blocked does not.
    selection = replace(plan.selection, statuses=None)
    good = Condition("prompt", "the prompt is no good", Sql("prompt_status = 'ok' AND status <> 'blocked'"))
    return selection, [*view.conditions(selection), good]


def _one_model(
    view: StoreView, plan: ExportPlan, selection: Selection, conditions: list[Condition]
) -> str | None:
    """The one model of the selected records; None for prompts of several. Raises UsageError."""
    where = joined(conditions)
    relation = view.relation(selection, with_model=True)
    text = f"SELECT model, count(*) AS n FROM {relation} WHERE {where.text} GROUP BY model ORDER BY n DESC, model"
    rows = view.query(Sql(text, where.params), selection).fetchall()
    models = [model for model, _ in rows]
    if len(models) == 1 and (models[0] is not None or plan.prompts_only):
        return models[0]  # type: ignore[no-any-return]
    if plan.prompts_only or not models:
        return None
    listed = "; ".join(f"{model or 'unresolved ids'} ({n:,})" for model, n in rows)
    raise UsageError(
        f"the matching pairs are of {len(models)} models: {listed}"
        if len(models) > 1
        else "the matching pairs are of model ids that do not say their model",
        where="--teacher",
        fix="Pairs must be of exactly one teacher: give --teacher MODEL."
        if len(models) > 1
        else 'Name the model in logminer.toml: [models.aliases] "ID" = "MODEL"; see: logminer stats',
    )


def _chosen(view: StoreView, plan: ExportPlan, selection: Selection, conditions: list[Condition]) -> Sql:
    """SQL for source and position of the records to write: of equal ones the first."""
    digest = "prompt_hash" if plan.prompts_only else "pair_hash"
    where = joined(conditions)
    text = (
        f"SELECT source_uri, source_position FROM {view.relation(selection)} WHERE {where.text} "
        f"QUALIFY row_number() OVER (PARTITION BY {digest} ORDER BY {ROW_ORDER}) = 1"
    )
    if plan.max_lines is not None:
        text += f" ORDER BY {digest} LIMIT {int(plan.max_lines)}"
    return Sql(text, where.params)


def _count(view: StoreView, chosen: Sql, selection: Selection) -> int:
    row = view.query(Sql(f"SELECT count(*) FROM ({chosen.text})", chosen.params), selection).fetchone()
    assert row is not None
    return int(row[0])


def _write(
    view: StoreView, plan: ExportPlan, selection: Selection, chosen: Sql, model: str | None
) -> tuple[ExportEntry, tuple[int, int]]:
    digest = hashlib.sha256()
    request_ids: list[str] = []
    tokens = [0, 0]
    size_bytes = lines = 0
    with open_whole(os.path.abspath(plan.path)) as stream:
        for request_id, pair, input_tokens, output_tokens in _pairs(view, plan, selection, chosen):
            line = plan.format.write_line(pair)
            stream.write(line)
            digest.update(line)
            size_bytes += len(line)
            lines += 1
            tokens[0] += input_tokens or 0
            tokens[1] += output_tokens or 0
            request_ids.append(request_id or "")
    now = datetime.now(UTC)
    entry = ExportEntry(
        export_id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        exported_at=now,
        format=plan.format.name,
        path=os.path.abspath(plan.path),
        sha256=digest.hexdigest(),
        size_bytes=size_bytes,
        lines=lines,
        store_version=view.version,
        model=model,
        selection=plan.selection.as_dict() | _plan_options(plan),
        request_ids=request_ids,
    )
    return entry, (tokens[0], tokens[1])


def _plan_options(plan: ExportPlan) -> dict[str, Any]:
    options = {"prompts_only": plan.prompts_only, "max": plan.max_lines}
    return {name: value for name, value in options.items() if value}


def _pairs(
    view: StoreView, plan: ExportPlan, selection: Selection, chosen: Sql
) -> Iterator[tuple[str | None, ExportPair, int | None, int | None]]:
    # Texts are read for the chosen records alone: which those are is decided without them.
    response = "NULL" if plan.prompts_only else "response"
    text = (
        f"SELECT request_id, system, messages, {response}, input_tokens, output_tokens "
        f"FROM {view.relation(selection)} SEMI JOIN ({chosen.text}) USING (source_uri, source_position) "
        f"ORDER BY {ROW_ORDER}"
    )
    cursor = view.query(Sql(text, chosen.params), selection)
    while rows := cursor.fetchmany(_BATCH_ROWS):
        for request_id, system, messages, answer, input_tokens, output_tokens in rows:
            yield request_id, ExportPair(system, messages, answer), input_tokens, output_tokens


def _too_few(lines: int, plan: ExportPlan) -> CheckFailed:
    what = "prompts" if plan.prompts_only else "pairs"
    return CheckFailed(
        f"{lines} {what} match; a distillation job needs {MIN_PAIRS}" if lines else f"no {what} match",
        where=plan.path,
        fix="Nothing was written. Widen --filter or --since, "
        + ("or write them all the same with --allow-few." if lines else "and see: logminer stats."),
    )


def _warnings(lines: int) -> tuple[str, ...]:
    warnings = []
    if lines < MIN_PAIRS:
        warnings.append(f"{lines} lines are fewer than the {MIN_PAIRS} that a distillation job needs.")
    if lines > MAX_PAIRS:
        warnings.append(
            f"{lines:,} lines are more than the {MAX_PAIRS:,} that a distillation job takes. "
            f"Choose with --max {MAX_PAIRS}, or narrow --since or --filter."
        )
    return tuple(warnings)


def _routes(prompts_only: bool) -> tuple[str, ...]:
    if prompts_only:
        return (
            "distillation job, trainingDataConfig.s3Uri: the teacher answers the prompts anew, and is paid for that",
        )
    return (
        "distillation job, trainingDataConfig.s3Uri: the pairs are golden examples; the teacher answers the "
        "prompts anew, and is paid for that",
        "fine-tuning job of the student: trains on these answers as they are; the teacher is not called",
    )
