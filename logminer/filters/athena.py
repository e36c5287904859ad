"""A filter as SQL text for Athena (Trino): over the store's table, or over a table on the raw log files.

The text is for a query editor, so keys and values stand in it as literals, which are the one thing to escape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from logminer.filters.nodes import Comparison, Filter
from logminer.metadata_keys import encode_key


def compile_athena(node: Filter, promoted: Collection[str]) -> str:
    """The condition over the store's table, read by Athena as Delta Lake.

    `promoted` are the fields of its `request_metadata` (encoded keys), a ROW there. A key that is not among
    them is looked up in `request_metadata_rest`.
    """
    return _condition(node, lambda key: stored_value(key, promoted))


def compile_athena_logs(node: Filter) -> str:
    """The condition over a table on the log files as Bedrock wrote them, where `requestmetadata` is a MAP."""
    return _condition(node, lambda key: f"element_at(requestmetadata, {_literal(key)})")


def _condition(node: Filter, value_of: Callable[[str], str]) -> str:
    parts = [_comparison(item, value_of(item.key)) for item in node.comparisons]
    return parts[0] if len(parts) == 1 else f"({f' {node.operator.value} '.join(parts)})"


def _comparison(node: Comparison, value: str) -> str:
    # <> would be NULL, and so not selected, for a record that lacks the key.
    return f"{value} {'IS DISTINCT FROM' if node.negated else '='} {_literal(node.value)}"


def stored_value(key: str, promoted: Collection[str]) -> str:
    """The value that a row of the store's table has under `key`; NULL when it lacks the key."""
    rest = f"json_extract_scalar(request_metadata_rest, {_literal(_json_path(key))})"
    field = encode_key(key)
    return f'coalesce(request_metadata."{field}", {rest})' if field in promoted else rest


def _json_path(key: str) -> str:
    r"""The JSON path of one member. Trino knows two escapes in a quoted subscript, \" and \\."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'$["{escaped}"]'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
