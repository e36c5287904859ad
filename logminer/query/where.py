"""The user's own condition (`--where`): one boolean DuckDB expression over the columns, and nothing beside it.

The text becomes part of a statement, so DuckDB's own parser has to say first that it is one expression, and
what is in it. Subqueries are refused: an expression needs none, and they are the one way for it to look at
anything but the row at hand (other tables, settings, the store's files past the selection). So are `?` and `$1`,
which would take the place of our parameters, and functions that give another value each time, such as
`random()`: asking twice has to give the same records. The connection is shut off besides (`StoreConnection`):
what slips through finds no file and no network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from logminer.errors import UsageError
from logminer.printable import printable
from logminer.query.connection import StoreConnection

_REFUSED_CLASSES = {
    "SUBQUERY": "a subquery; it may look at the record's own columns alone",
    "PARAMETER": "a parameter; write the value",
    "WINDOW": "a window function; it may look at one record alone",
    "STAR": "several columns at once; name one",
    "POSITIONAL_REFERENCE": "a column by its place; name it",
}
_VOLATILE_FUNCTIONS = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE'"


def check_where(connection: StoreConnection, where: str) -> None:
    """Refuse what is not one expression over a record. Raises UsageError; types are not looked at."""
    import duckdb

    if "\0" in where:
        raise where_error(where, "holds a NUL character")
    try:
        duckdb.SQLExpression(where)
    except duckdb.Error as error:
        raise where_error(where, f"is no expression: {str(error).partition(chr(10))[0]}") from error
    classes, functions = _ingredients(connection, where)
    for name, about in _REFUSED_CLASSES.items():
        if name in classes:
            raise where_error(where, f"holds {about}")
    if functions:
        volatile = {name for (name,) in connection.ask(_VOLATILE_FUNCTIONS)}
        for name in sorted(functions & volatile):
            raise where_error(where, f"calls {name}(), which does not give the same value every time")


def where_error(where: str, problem: str) -> UsageError:
    """The refusal of an expression; `problem` may quote it, but no record."""
    return UsageError(
        printable(problem),
        where=f"--where {printable(where)}",
        fix="Write one boolean expression over the store's columns, such as: output_tokens > 50",
    )


def _ingredients(connection: StoreConnection, where: str) -> tuple[set[str], set[str]]:
    """The classes of nodes in an expression's syntax tree, and the names of its functions in lower case."""
    # The line feeds keep a comment at the end from taking the bracket with it.
    (text,) = connection.ask("SELECT json_serialize_sql(?)", [f"SELECT (\n{where}\n)"]).one()
    try:
        tree = json.loads(text)
    except RecursionError:
        raise where_error(where, "is nested too deep") from None
    if tree["error"]:
        raise where_error(where, f"is no expression: {tree['error_message']}")
    classes: set[str] = set()
    functions: set[str] = set()
    for node in _nodes(tree):
        classes.add(node.get("class", ""))
        if node.get("class") == "FUNCTION":
            functions.add(str(node.get("function_name")).lower())
    return classes, functions


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
