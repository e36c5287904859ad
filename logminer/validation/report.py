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
    `$.messages[0].content[0].text`, empty for the file as a whole. `file` is the object of a log prefix that it
    is about, empty where only one file is checked.
    """

    line: int
    path: str
    rule: str
    severity: Severity
    message: str
    fix: str
    file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, without an empty `file`."""
        facts = asdict(self)
        return facts if self.file else {name: value for name, value in facts.items() if name != "file"}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one file under one profile.

    `valid` counts the lines without an error (warnings allowed), `labelled` those of them that end with an
    answer. `faults` holds the first of them, those of the file first; `counts` has all of them, by
    rule. `notes` are remarks that are no fault. `mends` counts what `--fix` mended, None without it: then the
    report is about what was written. `unit` is what `lines` counts.
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
    mends: Mapping[str, int] | None = None
    unit: str = "line"

    @property
    def ok(self) -> bool:
        """Whether the file passes: no error, whatever warnings there are."""
        return self.errors == 0

    def as_dict(self) -> dict[str, Any]:
        """The same facts as plain JSON values, `ok` included."""
        facts = {name: getattr(self, name) for name in self.__slots__ if name not in ("mends", "unit")}
        facts |= {"faults": [fault.as_dict() for fault in self.faults], "notes": list(self.notes)}
        return {"ok": self.ok, **facts, **({} if self.mends is None else {"mends": dict(self.mends)})}


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

    def add(self, line: int, finding: Finding, file: str = "") -> Severity | None:
        """Count a finding and tell its severity; None when the rule is no part of this run."""
        severity = self._severities.get(finding.rule)
        if severity is None:
            return None
        self.totals[severity] += 1
        count = self.counts[finding.rule] = self.counts.get(finding.rule, 0) + 1
        if len(self._kept) < self._keep or count <= min(self._keep, _KEPT_OF_EACH_RULE):
            self._kept.append(_fault(line, severity, finding, file))
        return severity

    def faults(self) -> tuple[Fault, ...]:
        """The faults kept, by line; those of the whole file come first."""
        return tuple(sorted(self._kept, key=lambda fault: (fault.file, fault.line)))


def _fault(line: int, severity: Severity, finding: Finding, file: str) -> Fault:
    fix = finding.fix or RULES[finding.rule].fix
    return Fault(line, finding.path, finding.rule, severity, finding.message, fix, file)
