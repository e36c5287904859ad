"""The filter language: text -> nodes -> DuckDB, Bedrock, Athena or Python.

    node = parse_filter("project=CustomerService AND priority=High")
    compile_bedrock(node)      # {"andAll": [{"equals": {"project": "CustomerService"}}, …]}

The language itself is written down in grammar/filter.lark. Importing this package does not import lark; the
first filter does.
"""

from __future__ import annotations

from logminer.filters.athena import compile_athena, compile_athena_logs
from logminer.filters.bedrock import compile_bedrock, parse_bedrock, read_bedrock, refused_characters
from logminer.filters.canonical import format_comparison, format_filter
from logminer.filters.duckdb import Sql, compile_duckdb, compile_has_key, compile_lacks_key, metadata_value
from logminer.filters.errors import FilterError, Span
from logminer.filters.nodes import Comparison, Filter, Operator
from logminer.filters.parser import parse_filter
from logminer.filters.predicate import compile_predicate
from logminer.filters.suggest import near_keys, near_values
from logminer.filters.targets import TARGETS, render
from logminer.filters.warnings import warnings_for

__all__ = [
    "TARGETS",
    "Comparison",
    "Filter",
    "FilterError",
    "Operator",
    "Span",
    "Sql",
    "compile_athena",
    "compile_athena_logs",
    "compile_bedrock",
    "compile_duckdb",
    "compile_has_key",
    "compile_lacks_key",
    "compile_predicate",
    "format_comparison",
    "format_filter",
    "metadata_value",
    "near_keys",
    "near_values",
    "parse_bedrock",
    "parse_filter",
    "read_bedrock",
    "refused_characters",
    "render",
    "warnings_for",
]
