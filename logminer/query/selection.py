"""Which records a question is about, and how that becomes SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from logminer.errors import UsageError
from logminer.filters import (
    Filter,
    FilterError,
    Sql,
    compile_duckdb,
    compile_has_key,
    format_filter,
)
from logminer.statuses import STATUS_DETAILS, STATUSES

__all__ = ["Condition", "FilterError", "Selection", "compile_selection"]


@dataclass(frozen=True)
class Selection:
    """What of a store is meant; the same for every command.

    `since` and `until` are half-open and UTC. `statuses` None means all. `identity` is a GLOB over the
    caller's ARN. `where` is one DuckDB boolean expression over the columns. `version` None means the newest.
    """

    teacher: str | None = None
    filter: Filter | None = None
    has_keys: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    identity: str | None = None
    min_input_tokens: int | None = None
    max_input_tokens: int | None = None
    min_output_tokens: int | None = None
    max_output_tokens: int | None = None
    exclude_details: tuple[str, ...] = ()
    statuses: tuple[str, ...] | None = ("pair",)
    where: str | None = None
    version: int | None = None

    def __post_init__(self) -> None:
        _check_words("--status", self.statuses or (), STATUSES)
        _check_words("--exclude-detail", self.exclude_details, STATUS_DETAILS)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise UsageError(
                "the time span is empty: it ends before it begins",
                where="--until",
                fix="--since T --until LATER",
            )

    def as_dict(self) -> dict[str, Any]:
        """What was asked for, as plain JSON values, without what was left open."""
        plain = {key: value for key, value in asdict(self).items() if value not in (None, (), [])}
        if self.filter is not None:
            plain["filter"] = format_filter(self.filter)
        for name in ("since", "until"):
            if name in plain:
                plain[name] = plain[name].isoformat().replace("+00:00", "Z")
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}


def _check_words(option: str, words: Collection[str], known: Collection[str]) -> None:
    for word in words:
        family = word.partition(":")[0] + ":"
        if word not in known and family not in known:
            raise UsageError(
                f"{word!r} is not known", where=option, fix="Known are: " + ", ".join(sorted(known)) + "."
            )


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a selection as SQL; `about` says to a person what it asks."""

    name: str
    about: str
    sql: Sql


def compile_selection(
    selection: Selection, promoted: Collection[str], model_ids: Collection[str] | None
) -> list[Condition]:
    """The conditions that a record has to meet, all of them, the cheapest first.

    `promoted` are the encoded metadata fields of the table, `model_ids` the logged ids that the teacher
    means (None without a teacher). Re-deliveries and forgotten records are left out by the first condition.
    """
    conditions = [Condition("stored", "re-delivered", Sql("NOT redelivered AND status <> 'forgotten'"))]
    add = conditions.append
    if model_ids is not None:
        add(Condition("teacher", "another model", _one_of("model_id", tuple(model_ids))))
    if selection.since is not None:
        add(
            Condition(
                "since", "too early", Sql("timestamp >= ?::TIMESTAMPTZ", (selection.since.isoformat(),))
            )
        )
    if selection.until is not None:
        add(Condition("until", "too late", Sql("timestamp < ?::TIMESTAMPTZ", (selection.until.isoformat(),))))
    for name, values in (
        ("region", selection.regions),
        ("account_id", selection.accounts),
        ("operation", selection.operations),
    ):
        if values:
            add(Condition(name, f"another {name}", _one_of(name, values)))
    if selection.identity is not None:
        add(Condition("identity", "another identity", Sql("identity_arn GLOB ?", (selection.identity,))))
    for column, low, high in (
        ("input_tokens", selection.min_input_tokens, selection.max_input_tokens),
        ("output_tokens", selection.min_output_tokens, selection.max_output_tokens),
    ):
        if low is not None:
            add(Condition(f"min_{column}", f"too few {column}", Sql(f"{column} >= {int(low)}")))
        if high is not None:
            add(Condition(f"max_{column}", f"too many {column}", Sql(f"{column} <= {int(high)}")))
    for detail in selection.exclude_details:
        add(Condition("exclude_detail", f"has the detail {detail}", _without_detail(detail)))
    if selection.filter is not None:
        add(Condition("filter", "the filter does not match", compile_duckdb(selection.filter, promoted)))
    if selection.has_keys:
        add(Condition("has_key", "a metadata key is missing", compile_has_key(selection.has_keys, promoted)))
    if selection.where is not None:
        add(Condition("where", "--where does not match", Sql(f"(\n{selection.where}\n)")))
    if selection.statuses is not None:
        add(Condition("status", "another status", _one_of("status", selection.statuses)))
    return conditions


def _one_of(column: str, values: tuple[str, ...]) -> Sql:
    if not values:
        return Sql("false")
    if len(values) == 1:
        return Sql(f"{column} = ?", values)
    return Sql(f"{column} IN ({', '.join('?' for _ in values)})", values)


def _without_detail(detail: str) -> Sql:
    """True where no word of `status_detail` is `detail`, or begins with it where it ends in a colon."""
    if detail.endswith(":"):
        return Sql("coalesce(NOT contains(' ' || status_detail, ?), true)", (f" {detail}",))
    return Sql("coalesce(NOT contains(' ' || status_detail || ' ', ?), true)", (f" {detail} ",))


def joined(conditions: Collection[Condition]) -> Sql:
    """All conditions as one; a NULL of any counts as false."""
    if not conditions:
        return Sql("true")
    return Sql(
        " AND ".join(f"({condition.sql.text})" for condition in conditions),
        tuple(param for condition in conditions for param in condition.sql.params),
    )
