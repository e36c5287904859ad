"""What packages collect by place: found without a list, sorted, and no two of one name."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

import pytest

from logminer.conversations import body_shapes
from logminer.curation import curation_rules
from logminer.entries import collect_entries
from logminer.exports import export_formats
from logminer.validation.profiles import all_profiles


@dataclass(frozen=True)
class Fruit:
    name: str


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of fruit; gives what writes a module into it."""
    folder = tmp_path / "fruit_basket"
    folder.mkdir()
    (folder / "__init__.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(module: str, text: str) -> None:
        (folder / f"{module}.py").write_text(f"from {__name__} import Fruit\n{text}\n", "utf-8")
        importlib.invalidate_caches()
        written.append(f"fruit_basket.{module}")

    yield write
    for name in (*written, "fruit_basket"):
        importlib.sys.modules.pop(name, None)


def test_entries_come_by_name_and_modules_without_one_are_passed_over(package):
    package("a", "FRUIT = Fruit('pear')")
    package("b", "FRUIT = Fruit('apple')")
    package("shared", "PEEL = 'thin'")
    found = collect_entries("fruit_basket", "FRUIT", Fruit)
    assert list(found.items()) == [("apple", Fruit("apple")), ("pear", Fruit("pear"))]


def test_two_entries_of_one_name_are_refused(package):
    package("a", "FRUIT = Fruit('pear')")
    package("b", "FRUIT = Fruit('pear')")
    with pytest.raises(RuntimeError, match="fruit_basket: two modules have a FRUIT of the name 'pear'"):
        collect_entries("fruit_basket", "FRUIT", Fruit)


def test_an_entry_of_another_kind_is_a_mistake(package):
    package("a", "FRUIT = 'pear'")
    with pytest.raises(AssertionError, match=r"fruit_basket\.a\.FRUIT is no Fruit"):
        collect_entries("fruit_basket", "FRUIT", Fruit)


@pytest.mark.parametrize(
    ("package_name", "entries"),
    [
        ("logminer.conversations.families", body_shapes()),
        ("logminer.curation.rules", curation_rules()),
        ("logminer.exports.formats", export_formats()),
        ("logminer.validation.profiles", all_profiles()),
    ],
)
def test_every_module_of_the_package_has_an_entry(package_name, entries):
    """A misspelt attribute would be passed over in silence."""
    modules = list(pkgutil.iter_modules(importlib.import_module(package_name).__path__))
    assert len(modules) == len(entries) > 0


def test_rules_are_described():
    for name, rule in curation_rules().items():
        assert rule.name == name
        assert rule.about[0].islower()
        assert not rule.about.endswith(".")
        assert rule.reasons
        assert all(reason == reason.lower().replace(" ", "_") for reason in rule.reasons)
        rule.make(rule.options)
