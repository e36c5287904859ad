"""Runs a profile over a dataset: every line, then the file as a whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from gzip import BadGzipFile
from itertools import chain
from pathlib import Path
from typing import Final

from logminer.errors import StorageError
from logminer.validation.dataset_files import (
    ByteReader,
    LineReader,
    OverlongLine,
    is_gzip,
    is_utf16,
    open_dataset,
    unpacked,
)
from logminer.validation.json_lines import oddities, parse_line
from logminer.validation.profile import Profile
from logminer.validation.report import KEPT_FAULTS, Fault, FaultLog, Report, Severity
from logminer.validation.rules import (
    LARGE_LINE_BYTES,
    MAX_FILE_BYTES,
    MAX_INSPECTED_BYTES,
    Finding,
    printable,
)

REMEMBERED_LINES: Final = 200_000
"""How many lines are compared with later ones; one takes about 100 bytes of memory."""

MAX_UNPACKED_BYTES: Final = 8 * MAX_FILE_BYTES
"""Where reading a compressed file ends: it may unpack to a thousand times its size."""


def validate_file(
    path: Path | str,
    profile: Profile,
    *,
    min_lines: int | None = None,
    max_lines: int | None = None,
    allow_few: bool = False,
    keep: int = KEPT_FAULTS,
) -> Report:
    """Check a local .jsonl file, or a gzipped one where the profile reads it, and report every fault.

    `min_lines` and `max_lines` replace the profile's bounds; `allow_few` turns "too few" into a warning. All
    faults are counted, about `keep` of them are kept. Memory does not grow with the file.

    Raises UsageError, ConfigurationError or StorageError for a file that can't be read.
    """
    with open_dataset(Path(path)) as stream:
        return validate_stream(
            stream,
            str(path),
            profile,
            min_lines=min_lines,
            max_lines=max_lines,
            allow_few=allow_few,
            keep=keep,
        )


def validate_stream(
    stream: ByteReader,
    name: str,
    profile: Profile,
    *,
    min_lines: int | None = None,
    max_lines: int | None = None,
    allow_few: bool = False,
    keep: int = KEPT_FAULTS,
) -> Report:
    """Check an open dataset that is, or will be, called `name`; see `validate_file`.

    Raises StorageError when reading fails.
    """
    severities: dict[str, Severity] = dict(profile.severities)
    if allow_few:
        severities["too_few_lines"] = "warning"
    check = _Check(profile, FaultLog(severities, keep))
    if check.name_passes(name):
        complete = check.read(stream, name)
        check.size()
        if complete:
            fewest = profile.min_lines if min_lines is None else min_lines
            check.counts(fewest or 0, profile.max_lines if max_lines is None else max_lines)
    return check.report(name)


def check_line(line: bytes, profile: Profile, number: int = 1) -> tuple[Fault, ...]:
    """The faults of a single line (without its line end), such as an exporter is about to write."""
    log = FaultLog(profile.severities)
    if profile.scan(line) is None:
        _look_closer(line, number, profile, log)
    _check_length(line, number, log)
    return log.faults()


def _look_closer(line: bytes, number: int, profile: Profile, log: FaultLog) -> bool | None:
    """Log all findings of a line; tell whether it is labelled, None if it has an error."""
    if len(line) > MAX_INSPECTED_BYTES:
        problem = f"has {len(line)} bytes and breaks a rule, but is too long to find out which"
        log.add(number, Finding("line_too_long", "$", problem))
        return None
    parsed = parse_line(line)
    findings: Iterable[Finding] = parsed.findings
    if parsed.readable:
        findings = chain(findings, oddities(parsed.value), profile.inspect(parsed.value))
    errors = log.totals["error"]
    for finding in findings:
        log.add(number, finding)
    return profile.labelled(parsed.value) if log.totals["error"] == errors else None


def _check_length(line: bytes, number: int, log: FaultLog) -> None:
    if len(line) > LARGE_LINE_BYTES:
        log.add(number, Finding("line_size", "$", f"has {len(line)} bytes"))


class _Check:
    """One run over one file; the counters are those of `Report`."""

    def __init__(self, profile: Profile, log: FaultLog) -> None:
        self._profile = profile
        self._log = log
        self._lines = self._valid = self._labelled = self._size_bytes = 0

    def name_passes(self, name: str) -> bool:
        """Check the file's name; false means that the file is not to be read."""
        allowed = (".jsonl", ".jsonl.gz") if self._log.checks("compressed") else (".jsonl",)
        if name.endswith(allowed):
            return True
        self._log.add(0, Finding("file_name", "", "the name does not end in .jsonl"))
        return not self._profile.refuses_other_names

    def read(self, stream: ByteReader, name: str) -> bool:
        """Check every line; false means that not all could be read."""
        try:
            return self._read_plain_or_packed(stream)
        except (EOFError, BadGzipFile, zlib.error):
            self._log.add(0, Finding("gzip_damaged", "", f"damaged or cut short after line {self._lines}"))
            return False
        except OSError as error:
            problem = f"reading fails after line {self._lines}: {error.strerror}"
            raise StorageError(problem, where=printable(name), fix="Try a local copy of the file.") from error

    def _read_plain_or_packed(self, stream: ByteReader) -> bool:
        limit_bytes = None
        if self._log.checks("compressed") and is_gzip(stream):
            self._log.add(0, Finding("compressed", "", "the file is gzipped"))
            stream, limit_bytes = unpacked(stream), MAX_UNPACKED_BYTES
        if is_utf16(stream):
            self._log.add(0, Finding("not_utf8", "", "the file is UTF-16"))
            return False
        at_carriage_return = self._profile.splits_at_carriage_return
        reader = LineReader(stream, at_carriage_return=at_carriage_return, limit_bytes=limit_bytes)
        self._check_lines(reader)
        if reader.stopped:
            self._log.add(0, Finding("unpacked_size", "", f"reading ended after {reader.size_bytes} bytes"))
        return not reader.stopped

    def _check_lines(self, reader: LineReader) -> None:
        scan, log = self._profile.scan, self._log
        first_lines: dict[int, int] | None = {} if log.checks("duplicate_line") else None
        for number, line in enumerate(reader, start=1):
            self._lines, self._size_bytes = number, reader.size_bytes
            if isinstance(line, OverlongLine):
                log.add(number, Finding("line_too_long", "$", f"has {line.size_bytes} bytes"))
                continue
            labelled = scan(line)
            if labelled is None:
                labelled = _look_closer(line, number, self._profile, log)
            _check_length(line, number, log)
            if labelled is None:
                continue
            self._valid += 1
            self._labelled += labelled
            if first_lines is not None:
                self._compare(line, number, first_lines)

    def _compare(self, line: bytes, number: int, first_lines: dict[int, int]) -> None:
        # Python's own hash: 64 bits, keyed anew in each process, and faster than any of hashlib. That two
        # different lines share one is expected once in a billion full files, and costs a wrong warning.
        key = hash(line)
        first = first_lines.get(key)
        if first is not None:
            self._log.add(number, Finding("duplicate_line", "$", f"the same as line {first}"))
        elif len(first_lines) < REMEMBERED_LINES:
            first_lines[key] = number

    def size(self) -> None:
        """Check the size of the file, unpacked."""
        if self._size_bytes > MAX_FILE_BYTES:
            problem = f"has {self._size_bytes} bytes, the most is {MAX_FILE_BYTES}"
            self._log.add(0, Finding("file_size", "", problem))

    def counts(self, fewest: int, most: int | None) -> None:
        """Check the number of lines of a file that was read to its end."""
        if not self._lines and self._log.checks("empty_file"):
            self._log.add(0, Finding("empty_file", "", "the file has no lines"))
        elif self._valid < fewest:
            problem = f"{self._valid} valid lines, at least {fewest} are needed"
            self._log.add(0, Finding("too_few_lines", "", problem))
        if most is not None and self._lines > most:
            self._log.add(0, Finding("too_many_lines", "", f"{self._lines} lines, the most is {most}"))

    def report(self, name: str) -> Report:
        """Everything that was found."""
        return Report(
            path=name,
            profile=self._profile.name,
            lines=self._lines,
            valid=self._valid,
            labelled=self._labelled,
            size_bytes=self._size_bytes,
            errors=self._log.totals["error"],
            warnings=self._log.totals["warning"],
            faults=self._log.faults(),
            counts=dict(sorted(self._log.counts.items())),
            notes=tuple(self._remarks()),
        )

    def _remarks(self) -> Iterable[str]:
        if 0 < self._labelled < self._valid:
            yield (
                f"{self._labelled} of {self._valid} valid lines end with an answer: a distillation job takes "
                "these as golden examples, a fine-tuning job needs an answer in every line"
            )
        if self._log.checks("duplicate_line") and self._valid > REMEMBERED_LINES:
            yield f"only the first {REMEMBERED_LINES:,} distinct lines were compared with later ones"
