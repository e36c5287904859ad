"""Which records a question is about, and how that becomes SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from logminer.errors import UsageError
from logminer.filters import Filter, Sql, compile_duckdb, compile_has_key, format_filter
from logminer.statuses import STATUS_DETAILS, STATUSES


@dataclass(frozen=True)
class Selection:
    """What of a store is meant; the same for every command.

    `since` and `until` are half-open; an instant without a zone is UTC, and all are kept as UTC. `statuses` None
    means all but forgotten records, which come only when they are asked for by name. `identity` is a GLOB over
    the caller's ARN. `exclude_details` that end in a colon stand for every word that begins so. `where` is one
    DuckDB boolean expression over the columns (`query.where`). `version` None means the newest.
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
        for name in ("since", "until"):
            object.__setattr__(self, name, _utc(getattr(self, name)))
        for status in self.statuses or ():
            if status not in STATUSES:
                raise _unknown("--status", status, STATUSES)
        for detail in self.exclude_details:
            family, colon, _ = detail.partition(":")
            if family + colon not in STATUS_DETAILS:
                raise _unknown("--exclude-detail", detail, STATUS_DETAILS)
        if self.statuses == ():
            raise UsageError("names no status", where="--status", fix="Leave it out, or write: --status all")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise UsageError(
                "the time span is empty: it ends before it begins",
                where="--until",
                fix="--since T --until LATER",
            )

    def may_hold(self, day: date) -> bool:
        """Whether records of that UTC date can lie in the time span."""
        if self.since is not None and day < self.since.date():
            return False
        if self.until is None:
            return True
        return day < self.until.date() or (day == self.until.date() and self.until.time() > time.min)

    def within(self, day: date) -> Selection:
        """The same for one UTC date that the time span touches."""
        begin = datetime.combine(day, time.min, UTC)
        end = begin + timedelta(days=1) if day < date.max else None
        ends = [each for each in (self.until, end) if each is not None]
        return replace(self, since=max(self.since or begin, begin), until=min(ends, default=None))

    def as_options(self) -> dict[str, Any]:
        """What was asked for, by the names of the flags and as plain JSON values, without what was left open."""
        options = {name: getattr(self, field) for name, field in _OPTION_FIELDS.items()}
        plain = {name: _plain(value) for name, value in options.items() if value not in (None, ())}
        return plain | {"status": list(self.statuses) if self.statuses is not None else "all"}


_OPTION_FIELDS = {
    "teacher": "teacher",
    "filter": "filter",
    "has_key": "has_keys",
    "since": "since",
    "until": "until",
    "region": "regions",
    "account": "accounts",
    "operation": "operations",
    "identity": "identity",
    "min_input_tokens": "min_input_tokens",
    "max_input_tokens": "max_input_tokens",
    "min_output_tokens": "min_output_tokens",
    "max_output_tokens": "max_output_tokens",
    "exclude_detail": "exclude_details",
    "where": "where",
    "version": "version",
}


