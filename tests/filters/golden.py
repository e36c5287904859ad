"""Golden files of the filter tests: TOML tables, written anew when LOGMINER_REWRITE_GOLDENS is set.

    LOGMINER_REWRITE_GOLDENS=1 python -m pytest tests/filters/test_goldens.py

takes the `filter` of each table as it stands and replaces all else with what the program gives.
Review the diff.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REWRITE = "LOGMINER_REWRITE_GOLDENS"


def read_tables(path: Path) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    return tables


def check_or_rewrite(path: Path, actual: list[dict[str, Any]]) -> None:
    if os.environ.get(REWRITE):
        path.write_text("\n".join(map(_table, actual)), encoding="utf-8")
    assert actual == read_tables(path)


def _table(case: dict[str, Any]) -> str:
    lines = [f"{name} = {_value(value)}" for name, value in case.items()]
    return "\n".join(["[[case]]", *lines, ""])


def _value(value: Any) -> str:
    """JSON is TOML for numbers, lists of them and of strings, and for one-line strings."""
    is_readable = isinstance(value, str) and all(line.isprintable() for line in value.split("\n"))
    if is_readable and "\n" in value and not value.endswith("'") and "'''" not in value:
        return f"'''\n{value}'''"
    return json.dumps(value, ensure_ascii=isinstance(value, str) and not is_readable)
