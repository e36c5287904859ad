"""A filter as DuckDB SQL over the store: text made of our own names, keys and values as parameters.

The store keeps a record's metadata in two columns. `request_metadata` is a struct with one field per promoted
key, named by `encode_key`; a file that did not promote a key has NULL there and the key in
`request_metadata_rest`, JSON text that is NULL when there is none. A row has a key in one of the two, so
every expression asks both.

The rest is asked with a JSON pointer. A JSON path would read `*`, `.` and `[0]` in a key as syntax; a pointer
has two characters to escape and finds the right member for any key: empty, `0`, `-`, `$.*`, a quote, NUL.

Where no row that is asked has a rest, an expression says so by `has_rest` and asks the field alone: over five million
rows that takes two thirds of the time, since DuckDB tests a field while it reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from logminer.filters.nodes import Comparison, Filter, Operator
from logminer.metadata_keys import encode_key, json_pointer

_METADATA = "request_metadata"
_REST = "request_metadata_rest"


@dataclass(frozen=True, slots=True)
class Sql:
    """An SQL expression with `?` placeholders, and the values for them in order."""

    text: str
    params: tuple[str, ...] = ()


def compile_duckdb(
    node: Filter, promoted: Collection[str], table_alias: str = "", *, has_rest: bool = True
) -> Sql:
    """The condition that selects the records of `node`; NULL, which selects nothing, counts as false.

    `promoted` are the field names of the table's `request_metadata` struct (encoded keys), empty when there
    is no such column. `table_alias` is one of our own names, for a query over more than one table. Without
    `has_rest` no row that is asked has a key elsewhere.
    """
    parts = [_comparison(item, promoted, table_alias, has_rest) for item in node.comparisons]
    return _joined(parts, "OR" if node.operator is Operator.OR else "AND")


def metadata_value(
    key: str, promoted: Collection[str], table_alias: str = "", *, has_rest: bool = True
) -> Sql:
    """The value that a record has under `key`, as text; NULL when it lacks the key."""
    field = _field(key, promoted, table_alias)
    if not has_rest:
        return Sql(field or "NULL::VARCHAR")
    rest = f"json_extract_string({_column(_REST, table_alias)}, ?)"
    return Sql(f"coalesce({field}, {rest})" if field else rest, (json_pointer(key),))


def compile_has_key(
    keys: Iterable[str], promoted: Collection[str], table_alias: str = "", *, has_rest: bool = True
) -> Sql:
    """The condition that a record has each of `keys`; true for no keys."""
    return _presence(keys, promoted, table_alias, has_rest, "IS NOT NULL", "AND") or Sql("true")


def compile_lacks_key(
    keys: Iterable[str], promoted: Collection[str], table_alias: str = "", *, has_rest: bool = True
) -> Sql:
    """The condition that a record lacks at least one of `keys`; false for no keys."""
    return _presence(keys, promoted, table_alias, has_rest, "IS NULL", "OR") or Sql("false")


def _presence(
    keys: Iterable[str], promoted: Collection[str], table_alias: str, has_rest: bool, test: str, joint: str
) -> Sql | None:
    values = [metadata_value(key, promoted, table_alias, has_rest=has_rest) for key in keys]
    if not values:
        return None
    return _joined([Sql(f"{value.text} {test}", value.params) for value in values], joint)


def _comparison(node: Comparison, promoted: Collection[str], table_alias: str, has_rest: bool) -> Sql:
    if node.negated:
        value = metadata_value(node.key, promoted, table_alias, has_rest=has_rest)
        return Sql(f"{value.text} IS DISTINCT FROM ?", (*value.params, node.value))
    field = _field(node.key, promoted, table_alias)
    if not has_rest:
        return Sql(f"{field} = ?", (node.value,)) if field else Sql("false")
    rest = _column(_REST, table_alias)
    # The test for NULL is what keeps an empty rest at the price of an ordinary column.
    in_rest = Sql(
        f"({rest} IS NOT NULL AND json_extract_string({rest}, ?) = ?)", (json_pointer(node.key), node.value)
    )
    return _joined([Sql(f"{field} = ?", (node.value,)), in_rest], "OR") if field else in_rest


def _joined(parts: list[Sql], joint: str) -> Sql:
    if len(parts) == 1:
        return parts[0]
    text = f" {joint} ".join(part.text for part in parts)
    return Sql(f"({text})", tuple(param for part in parts for param in part.params))


def _field(key: str, promoted: Collection[str], table_alias: str) -> str:
    """The struct field of a promoted key, or "". An encoded key has no character to escape in the quotes."""
    field = encode_key(key)
    return f'{_column(_METADATA, table_alias)}."{field}"' if field in promoted else ""


def _column(name: str, table_alias: str) -> str:
    return f"{table_alias}.{name}" if table_alias else name
