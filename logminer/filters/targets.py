"""The targets of a filter as text, by the names that the command line knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from logminer.errors import UsageError
from logminer.filters.athena import compile_athena, compile_athena_logs
from logminer.filters.bedrock import compile_bedrock
from logminer.filters.duckdb import compile_duckdb
from logminer.filters.nodes import Filter
from logminer.metadata_keys import encode_key
from logminer.printable import printable

Renderer = Callable[[Filter, Collection[str]], str]
"""Filter and promoted fields -> text without a line feed at the end."""


def _bedrock(node: Filter, promoted: Collection[str]) -> str:
    return json.dumps(compile_bedrock(node), indent=2)


def _duckdb(node: Filter, promoted: Collection[str]) -> str:
    """The condition, then its parameters as a JSON list in a comment; the two together are valid SQL."""
    sql = compile_duckdb(node, promoted)
    return f"{sql.text}\n-- parameters: {json.dumps(sql.params)}"


def _athena_logs(node: Filter, promoted: Collection[str]) -> str:
    return compile_athena_logs(node)


TARGETS: dict[str, Renderer] = {
    "athena": compile_athena,
    "athena-logs": _athena_logs,
    "bedrock": _bedrock,
    "duckdb": _duckdb,
}


def render(node: Filter, target: str, promoted: Collection[str] | None = None) -> str:
    """The text of `node` for one of `TARGETS`.

    `promoted` are the fields of the store's `request_metadata`; None, for want of a store, counts the
    filter's own keys as promoted. Raises UsageError for an unknown target, and where the target cannot
    express the filter.
    """
    renderer = TARGETS.get(target)
    if renderer is None:
        raise UsageError(
            f"unknown target {printable(target)}", fix=f"choose one of {', '.join(sorted(TARGETS))}"
        )
    return renderer(node, set(map(encode_key, node.keys)) if promoted is None else promoted)
