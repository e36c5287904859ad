"""A report as text for people; it never shows the dataset's content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from logminer.printable import counted, printable
from logminer.validation.mending import MENDS
from logminer.validation.report import Fault, Report

SHOWN_OF_EACH_RULE = 10


def report_lines(report: Report, *, shown: int = SHOWN_OF_EACH_RULE) -> Iterator[str]:
    """Yield the report line by line: faults grouped by rule, errors first, then remarks and the outcome.

    What `--fix` mended stands before all.

    Each group shows its first `shown` faults, how many more there are, and the remedy:

        out.jsonl:17 $.messages[1].content[0].text: blank text
          and 312 more
            Give the text, or leave the whole line out.
    """
    name = printable(report.path)
    for word, count in (report.mends or {}).items():
        yield f"{name}: mended: {MENDS[word]}: {count:,}"
    for rule in _rules_in_order(report.faults):
        group = [fault for fault in report.faults if fault.rule == rule]
        yield from _group_lines(name, group[:shown], report.counts[rule])
    for note in report.notes:
        yield f"{name}: note: {note}"
    yield f"{name}: {_outcome(report)}"


def _rules_in_order(faults: Iterable[Fault]) -> list[str]:
    firsts: dict[str, Fault] = {}
    for fault in faults:
        firsts.setdefault(fault.rule, fault)
    return sorted(firsts, key=lambda rule: firsts[rule].severity != "error")


def _group_lines(name: str, faults: list[Fault], count: int) -> Iterator[str]:
    for index, fault in enumerate(faults):
        yield _fault_line(name, fault)
        last = index + 1 == len(faults)
        if last and count > len(faults):
            yield f"  and {count - len(faults):,} more"
        if last or faults[index + 1].fix != fault.fix:  # a remedy once below all the faults that it is for
            yield f"    {fault.fix}"


def _fault_line(name: str, fault: Fault) -> str:
    if fault.file:
        name = printable(fault.file)
    place = f"{name}:{fault.line} {fault.path}".rstrip() if fault.line else name
    mark = "warning: " if fault.severity == "warning" else ""
    return f"{place}: {mark}{fault.message}"


def _outcome(report: Report) -> str:
    verdict = "passes" if report.ok else "does not pass"
    counts = (
        counted(report.lines, report.unit),
        f"{report.valid:,} valid",
        counted(report.errors, "error"),
        counted(report.warnings, "warning"),
    )
    return f"{verdict} {report.profile}: {', '.join(counts)}"


def github_lines(report: Report) -> Iterator[str]:
    """Yield the report as workflow commands, which GitHub shows beside the file's lines; the outcome comes last.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    for fault in report.faults:
        file = fault.file or report.path
        place = f"title={_github_value(fault.rule)}"
        if file != "-":
            place += f",file={_github_value(file)}"
        if fault.line:
            place += f",line={fault.line}"
        path = f"{fault.path}: " if fault.path else ""
        yield f"::{fault.severity} {place}::{_github_text(f'{path}{fault.message}. {fault.fix}')}"
    left_out = report.errors + report.warnings - len(report.faults)
    if left_out:
        yield f"::notice::{left_out:,} more are not shown"
    yield f"::notice::{_github_text(f'{printable(report.path)}: {_outcome(report)}')}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_value(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
