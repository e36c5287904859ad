"""Which records an export writes: of one teacher, each different pair once, at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logminer.errors import UsageError
from logminer.filters import Sql
from logminer.printable import printable
from logminer.query.count import read_lacking
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
    usable = [*conditions]
    if turns != "any":
        of_one_model = turns == "teacher" and not is_anybodys
        usable.append(turns_condition(view, of_one_model=of_one_model))
    models = _models(view, selection, conditions, usable[len(conditions) :])
    model = None if is_anybodys else _one_model(models)
    same = PROMPT_COLUMNS if prompts_only else PAIR_COLUMNS
    distinct = _put_distinct(view, distinct_records(view, selection, usable, same), selection)
    lines, input_tokens, output_tokens = _put_chosen(view, same[-1], max_lines)
    return Choice(
        model=model,
        matching=sum(each.matching for each in models),
        usable=sum(each.usable for each in models),
        distinct=distinct,
        lines=lines,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        lacking=read_lacking(view, selection, conditions),
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


@dataclass(frozen=True, slots=True)
class _Model:
    """The records of one model: how many match, how many of them have usable turns, and its ids as logged."""

    model: str | None
    matching: int
    usable: int
    logged: list[str] | None


def _models(
    view: StoreView, selection: Selection, conditions: list[Condition], turns: list[Condition]
) -> list[_Model]:
    """The models of the matching records, the commonest first."""
    where, usable = joined(conditions), joined(turns)
    text = (
        f"SELECT model, count(*) AS n, count(*) FILTER ({usable.text}), "
        "list(DISTINCT model_id ORDER BY model_id) FILTER (model_id IS NOT NULL) "
        f"FROM {view.relation(selection, with_model=True)} WHERE {where.text} "
        "GROUP BY model ORDER BY n DESC, model NULLS LAST"
    )
    return [_Model(*row) for row in view.query(text, (*usable.params, *where.params), selection)]


def _one_model(models: list[_Model]) -> str | None:
    """The one model of the matching records; None where there are none. Raises UsageError."""
    if len(models) > 1:
        named = models[:_MAX_NAMED_MODELS]
        listed = "; ".join(f"{_name(each.model, each.logged)} ({each.matching:,})" for each in named)
        if len(models) > _MAX_NAMED_MODELS:
            listed += f"; and {len(models) - _MAX_NAMED_MODELS} more"
        raise UsageError(
            f"the matching records are of {len(models)} models: {listed}",
            where="--teacher",
            fix="An export is of exactly one teacher: give --teacher MODEL, with the whole id.",
        )
    if models and models[0].model is None:
        raise UsageError(
            f"the matching records are of {_name(None, models[0].logged)}",
            where="--teacher",
            fix='Say its model in logminer.toml: [models.aliases] "ID" = "MODEL"; see: logminer stats',
        )
    return models[0].model if models else None


def _name(model: str | None, logged: list[str] | None) -> str:
    if model is not None:
        return printable(model)
    if not logged:
        return "records without a model id"
    shown = ", ".join(map(printable, logged[:_MAX_NAMED_IDS]))
    more = ", …" if len(logged) > _MAX_NAMED_IDS else ""
    return f"ids that do not say their model, {shown}{more}"
