"""Readiness for distillation: from all records of a teacher to the pairs of an export, each loss named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from logminer.filters import Sql
from logminer.models import ModelForm
from logminer.query.count import read_lacking
from logminer.query.hints import filter_hints
from logminer.query.pairs import PAIR_COLUMNS, distinct_records, pair_conditions, turns_condition
from logminer.query.selection import TEXT_KEPT, Condition, Selection, joined
from logminer.query.view import StoreView, as_utc
from logminer.statuses import STATUSES
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, turn_rule

# Selection conditions that a loss is counted for; all others only say which records are looked at.
_JUDGED = {
    "filter": "the filter does not match",
    "has_key": "a metadata key of --has-key is missing",
    "where": "--where does not match",
    "exclude_detail": "has an excluded detail",
    "status": "another status than asked for",
}
_LATE = {
    "multi_turn": "several user turns; this teacher takes one",
    "duplicate": "the same pair as one that is kept",
}
_WITHOUT_TEXT = {"text_not_kept": "a pair, but the ingest was told to keep no text of it"}
_REASONS = {**_JUDGED, **STATUSES, **_WITHOUT_TEXT, **_LATE}

_Name = TypeVar("_Name", str, ModelForm)


@dataclass(frozen=True, slots=True)
class Loss:
    """Records that are left out at one step of the funnel. `reason` is a status or a word of this module."""

    reason: str
    about: str
    count: int


@dataclass(frozen=True)
class ModelStats:
    """One model's funnel: `records` less all `losses` are `distinct_pairs`.

    `records` are the stored records of the model in the time span and scope asked for, re-deliveries left out;
    `matching` those that the filter and its like take; `pairs` those of them with status `pair` and a text;
    `distinct_pairs` those that an export writes: every different pair once, with single-turn conversations alone
    where the teacher takes no others. Token sums are over the distinct pairs' logged counts; `first` and `last`
    are the times of the `pairs`. `logged` counts the records by model id as logged ("" for none), `forms` by the
    form of that id. `model` is None for opaque ids that nothing resolves.
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
    """The funnel of every model, those with the most pairs first; the asked teacher's even without records.

    `rows` are all of the store, `redelivered` the re-deliveries in the scope asked for, `statuses` all records
    looked at by status. `unresolved` counts the records of model ids that nothing resolves, whatever teacher was
    asked for: some may be the teacher's. `lacking` is as in `Count`, of the pairs.
    """

    version: int
    rows: int
    redelivered: int
    statuses: dict[str, int]
    models: tuple[ModelStats, ...]
    unresolved: dict[str, int] = field(default_factory=dict)
    lacking: dict[str, int] = field(default_factory=dict)
    hints: tuple[str, ...] = ()


