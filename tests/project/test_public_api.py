"""The names that `import logminer` promises."""

from __future__ import annotations

import ast
import inspect
import pkgutil

import pytest

import logminer


@pytest.mark.parametrize("name", logminer.__all__)
def test_public_name_exists_and_is_documented(name):
    thing = getattr(logminer, name)
    assert (inspect.getdoc(thing) or "").strip()
    assert thing.__module__.startswith("logminer.")


@pytest.mark.parametrize("name", [name for name in logminer.__all__ if name.islower()])
def test_public_call_says_what_it_takes_and_gives(name):
    signature = inspect.signature(getattr(logminer, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


def test_public_names_are_sorted_and_seen_by_type_checkers():
    assert logminer.__all__ == sorted(logminer.__all__)
    imported = {
        alias.name
        for node in ast.walk(ast.parse(inspect.getsource(logminer)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(logminer.__all__) <= imported


def test_public_names_survive_the_import_of_every_module():
    """A submodule of a public name would take the name's place as soon as something imports it."""
    found = {module.name for module in pkgutil.walk_packages(logminer.__path__, "logminer.")}
    assert {f"logminer.{name}" for name in logminer.__all__} & found == set()


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        logminer.distil  # noqa: B018 - reading it is the test
