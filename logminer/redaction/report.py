"""What redaction has replaced: values, pairs touched, and the fields they were in, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from logminer.printable import counted

Places = Mapping[tuple[str, str], int]
"""How many values of a kind were replaced in a field: (kind, field) -> places."""


@dataclass
class RedactionReport:
    """The sum over pairs. A value that stands in several places counts once for each.

    An answer is in `response` and again in `response_blocks`, so `fields` is what tells how often a value was
    said. `pairs_touched` counts pairs with a value of any kind.
    """

    pairs: int = 0
    pairs_touched: int = 0
    values: Counter[str] = field(default_factory=Counter)
    pairs_by_kind: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, places: Places) -> None:
        """Count one pair."""
        self.pairs += 1
        self.pairs_touched += bool(places)
        self.pairs_by_kind.update({kind for kind, _ in places})
        for (kind, name), count in places.items():
            self.values[kind] += count
            self.fields[kind, name] += count

    def as_json(self) -> dict[str, object]:
        """The counts as plain values, by kind and field in the order of the alphabet."""
        return {
            "pairs": self.pairs,
            "pairs_touched": self.pairs_touched,
            "kinds": {kind: self._kind(kind) for kind in sorted(self.values)},
        }

    def _kind(self, kind: str) -> dict[str, object]:
        fields = {name: count for (other, name), count in sorted(self.fields.items()) if other == kind}
        return {"values": self.values[kind], "pairs": self.pairs_by_kind[kind], "fields": fields}

    def lines(self) -> list[str]:
        """The counts for people, a line for each kind."""
        if not self.values:
            return [f"redaction: nothing found in {counted(self.pairs, 'pair')}"]
        places = self.values.total()
        head = f"redaction: {counted(places, 'value')} in {self.pairs_touched:,} of {counted(self.pairs, 'pair')}"
        return [head, *(self._line(kind) for kind in sorted(self.values))]

    def _line(self, kind: str) -> str:
        fields = ", ".join(
            f"{name} {count:,}" for (other, name), count in sorted(self.fields.items()) if other == kind
        )
        return f"  {kind}: {self.values[kind]:,} in {counted(self.pairs_by_kind[kind], 'pair')} ({fields})"