def _plain(value: Any) -> Any:
    if isinstance(value, Filter):
        return format_filter(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def _utc(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise UsageError("an instant is outside of all calendars", where="--since and --until") from None


def _unknown(option: str, word: str, known: Collection[str]) -> UsageError:
    return UsageError(f"{word!r} is not known", where=option, fix=f"Known are: {', '.join(sorted(known))}.")


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a selection as SQL; `about` says to a person why a record fails it. Each name is there once."""

    name: str
    about: str
    sql: Sql


def compile_selection(
    selection: Selection,
    promoted: Collection[str],
    model_ids: Collection[str] | None,
    *,
    has_rest: bool = True,
) -> list[Condition]:
    """The conditions that a record has to meet, all of them, the cheapest first.

    `promoted` are the encoded metadata fields of the relation that is asked, and without `has_rest` its rows have
    no others; `model_ids` are the logged ids that the teacher means (None without a teacher). The first condition
    leaves re-deliveries and forgotten records out.
    """
    return [
        Condition("stored", "re-delivered or forgotten", _stored(selection)),
        *_scope(selection, model_ids),
        *_bounds(selection),
        *_judgements(selection, promoted, has_rest),
    ]


def _stored(selection: Selection) -> Sql:
    if selection.statuses is not None and "forgotten" in selection.statuses:
        return Sql("NOT redelivered")
    return Sql("NOT redelivered AND status <> 'forgotten'")


def _scope(selection: Selection, model_ids: Collection[str] | None) -> Iterator[Condition]:
    if model_ids is not None:
        yield Condition("teacher", "another model", _one_of("model_id", tuple(model_ids)))
    for name, about, operator, instant in (
        ("since", "too early", ">=", selection.since),
        ("until", "too late", "<", selection.until),
    ):
        if instant is not None:
            yield Condition(name, about, Sql(f"timestamp {operator} ?::TIMESTAMPTZ", (instant.isoformat(),)))
    for column, values in (
        ("region", selection.regions),
        ("account_id", selection.accounts),
        ("operation", selection.operations),
    ):
        if values:
            yield Condition(column, f"another {column}", _one_of(column, values))
    if selection.identity is not None:
        yield Condition("identity", "another identity", Sql("identity_arn GLOB ?", (selection.identity,)))


def _bounds(selection: Selection) -> Iterator[Condition]:
    for name, column, operator in (
        ("min_input_tokens", "input_tokens", ">="),
        ("max_input_tokens", "input_tokens", "<="),
        ("min_output_tokens", "output_tokens", ">="),
        ("max_output_tokens", "output_tokens", "<="),
    ):
        bound = getattr(selection, name)
        if bound is not None:
            about = f"not {operator} {int(bound)} {column}, or not counted"
            yield Condition(name, about, Sql(f"{column} {operator} {int(bound)}"))


def _judgements(selection: Selection, promoted: Collection[str], has_rest: bool) -> Iterator[Condition]:
    if selection.filter is not None:
        matches = compile_duckdb(selection.filter, promoted, has_rest=has_rest)
        yield Condition("filter", "the filter does not match", matches)
    if selection.has_keys:
        about = f"lacks a metadata key: {', '.join(selection.has_keys)}"
        has_keys = compile_has_key(selection.has_keys, promoted, has_rest=has_rest)
        yield Condition("has_key", about, has_keys)
    if selection.where is not None:
        # The line feeds keep a comment at the end from taking the bracket with it.
        yield Condition("where", "--where does not match", Sql(f"(\n{selection.where}\n)"))
    if selection.exclude_details:
        about = f"has a detail that is excluded: {', '.join(selection.exclude_details)}"
        yield Condition("exclude_detail", about, _without_details(selection.exclude_details))
    if selection.statuses is not None:
        about = f"another status than {', '.join(selection.statuses)}"
        yield Condition("status", about, _of_statuses(selection.statuses))


# Whether a record's text is in the store, as far as there was any: an ingest may be told to keep none.
TEXT_KEPT = "(status_detail IS NULL OR NOT contains(' ' || status_detail || ' ', ' text_not_kept '))"


def _of_statuses(statuses: tuple[str, ...]) -> Sql:
    """A pair whose text was not kept is none for whoever asks for pairs; among all records it is there."""
    found = _one_of("status", statuses)
    if "pair" not in statuses:
        return found
    kept = TEXT_KEPT if set(statuses) == {"pair"} else f"(status <> 'pair' OR {TEXT_KEPT})"
    return Sql(f"{found.text} AND {kept}", found.params)


def _one_of(column: str, values: tuple[str, ...]) -> Sql:
    if not values:
        return Sql("false")
    return Sql(f"{column} IN ({', '.join('?' for _ in values)})", values)


def _without_details(details: tuple[str, ...]) -> Sql:
    """True where no word of `status_detail` is one of `details`, or begins with one that ends in a colon."""
    tests = ["NOT contains(' ' || status_detail || ' ', ?)" for _ in details]
    words = [f" {detail}" if detail.endswith(":") else f" {detail} " for detail in details]
    return Sql(f"coalesce({' AND '.join(tests)}, true)", tuple(words))


def joined(conditions: Collection[Condition]) -> Sql:
    """All conditions as one; a NULL of any counts as false."""
    if not conditions:
        return Sql("true")
    return Sql(
        " AND ".join(f"({condition.sql.text})" for condition in conditions),
        tuple(param for condition in conditions for param in condition.sql.params),
    )
