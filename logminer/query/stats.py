"""Readiness for distillation: from all records of a teacher to the pairs that an export writes, each loss named."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from logminer.filters import Sql, compile_lacks_key
from logminer.models import ModelForm, ModelId
from logminer.query.count import filter_hints
from logminer.query.selection import Condition, Selection, joined
from logminer.query.view import UTC_TIMESTAMP, StoreView, as_utc
from logminer.statuses import STATUSES
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, turn_rule

# Selection conditions that a loss is counted for; all others only say which records are looked at.
_JUDGED = frozenset({"filter", "has_key", "where", "status", "exclude_detail"})


@dataclass(frozen=True, slots=True)
class Loss:
    """Records that are left out at one step of the funnel. `reason` is a status or a word of this module."""

    reason: str
    about: str
    count: int


@dataclass(frozen=True)
class ModelStats:
    """One model's funnel.

    `records` are the stored records of the model in the time span and scope asked for, re-deliveries left
    out; `matching` those that the filter takes; `pairs` those with status `pair` (and not excluded by a
    detail); `distinct_pairs` those that an export writes: every different pair once, with single-turn
    conversations alone where the teacher takes no others. Token sums are over the distinct pairs' logged
    counts. `model` is None for opaque ids that nothing resolves.
    """

    model: str | None
    logged: dict[str, int]
    forms: dict[ModelForm, int]
    turns: str
    records: int
    matching: int
    pairs: int
    distinct_pairs: int
    losses: tuple[Loss, ...]
    input_tokens: int
    output_tokens: int
    first: datetime | None
    last: datetime | None

    @property
    def verdict(self) -> str:
        """`ready`, `too few` (under 100 pairs) or `too many` (over 15,000)."""
        if self.distinct_pairs < MIN_PAIRS:
            return "too few"
        return "too many" if self.distinct_pairs > MAX_PAIRS else "ready"


@dataclass(frozen=True)
class Stats:
    """The funnel of every model, those with the most pairs first.

    `statuses` counts all records looked at by status. `lacking` is as in `Count`.
    """

    version: int
    rows: int
    redelivered: int
    statuses: dict[str, int]
    models: tuple[ModelStats, ...]
    lacking: dict[str, int] = field(default_factory=dict)
    hints: tuple[str, ...] = ()


def read_stats(view: StoreView, selection: Selection) -> Stats:
    """Statistics of a selection. Its statuses narrow what counts as matching; by default all do."""
    conditions = view.conditions(selection)
    scope = [each for each in conditions if each.name not in _JUDGED]
    groups = _read_groups(view, selection, scope, [each for each in conditions if each.name in _JUDGED])
    distinct = _read_distinct(view, selection, conditions)
    resolved = view.models()
    by_model: dict[str | None, list[_Group]] = defaultdict(list)
    for group in groups:
        by_model[_model_key(group.model_id, resolved)].append(group)
    models = [_model_stats(model, rows, distinct, resolved) for model, rows in by_model.items()]
    models.sort(key=lambda each: (-each.distinct_pairs, -each.records, each.model or ""))
    statuses: dict[str, int] = defaultdict(int)
    for group in groups:
        statuses[group.status] += group.count
    lacking = _read_lacking(view, selection, conditions)
    matched = sum(model.matching for model in models)
    return Stats(
        version=view.version,
        rows=view.snapshot.rows,
        redelivered=_read_redelivered(view, selection, scope),
        statuses={name: statuses[name] for name in STATUSES if statuses[name]},
        models=tuple(models),
        lacking=lacking,
        hints=() if matched else filter_hints(view, selection),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Records of one logged id that are alike in all that the funnel asks."""

    model_id: str | None
    status: str
    lost_to: str  # the judged condition that they fail first, empty where none
    multi_turn: bool
    count: int
    first: datetime
    last: datetime


def _model_key(model_id: str | None, resolved: dict[str, ModelId]) -> str | None:
    known = resolved.get(model_id) if model_id is not None else None
    return known.model if known is not None else None


def _read_groups(
    view: StoreView, selection: Selection, scope: list[Condition], judged: list[Condition]
) -> list[_Group]:
    cases = "".join(f"WHEN NOT coalesce({each.sql.text}, false) THEN '{each.name}' " for each in judged)
    lost_to = f"CASE {cases}ELSE '' END" if judged else "''"
    params = [param for each in judged for param in each.sql.params]
    where = joined(scope)
    text = (
        f"SELECT model_id, status, {lost_to} AS lost_to, coalesce(turns > 1, false) AS multi_turn, "
        f"count(*), min({UTC_TIMESTAMP}), max({UTC_TIMESTAMP}) FROM {view.relation(selection)} "
        f"WHERE {where.text} GROUP BY ALL"
    )
    rows = view.query(Sql(text, (*params, *where.params)), selection).fetchall()
    return [_Group(*row[:5], as_utc(row[5]), as_utc(row[6])) for row in rows]


