"""Which records an export writes: of one teacher, each different pair once, at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logminer.errors import UsageError
from logminer.filters import Sql
from logminer.query.connection import printable
from logminer.query.count import count_lacking
from logminer.query.pairs import (
    PAIR_COLUMNS,
    PROMPT_COLUMNS,
    distinct_records,
    pair_conditions,
    prompt_conditions,
    turns_condition,
)
from logminer.query.selection import Condition, Selection, joined
from logminer.query.view import StoreView

CHOSEN = "chosen"
"""The temporary table of a choice: source_uri and source_position of its records."""

DISTINCT = "distinct_records"
"""The same before the limit."""

Turns = Literal["teacher", "single", "any"]
"""Which conversations are taken: those that their own teacher takes, those of one user turn, all."""

_MAX_NAMED_MODELS = 10
_MAX_NAMED_IDS = 3


@dataclass(frozen=True)
class Choice:
    """What was chosen, in the table `CHOSEN`, and how many records were left out on the way.

    `matching` are all pairs (or good prompts) of the selection, `usable` those with turns that the teacher
    takes, `distinct` the different ones of these, `lines` what is left of them under the limit. `conditions` are
    those of the matching records, `usable_conditions` those of the usable ones; of these the ones alike in the
    columns `same` count once.
    """

    model: str | None
    matching: int
    usable: int
    distinct: int
    lines: int
    input_tokens: int
    output_tokens: int
    lacking: dict[str, int]
    conditions: tuple[Condition, ...]
    usable_conditions: tuple[Condition, ...]
    same: tuple[str, ...]


def choose(
    view: StoreView,
    selection: Selection,
    *,
    prompts_only: bool,
    max_lines: int | None,
    turns: Turns = "teacher",
) -> Choice:
    """Choose records, and put them into the table `CHOSEN`. Raises UsageError where they have several models."""
    if max_lines is not None and max_lines < 1:
        raise UsageError("must be at least 1", where="--max", fix="Leave it out to write all.")
    conditions = prompt_conditions(view, selection) if prompts_only else pair_conditions(view, selection)
    # Prompts of anybody are for a teacher that is named later, in the job.
    is_anybodys = prompts_only and selection.teacher is None
    model = None if is_anybodys else _one_model(view, selection, conditions)
    usable = [*conditions]
    if turns != "any":
        of_one_model = turns == "teacher" and not is_anybodys
        usable.append(turns_condition(view, of_one_model=of_one_model))
    same = PROMPT_COLUMNS if prompts_only else PAIR_COLUMNS
    distinct = _put_distinct(view, distinct_records(view, selection, usable, same), selection)
    lines, input_tokens, output_tokens = _put_chosen(view, same[-1], max_lines)
    matching, lacking = count_lacking(view, selection, conditions)
    return Choice(
        model=model,
        matching=matching,
        usable=count_lacking(view, selection, usable, with_model=True)[0],
        distinct=distinct,
        lines=lines,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        lacking=lacking,
        conditions=tuple(conditions),
        usable_conditions=tuple(usable),
        same=same,
    )


def _put_distinct(view: StoreView, distinct: Sql, selection: Selection) -> int:
    view.query(f"CREATE OR REPLACE TEMP TABLE {DISTINCT} AS {distinct.text}", distinct.params, selection)
    (count,) = view.connection.ask(f"SELECT count(*) FROM {DISTINCT}").one()
    return int(count)


def _put_chosen(view: StoreView, digest: str, max_lines: int | None) -> tuple[int, int, int]:
    """Keep the smallest hashes; how many records that are, and their logged tokens in and out."""
    limit = f"ORDER BY {digest} LIMIT {int(max_lines)}" if max_lines is not None else ""
    view.connection.ask(f"CREATE OR REPLACE TEMP TABLE {CHOSEN} AS SELECT * FROM {DISTINCT} {limit}")
    sums = view.connection.ask(
        f"SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) FROM {CHOSEN}"
    )
    lines, input_tokens, output_tokens = sums.one()
    return int(lines), int(input_tokens), int(output_tokens)


def _one_model(view: StoreView, selection: Selection, conditions: list[Condition]) -> str | None:
    """The one model of the selected records; None where there are none. Raises UsageError."""
    where = joined(conditions)
    text = (
        "SELECT model, count(*) AS n, list(DISTINCT model_id ORDER BY model_id) "
        "FILTER (model_id IS NOT NULL) "
        f"FROM {view.relation(selection, with_model=True)} WHERE {where.text} "
        "GROUP BY model ORDER BY n DESC, model NULLS LAST"
    )
    rows = view.query(text, where.params, selection).all()
    if len(rows) > 1:
        listed = "; ".join(f"{_name(model, ids)} ({n:,})" for model, n, ids in rows[:_MAX_NAMED_MODELS])
        if len(rows) > _MAX_NAMED_MODELS:
            listed += f"; and {len(rows) - _MAX_NAMED_MODELS} more"
        raise UsageError(
            f"the matching records are of {len(rows)} models: {listed}",
            where="--teacher",
            fix="An export is of exactly one teacher: give --teacher MODEL, with the whole id.",
        )
    if rows and rows[0][0] is None:
        raise UsageError(
            f"the matching records are of {_name(*rows[0][::2])}",
            where="--teacher",
            fix='Say its model in logminer.toml: [models.aliases] "ID" = "MODEL"; see: logminer stats',
        )
    return rows[0][0] if rows else None


def _name(model: str | None, logged: list[str] | None) -> str:
    if model is not None:
        return printable(model)
    if not logged:
        return "records without a model id"
    shown = ", ".join(map(printable, logged[:_MAX_NAMED_IDS]))
    more = ", …" if len(logged) > _MAX_NAMED_IDS else ""
    return f"ids that do not say their model, {shown}{more}"
