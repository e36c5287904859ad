"""Imports run one way: along the layers below, without a cycle, and without weight at the start.

All imports count, those inside functions and under TYPE_CHECKING too. What packages collect by name (the body
shapes, templates, curation rules, export formats and validation profiles) is not an import of this kind: there a
module in the folder is an entry that nobody names.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAYERS = (
    "errors printable toml_tables statuses json_text metadata_keys teachers token_limits reserved_words entries",
    "model pairs source_rules",
    "lenient records",
    "models",
    "conversations",
    "schema",
    "filters",
    "s3",
    "sources inflating log_events framing",
    "store",
    "outputs",
    "ingestion",
    "query",
    "maintenance",
    "curation redaction",
    "validation",
    "exports",
    "datasets",
    "config timespan",
    "pipeline",
    ". __main__ cli",
)
"""What may be imported stands before; what shares a line may import each other, short of a cycle. A dot is the
package itself."""

RANKS = {name: rank for rank, line in enumerate(LAYERS) for name in line.split()}
HEAVY = {
    "boto3", "botocore", "deltalake", "duckdb", "lark", "msgspec", "obstore", "pyarrow", "rensa", "rich", "typer", "zlib_ng",
}  # fmt: skip
DISTRIBUTIONS = {"botocore": "boto3", "zlib_ng": "zlib-ng"}
"""Import names that differ from the name of the dependency that brings them."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted((ROOT / "logminer").rglob("*.py"))}


def imported_names(path: Path) -> Iterator[str]:
    """The modules that a module imports, as dotted names; `from package import module` gives the module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


@functools.cache
def imports_within() -> dict[str, set[str]]:
    """Each module and the modules of logminer that it imports."""
    return {
        name: {found for found in imported_names(path) if found.partition(".")[0] == "logminer"}
        for name, path in MODULES.items()
    }


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else "."


def test_every_module_has_a_layer():
    assert {layer(name) for name in MODULES} - set(RANKS) == set()


@pytest.mark.parametrize("module", MODULES)
def test_imports_come_from_the_layers_before(module):
    after = [name for name in imports_within()[module] if RANKS[layer(name)] > RANKS[layer(module)]]
    assert after == []


def test_no_cycle():
    assert list(graphlib.TopologicalSorter(imports_within()).static_order())


def test_every_package_that_is_imported_is_a_declared_dependency():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0] for line in declared}
    roots = {name.partition(".")[0] for path in MODULES.values() for name in imported_names(path)}
    foreign = {name for name in roots if name not in sys.stdlib_module_names and name != "logminer"}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= names


def loaded_by(code: str) -> set[str]:
    """The heavy packages in memory after `code` ran in a new process."""
    printing = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", printing], capture_output=True, text=True, check=True)
    return HEAVY & {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_logminer_loads_nothing_heavy():
    assert loaded_by("import logminer") == set()


def test_the_command_line_starts_without_the_engine():
    assert loaded_by("import logminer.cli.app") & {"boto3", "deltalake", "duckdb", "lark", "pyarrow"} == set()
