"""Which records an export writes. Statistics count by the very same SQL, so that their last number is its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logminer.filters import Sql
from logminer.query.selection import TEXT_KEPT, Condition, Selection, joined
from logminer.query.view import ROW_ORDER, StoreView

# A throttled, truncated or empty answer carries a good prompt; what a guardrail blocked is none.
_GOOD_PROMPT = Condition(
    "prompt", "the prompt is no good", Sql(f"prompt_status = 'ok' AND status <> 'blocked' AND {TEXT_KEPT}")
)
_PAIR = Condition("pair", "no pair", Sql(f"status = 'pair' AND {TEXT_KEPT}"))


def pair_conditions(view: StoreView, selection: Selection) -> list[Condition]:
    """What makes a record a pair of the selection; its statuses narrow that, to nothing where `pair` is not one."""
    return [*view.conditions(selection), _PAIR]


def prompt_conditions(view: StoreView, selection: Selection) -> list[Condition]:
    """What makes a record's prompt fit to be answered anew, whatever became of its own answer."""
    return [*view.conditions(replace(selection, statuses=None)), _GOOD_PROMPT]


def turns_condition(view: StoreView, *, of_one_model: bool = True) -> Condition:
    """The turns that a record's own model takes as a teacher; a single one where the teacher is yet to be named."""
    sql = view.usable_turns() if of_one_model else Sql("coalesce(turns = 1, false)")
    return Condition("turns", "several user turns; this teacher takes one", sql)


def distinct_records(
    view: StoreView, selection: Selection, conditions: Sequence[Condition], same: Sequence[str]
) -> Sql:
    """SQL for the records that meet the conditions, of those that are alike in the columns `same` the first.

    Its columns are `same`, model, source_uri, source_position, input_tokens and output_tokens.
    """
    where = joined(conditions)
    columns = dict.fromkeys(
        [*same, "model", "source_uri", "source_position", "input_tokens", "output_tokens"]
    )
    text = (
        f"SELECT {', '.join(columns)} FROM {view.relation(selection, with_model=True)} WHERE {where.text} "
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join(same)} ORDER BY {ROW_ORDER}) = 1"
    )
    return Sql(text, where.params)


PAIR_COLUMNS = ("model", "pair_hash")
PROMPT_COLUMNS = ("prompt_hash",)
