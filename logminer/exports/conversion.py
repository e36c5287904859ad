"""A training file of one format into another, line by line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from logminer.errors import CheckFailed, UsageError
from logminer.exports.format import ExportFormat, OpenFile
from logminer.exports.limits import route_warnings
from logminer.exports.line_input import read_lines
from logminer.exports.routes import fitting_routes
from logminer.exports.training_lines import BadLine, read_training_line
from logminer.outputs import check_output, check_output_folder, open_output, open_output_folder
from logminer.pairs import PromptResponsePair


@dataclass(frozen=True)
class ConversionPlan:
    """How lines are converted. `system` is for those that have none; `model` is the one that answered."""

    format: ExportFormat
    system: str | None = None
    model: str | None = None
    skip_bad: bool = False


@dataclass
class ConversionReport:
    """What was converted: `lines` of the input, `size_bytes` of the output.

    `skipped` counts bad lines by reason, `first_skipped` has the number of the first one of each. `own_system`
    counts lines that had a system prompt of their own, where one was given for those without, `unanswered`
    lines that have no answer. `routes` are what the output can be used for, `warnings` what a job would say to its
    size.
    """

    format: str
    lines: int = 0
    size_bytes: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    first_skipped: dict[str, int] = field(default_factory=dict)
    own_system: int = 0
    unanswered: int = 0
    routes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_destination(plan: ConversionPlan, source: str, output: str | BinaryIO) -> str | BinaryIO:
    """Where to write, checked before any work: not over the source, of which formats leave something out.

    Raises UsageError, ConfigurationError or StorageError.
    """
    if plan.system is not None and not plan.system.strip():
        raise UsageError("is empty", where="--system", fix="Give a text, or leave --system out.")
    if "logs" in plan.format.routes and plan.model is None:
        raise UsageError(
            "is missing", where="--teacher", fix=f"{plan.format.name} says which model answered."
        )
    if isinstance(output, str):
        place = check_output_folder(output) if plan.format.ending == "/" else check_output(output)
        if source == place or os.path.realpath(source.removeprefix("file://")) == os.path.realpath(place):
            raise UsageError("is the file to convert", where=f"-o {output}", fix="Give another path.")
        return place
    if plan.format.write_line is None:
        raise UsageError(f"{plan.format.name} needs one", where="-o", fix="Only lines can go to stdout.")
    return output


def convert_lines(
    source: BinaryIO, where: str, plan: ConversionPlan, destination: str | BinaryIO
) -> ConversionReport:
    """Convert the lines of `source`, which `where` names, into a file or folder that `check_output` took.

    It appears whole or not at all; into a stream, lines go as they come. Raises CheckFailed for a line that
    cannot be converted, and where there is none that can; StorageError.
    """
    report = ConversionReport(plan.format.name)
    pairs = _pairs(source, where, plan, report)
    if not isinstance(destination, str):
        _write_lines(pairs, plan.format, destination, report)
    elif plan.format.write_line is not None:
        with open_output(destination) as stream:
            _write_lines(pairs, plan.format, stream, report)
            _check_not_empty(report, where)
    else:
        with _opening(plan.format, destination) as open_file:
            assert plan.format.write_files is not None
            plan.format.write_files(pairs, _counting(open_file, report))
            _check_not_empty(report, where)
    _check_not_empty(report, where)
    # Fine-tuning needs an answer in every line.
    report.routes = fitting_routes(prompts_only=report.unanswered > 0, routes=plan.format.routes)
    report.warnings = route_warnings(plan.format.routes, records=report.lines, size_bytes=report.size_bytes)
    return report


def _write_lines(
    pairs: Iterable[PromptResponsePair], form: ExportFormat, stream: BinaryIO, report: ConversionReport
) -> None:
    assert form.write_line is not None
    for pair in pairs:
        report.size_bytes += stream.write(form.write_line(pair))


@contextmanager
def _opening(form: ExportFormat, destination: str) -> Iterator[OpenFile]:
    """What opens the files of an output: of a folder, or the one."""
    if form.ending.endswith("/"):
        with open_output_folder(destination) as open_file:
            yield open_file
    else:
        with open_output(destination) as stream:
            yield lambda name: _the_one(name, stream)


@contextmanager
def _the_one(name: str, stream: BinaryIO) -> Iterator[BinaryIO]:
    assert not name, "the output is a single file"
    yield stream


def _counting(open_file: OpenFile, report: ConversionReport) -> OpenFile:
    """`open_file`, with the sizes of what is written added up."""

    @contextmanager
    def counted(name: str) -> Iterator[BinaryIO]:
        with open_file(name) as stream:
            yield stream
            report.size_bytes += stream.tell()

    def open_counted(name: str) -> AbstractContextManager[BinaryIO]:
        return counted(name)

    return open_counted


def _pairs(
    source: BinaryIO, where: str, plan: ConversionPlan, report: ConversionReport
) -> Iterator[PromptResponsePair]:
    for number, line in read_lines(source, where):
        try:
            pair = _convert(line, number, plan, report)
        except BadLine as bad:
            if not plan.skip_bad:
                raise CheckFailed(f"the line {bad.reason}", where=f"{where}:{number}", fix=bad.fix) from bad
            report.skipped[bad.reason] = report.skipped.get(bad.reason, 0) + 1
            report.first_skipped.setdefault(bad.reason, number)
        else:
            report.lines += 1
            report.unanswered += pair.response is None
            yield pair


def _convert(line: bytes, number: int, plan: ConversionPlan, report: ConversionReport) -> PromptResponsePair:
    pair = read_training_line(line, number - 1, model=plan.model)
    if plan.system is not None:
        if pair.system is None:
            pair = msgspec.structs.replace(pair, system=plan.system)
        else:
            report.own_system += 1
    problem = plan.format.misfit(pair)
    if problem is not None:
        raise BadLine(problem, f"It does not fit {plan.format.name}; leave such lines out with --skip-bad.")
    return pair


def _check_not_empty(report: ConversionReport, where: str) -> None:
    if report.lines:
        return
    reasons = "; ".join(
        f"{count:,} {reason} (first in line {report.first_skipped[reason]})"
        for reason, count in report.skipped.items()
    )
    raise CheckFailed(
        "no line can be converted" + (f": {reasons}" if reasons else ", for there is none"),
        where=where,
        fix="Nothing was written.",
    )