def read_stats(view: StoreView, selection: Selection) -> Stats:
    """Statistics of a selection. Its statuses narrow what counts as matching; by default all do."""
    conditions = view.conditions(selection)
    scope = [each for each in conditions if each.name not in _JUDGED]
    groups = _read_groups(view, selection, scope, [each for each in conditions if each.name in _JUDGED])
    models = _models(view, selection, groups)
    statuses: Counter[str] = Counter()
    for group in groups:
        statuses[group.status] += group.count
    return Stats(
        version=view.version,
        rows=view.snapshot.rows,
        redelivered=_read_redelivered(view, selection, scope),
        statuses={name: statuses[name] for name in STATUSES if statuses[name]},
        models=models,
        unresolved=_unresolved(view, selection, scope, groups),
        lacking=read_lacking(view, selection, pair_conditions(view, selection)),
        hints=() if any(model.matching for model in models) else filter_hints(view, selection),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Records of one logged id that are alike in all that the funnel asks."""

    model_id: str | None
    model: str | None
    status: str
    lost_to: str  # the judged condition that they fail first, empty where none
    one_turn: bool
    has_text: bool
    count: int
    first: datetime
    last: datetime

    @property
    def loss(self) -> str:
        """Why they are no usable pairs; empty where they are."""
        if self.lost_to:
            return self.lost_to
        if self.status != "pair":
            return self.status
        if not self.has_text:
            return "text_not_kept"
        return "" if self.one_turn or turn_rule(self.model or "") == "multi" else "multi_turn"

    @property
    def are_pairs(self) -> bool:
        return not self.lost_to and self.status == "pair" and self.has_text


def _read_groups(
    view: StoreView, selection: Selection, scope: Sequence[Condition], judged: Sequence[Condition]
) -> list[_Group]:
    cases = "".join(f"WHEN NOT coalesce({each.sql.text}, false) THEN '{each.name}' " for each in judged)
    lost_to = f"CASE {cases}ELSE '' END" if judged else "''"
    where = joined(scope)
    params = [param for each in judged for param in each.sql.params]
    # What a model id means is asked per group, not per row.
    text = (
        f"SELECT model_id, status, {lost_to}, coalesce(turns = 1, false), {TEXT_KEPT}, count(*), "
        "min(timestamp) AT TIME ZONE 'UTC', max(timestamp) AT TIME ZONE 'UTC' "
        f"FROM {view.relation(selection)} WHERE {where.text} GROUP BY ALL"
    )
    rows = view.query(text, (*params, *where.params), selection)
    return [
        _Group(
            model_id, _model_of(view, model_id), status, lost, one, has_text, n, as_utc(first), as_utc(last)
        )
        for model_id, status, lost, one, has_text, n, first, last in rows
    ]


def _model_of(view: StoreView, model_id: str | None) -> str | None:
    return view.resolve(model_id).model if model_id is not None else None


@dataclass(frozen=True, slots=True)
class _Distinct:
    """The distinct pairs of one model that an export writes."""

    pairs: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def _read_distinct(view: StoreView, selection: Selection) -> dict[str | None, _Distinct]:
    """The distinct pairs by model; tokens are those of the first record of each."""
    conditions = [*pair_conditions(view, selection), turns_condition(view)]
    pairs = _pair_groups(view, selection, conditions)
    text = (
        "SELECT model, count(*), sum(input_tokens) FILTER (alike), sum(output_tokens) FILTER (alike), "
        f"count(*) FILTER (NOT alike) FROM ({pairs.text}) GROUP BY model"
    )
    rows = view.query(text, pairs.params, selection).all()
    others = _read_unlike(view, selection, conditions, pairs) if any(row[-1] for row in rows) else {}
    found = {}
    for model, count, input_tokens, output_tokens, _ in rows:
        more = others.get(model, (0, 0))
        found[model] = _Distinct(count, int(input_tokens or 0) + more[0], int(output_tokens or 0) + more[1])
    return found


def _pair_groups(view: StoreView, selection: Selection, conditions: Sequence[Condition]) -> Sql:
    """SQL for one row per distinct pair: its tokens, and whether those of all its records are `alike`.

    Where they are, nobody has to find out which record is the first: that takes three times as long.
    """
    where = joined(conditions)
    alike = " AND ".join(
        f"min({name}) IS NOT DISTINCT FROM max({name}) AND count({name}) IN (0, count(*))"
        for name in ("input_tokens", "output_tokens")
    )
    text = (
        f"SELECT {', '.join(PAIR_COLUMNS)}, min(input_tokens) AS input_tokens, min(output_tokens) AS output_tokens, "
        f"{alike} AS alike FROM {view.relation(selection, with_model=True)} WHERE {where.text} GROUP BY ALL"
    )
    return Sql(text, where.params)


def _read_unlike(
    view: StoreView, selection: Selection, conditions: Sequence[Condition], pairs: Sql
) -> dict[str | None, tuple[int, int]]:
    """Tokens by model of the distinct pairs whose records have different ones."""
    unlike = f"(SELECT {', '.join(PAIR_COLUMNS)} FROM ({pairs.text}) WHERE NOT alike)"
    same = f"(pair_hash IS NULL OR pair_hash IN (SELECT pair_hash FROM {unlike}))"
    among = Condition("unlike", "its tokens are clear", Sql(same, pairs.params))
    chosen = distinct_records(view, selection, [*conditions, among], PAIR_COLUMNS)
    joint = " AND ".join(f"chosen.{name} IS NOT DISTINCT FROM unlike.{name}" for name in PAIR_COLUMNS)
    text = (
        "SELECT chosen.model, coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) "
        f"FROM ({chosen.text}) AS chosen SEMI JOIN {unlike} AS unlike ON {joint} GROUP BY chosen.model"
    )
    rows = view.query(text, (*chosen.params, *pairs.params), selection)
    return {model: (int(input_tokens), int(output_tokens)) for model, input_tokens, output_tokens in rows}


def _models(view: StoreView, selection: Selection, groups: Iterable[_Group]) -> tuple[ModelStats, ...]:
    by_model: dict[str | None, list[_Group]] = {model: [] for model in _asked_models(view, selection)}
    for group in groups:
        by_model.setdefault(group.model, []).append(group)
    distinct = _read_distinct(view, selection)
    found = [
        _model_stats(view, model, rows, distinct.get(model, _Distinct())) for model, rows in by_model.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.distinct_pairs, -each.records, each.model or "")))


def _asked_models(view: StoreView, selection: Selection) -> list[str]:
    """The models that the teacher means, though there be no record of them."""
    if selection.teacher is None:
        return []
    match = view.match_teacher(selection.teacher)
    return [candidate.model for candidate in match.candidates]


def _model_stats(
    view: StoreView, model: str | None, groups: Sequence[_Group], final: _Distinct
) -> ModelStats:
    records = sum(group.count for group in groups)
    pairs = [group for group in groups if group.are_pairs]
    lost: Counter[str] = Counter()
    for group in groups:
        if group.loss:
            lost[group.loss] += group.count
    lost["duplicate"] = records - lost.total() - final.pairs
    return ModelStats(
        model=model,
        logged=_commonest_first((group.model_id or "", group.count) for group in groups),
        forms=_commonest_first(
            (view.resolve(group.model_id).form, group.count) for group in groups if group.model_id is not None
        ),
        turns=turn_rule(model or ""),
        records=records,
        matching=records - sum(lost[reason] for reason in _JUDGED),
        pairs=sum(group.count for group in pairs),
        distinct_pairs=final.pairs,
        losses=tuple(Loss(reason, _REASONS[reason], lost[reason]) for reason in _REASONS if lost[reason]),
        input_tokens=final.input_tokens,
        output_tokens=final.output_tokens,
        first=min((group.first for group in pairs), default=None),
        last=max((group.last for group in pairs), default=None),
    )


def _commonest_first(counts: Iterable[tuple[_Name, int]]) -> dict[_Name, int]:
    sums: dict[_Name, int] = defaultdict(int)
    for name, count in counts:
        sums[name] += count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _read_redelivered(view: StoreView, selection: Selection, scope: Sequence[Condition]) -> int:
    where = joined([each for each in scope if each.name != "stored"])
    text = (
        f"SELECT count(*) FROM {view.relation(selection)} "
        f"WHERE redelivered AND status <> 'forgotten' AND {where.text}"
    )
    (count,) = view.query(text, where.params, selection).one()
    return int(count)


def _unresolved(
    view: StoreView, selection: Selection, scope: Sequence[Condition], groups: Sequence[_Group]
) -> dict[str, int]:
    """Records by model ids that nothing resolves, the commonest first; a teacher does not narrow them."""
    if selection.teacher is not None:
        any_model = [each for each in scope if each.name != "teacher"]
        groups = _read_groups(view, replace(selection, teacher=None), any_model, [])
    return _commonest_first(
        (group.model_id, group.count)
        for group in groups
        if group.model is None and group.model_id is not None
    )
