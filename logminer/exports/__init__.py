"""Pairs into training files; one module per output format in `formats/`."""

from __future__ import annotations

import dataclasses
import functools

from logminer.entries import collect_entries
from logminer.errors import UsageError
from logminer.exports.format import ExportFormat


@functools.cache
def export_formats() -> dict[str, ExportFormat]:
    """All formats by name. Two of one name are refused."""
    return collect_entries("logminer.exports.formats", "FORMAT", ExportFormat)


def export_format(text: str) -> ExportFormat:
    """The format of a name, or of `NAME:OPTION=VALUE,OPTION`, which is its name then. Raises UsageError."""
    formats = export_formats()
    name, colon, listed = text.partition(":")
    if name not in formats:
        raise UsageError(
            f"there is no format {name!r}", where="--to", fix="Formats are: " + ", ".join(formats)
        )
    if not colon:
        return formats[name]
    options = dict(_option(formats[name], each) for each in listed.split(","))
    make = formats[name].make
    assert make is not None
    return dataclasses.replace(make(options), name=text)


def _option(form: ExportFormat, text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if name not in form.options:
        known = "; ".join(f"{known} ({about})" for known, about in form.options.items())
        raise UsageError(
            f"{form.name} has no option {name!r}",
            where="--to",
            fix=f"Its options are: {known}." if known else f"It has none: --to {form.name}",
        )
    return name, value
