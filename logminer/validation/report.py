"""What a validation found: single faults, and the report over a whole file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from logminer.validation.rules import RULES, Finding

Severity = Literal["error", "warning"]

KEPT_FAULTS = 1_000
_KEPT_OF_EACH_RULE = 20  # kept even when the first thousand faults were all of another rule


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule. `line` is 1-based, 0 for the file as a whole; `path` is a JSON path such as
    `$.messages[0].content[0].text`, empty for the file as a whole.
    """

    line: int
    path: str
    rule: str
    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one file under one profile.

    `valid` counts the lines without an error (warnings allowed), `labelled` those of them that end with an
    answer. `faults` holds the first of them, those of the file first; `counts` has all of them, by
    rule. `notes` are remarks that are no fault.
    """

    path: str
    profile: str
    lines: int
    valid: int
    labelled: int
    size_bytes: int
    errors: int
    warnings: int
    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the file passes: no error, whatever warnings there are."""
        return self.errors == 0

    def as_dict(self) -> dict[str, Any]:
        """The same facts as plain JSON values, `ok` included."""
        facts = asdict(self)
        return {"ok": self.ok, **facts, "faults": list(facts["faults"]), "notes": list(self.notes)}


class FaultLog:
    """Collects the faults of one run: counts all, keeps some. `severities` says which rules count at all."""

    def __init__(self, severities: Mapping[str, Severity], keep: int = KEPT_FAULTS) -> None:
        self._severities = severities
        self._keep = keep
        self._kept: list[Fault] = []
        self.counts: dict[str, int] = {}
        self.totals: dict[Severity, int] = {"error": 0, "warning": 0}

    def checks(self, rule: str) -> bool:
        """Whether the rule is part of this run."""
        return rule in self._severities

    def add(self, line: int, finding: Finding) -> Severity | None:
        """Count a finding and tell its severity; None when the rule is no part of this run."""
        severity = self._severities.get(finding.rule)
        if severity is None:
            return None
        self.totals[severity] += 1
        count = self.counts[finding.rule] = self.counts.get(finding.rule, 0) + 1
        if len(self._kept) < self._keep or count <= min(self._keep, _KEPT_OF_EACH_RULE):
            self._kept.append(_fault(line, severity, finding))
        return severity

    def faults(self) -> tuple[Fault, ...]:
        """The faults kept, by line; those of the whole file come first."""
        return tuple(sorted(self._kept, key=lambda fault: fault.line))


def _fault(line: int, severity: Severity, finding: Finding) -> Fault:
    fix = finding.fix or RULES[finding.rule].fix
    return Fault(line, finding.path, finding.rule, severity, finding.message, fix)
