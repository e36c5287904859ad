"""What a package collects by place: each module in a folder that has an entry adds it, and nobody lists them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


def collect_entries(package: str, attribute: str, kind: type[Entry]) -> dict[str, Entry]:
    """The `attribute` of every module right in `package` that has one, by name, sorted.

    A module without it holds what entries share. Two entries of one name are a mistake in the program
    (RuntimeError).
    """
    entries: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, package + "."):
        entry = getattr(importlib.import_module(module.name), attribute, None)
        if entry is None:
            continue
        assert isinstance(entry, kind), f"{module.name}.{attribute} is no {kind.__name__}"
        if entry.name in entries:
            raise RuntimeError(f"{package}: two modules have a {attribute} of the name {entry.name!r}")
        entries[entry.name] = entry
    return dict(sorted(entries.items()))
