"""Which pairs are worth training on: rules that drop pairs and say why; one module each in `rules/`."""

from __future__ import annotations

import functools

from logminer.curation.rule import Rule
from logminer.entries import collect_entries


@functools.cache
def curation_rules() -> dict[str, Rule]:
    """All rules by name. Two of one name are refused. Do not change the dictionary: it is made once."""
    return collect_entries("logminer.curation.rules", "RULE", Rule)
