"""Pairs into training files; one module per output format."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from logminer.errors import UsageError
from logminer.exports.format import ExportFormat


@functools.cache
def export_formats() -> dict[str, ExportFormat]:
    """All formats by name. Two of one name are refused."""
    formats: dict[str, ExportFormat] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        found = getattr(importlib.import_module(module.name), "FORMAT", None)
        if found is None:
            continue
        if found.name in formats:
            raise RuntimeError(f"two export formats are called {found.name!r}")
        formats[found.name] = found
    return dict(sorted(formats.items()))


def export_format(name: str) -> ExportFormat:
    """The format of that name. Raises UsageError."""
    formats = export_formats()
    if name not in formats:
        raise UsageError(
            f"there is no format {name!r}", where="--to", fix="Formats are: " + ", ".join(formats)
        )
    return formats[name]