@dataclass(frozen=True, slots=True)
class _Distinct:
    """Distinct pairs of one logged id, of all or of single-turn conversations."""

    pairs: int
    input_tokens: int
    output_tokens: int


def _read_distinct(
    view: StoreView, selection: Selection, conditions: list[Condition]
) -> dict[tuple[str | None, bool], _Distinct]:
    """Distinct pairs by model, for all conversations (False) and for single-turn ones (True)."""
    pairs_only = replace(selection, statuses=("pair",))
    where = joined([each for each in conditions if each.name != "status"])
    relation = view.relation(pairs_only, with_model=True)
    found: dict[tuple[str | None, bool], _Distinct] = {}
    for single in (False, True):
        rows = view.query(
            Sql(
                "SELECT model, count(*), sum(input_tokens), sum(output_tokens) FROM ("
                "SELECT model, pair_hash, min(input_tokens) AS input_tokens, min(output_tokens) AS output_tokens "
                f"FROM {relation} WHERE {where.text} AND status = 'pair'"
                f"{' AND turns = 1' if single else ''} GROUP BY model, pair_hash) GROUP BY model",
                where.params,
            ),
            selection,
        ).fetchall()
        for model, pairs, input_tokens, output_tokens in rows:
            found[model, single] = _Distinct(pairs, int(input_tokens or 0), int(output_tokens or 0))
    return found


def _model_stats(
    model: str | None,
    groups: list[_Group],
    distinct: dict[tuple[str | None, bool], _Distinct],
    resolved: dict[str, ModelId],
) -> ModelStats:
    turns = turn_rule(model or "")
    logged: dict[str, int] = defaultdict(int)
    forms: dict[ModelForm, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    pairs = multi_turn = 0
    for group in groups:
        logged[group.model_id or ""] += group.count
        if group.model_id is not None:
            forms[resolved[group.model_id].form] += group.count
        if group.lost_to:
            lost[group.lost_to] += group.count
        elif group.status != "pair":
            lost[group.status] += group.count
        else:
            pairs += group.count
            multi_turn += group.count if group.multi_turn else 0
    final = distinct.get((model, turns == "single"), _Distinct(0, 0, 0))
    records = sum(group.count for group in groups)
    usable = pairs - multi_turn if turns == "single" else pairs
    lost_to_filters = sum(count for reason, count in lost.items() if reason in _JUDGED)
    losses = [Loss(name, _JUDGED_ABOUT[name], lost[name]) for name in _JUDGED_ABOUT if lost[name]]
    losses += [Loss(name, STATUSES[name], lost[name]) for name in STATUSES if lost[name]]
    if turns == "single" and multi_turn:
        losses.append(Loss("multi_turn", "several user turns; this teacher takes one", multi_turn))
    if usable > final.pairs:
        losses.append(Loss("duplicate", "the same pair as one that is kept", usable - final.pairs))
    kept = [group for group in groups if not group.lost_to and group.status == "pair"]
    return ModelStats(
        model=model,
        logged=dict(sorted(logged.items(), key=lambda item: (-item[1], item[0]))),
        forms=dict(sorted(forms.items(), key=lambda item: (-item[1], item[0]))),
        turns=turns,
        records=records,
        matching=records - lost_to_filters,
        pairs=pairs,
        distinct_pairs=final.pairs,
        losses=tuple(losses),
        input_tokens=final.input_tokens,
        output_tokens=final.output_tokens,
        first=min((group.first for group in kept), default=None),
        last=max((group.last for group in kept), default=None),
    )


_JUDGED_ABOUT = {
    "filter": "the filter does not match",
    "has_key": "a metadata key of --has-key is missing",
    "where": "--where does not match",
    "exclude_detail": "has an excluded detail",
    "status": "another status than asked for",
}


def _read_lacking(view: StoreView, selection: Selection, conditions: list[Condition]) -> dict[str, int]:
    """Of the usable pairs: how many lack a key that the filter compares with `!=`."""
    keys = selection.filter.negated_keys if selection.filter is not None else ()
    if not keys:
        return {}
    where = joined(conditions)
    tests = [compile_lacks_key([key], view.promoted(selection)) for key in keys]
    counts = ", ".join(f"count(*) FILTER ({test.text})" for test in tests)
    params = [param for test in tests for param in test.params]
    text = f"SELECT {counts} FROM {view.relation(selection)} WHERE {where.text} AND status = 'pair'"
    row = view.query(Sql(text, (*params, *where.params)), selection).fetchone()
    assert row is not None
    return dict(zip(keys, map(int, row), strict=True))


def _read_redelivered(view: StoreView, selection: Selection, scope: list[Condition]) -> int:
    where = joined([each for each in scope if each.name != "stored"])
    text = f"SELECT count(*) FROM {view.relation(selection)} WHERE redelivered AND {where.text}"
    row: Any = view.query(Sql(text, where.params), selection).fetchone()
    return int(row[0])
