"""Runs a profile over a dataset: every line, then the file as a whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from gzip import BadGzipFile
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from logminer.errors import StorageError, UsageError
from logminer.printable import counted, printable
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
from logminer.validation.profile import Bounds, Profile
from logminer.validation.quick import QuickLook
from logminer.validation.report import KEPT_FAULTS, Fault, FaultLog, Report, Severity
from logminer.validation.rules import (
    LARGE_LINE_BYTES,
    MAX_FILE_BYTES,
    MAX_INSPECTED_BYTES,
    Finding,
)

REMEMBERED_LINES: Final = 200_000
"""How many lines are compared with later ones; one takes about 100 bytes of memory."""

MAX_UNPACKED_BYTES: Final = 16 * MAX_FILE_BYTES
"""Where reading a compressed file ends: it may unpack to a thousand times its size."""


_LOOKED_AT_CLOSELY: Final = 4
"""So few lines are not worth another quick look."""


class Mending(Protocol):
    """What changes lines on their way to the check; see `mending.py`."""

    def take(self, batch: list[bytes]) -> list[bytes]:
        """The lines to check, each with its line feed."""

    def take_file(self, reader: LineReader, *, packed: bool) -> None:
        """What was found of the file as a whole, after its last line."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller allows or asks for beside the profile.

    `min_lines` and `max_lines` replace the profile's bounds, `held_out` chooses those of a validation set;
    `allow_few` turns "too few" into a warning. All faults are counted, about `keep` of them are kept.
    """

    min_lines: int | None = None
    max_lines: int | None = None
    allow_few: bool = False
    held_out: bool = False
    keep: int = KEPT_FAULTS


_NOTHING: Final = Allowance()


def validate_file(path: Path | str, profile: Profile, allowance: Allowance = _NOTHING) -> Report:
    """Check a local .jsonl file, or a gzipped one where the profile reads it, and report every fault.

    Memory does not grow with the file. Raises UsageError, ConfigurationError or StorageError for a file that
    can't be read.
    """
    with open_dataset(Path(path)) as stream:
        return validate_stream(stream, str(path), profile, allowance)


def validate_stream(
    stream: ByteReader, name: str, profile: Profile, allowance: Allowance = _NOTHING
) -> Report:
    """Check an open dataset that is, or will be, called `name`, `-` for one without a name; see `validate_file`.

    Raises StorageError when reading fails, UsageError for a validation set where the profile has none.
    """
    check = Check(profile, allowance)
    if check.name_passes(name):
        complete = check.read(stream, name)
        check.end(complete=complete)
    return check.report(name)


def check_line(line: bytes, profile: Profile, number: int = 1) -> tuple[Fault, ...]:
    """The faults of a single line (without its line end), such as an exporter is about to write."""
    log = FaultLog(profile.severities)
    quick = quick_look(profile) if len(line) > MAX_INSPECTED_BYTES else None
    if quick is None or quick.labelled([line + b"\n"]) is None:
        look_closer(line, number, profile, log)
    _check_length(len(line), number, log)
    return log.faults()


def quick_look(profile: Profile) -> QuickLook | None:
    """The quick look at a file, if the profile has one."""
    look = partial(flawless, profile)
    return QuickLook(profile.quick, look) if profile.quick else None


def flawless(profile: Profile, line: bytes) -> bool | None:
    """Whether a line (without its end) is labelled; None if it has any finding."""
    log = FaultLog(profile.severities)
    facts = look_closer(line, 0, profile, log)
    return facts.labelled if facts is not None and not log.counts else None


def look_closer(line: bytes, number: int, profile: Profile, log: FaultLog) -> LineFacts | None:
    """Log all findings of a line (without its end); None if it has an error."""
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
    if log.totals["error"] > errors:
        return None
    key = parsed.value.get(profile.unique_key) if profile.unique_key else None
    return LineFacts(profile.labelled(parsed.value), key if isinstance(key, str) else None)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is kept of a line without an error: whether it is labelled, and the value that no other may have."""

    labelled: bool
    key: str | None


def _check_length(size_bytes: int, number: int, log: FaultLog) -> None:
    if size_bytes > LARGE_LINE_BYTES:
        log.add(number, Finding("line_size", "$", f"has {size_bytes} bytes"))


def _severities(profile: Profile, *, allow_few: bool) -> Mapping[str, Severity]:
    return {**profile.severities, "too_few_lines": "warning"} if allow_few else profile.severities


def _bounds(profile: Profile, allowance: Allowance) -> Bounds:
    bounds = profile.held_out if allowance.held_out else profile.bounds
    if bounds is None:
        raise UsageError(
            f"a job with {profile.name} takes no validation set",
            where="--held-out",
            fix="Leave it out, or choose another profile or model.",
        )
    if allowance.min_lines is not None:
        bounds = replace(bounds, min_lines=allowance.min_lines)
    return bounds if allowance.max_lines is None else replace(bounds, max_lines=allowance.max_lines)


class Check:
    """One run over one file; the counters are those of `Report`."""

    def __init__(self, profile: Profile, allowance: Allowance) -> None:
        self._profile = profile
        self._bounds = _bounds(profile, allowance)
        self._log = FaultLog(_severities(profile, allow_few=allowance.allow_few), allowance.keep)
        self._lines = self._valid = self._labelled = self._size_bytes = 0
        self._quick = quick_look(profile)
        self._first_lines: dict[int, int] | None = {} if self._log.checks("duplicate_line") else None
        self._first_keys: dict[int, int] = {}

    def name_passes(self, name: str) -> bool:
        """Check the file's name; false means that the file is not to be read."""
        allowed = (".jsonl", ".jsonl.gz") if self._log.checks("compressed") else (".jsonl",)
        if name == "-" or name.endswith(allowed):
            return True
        self._log.add(0, Finding("file_name", "", "the name does not end in .jsonl"))
        return not self._profile.refuses_other_names

    def read(self, stream: ByteReader, name: str, mending: Mending | None = None) -> bool:
        """Check every line; false means that not all could be read. Lines go through `mending` first."""
        try:
            return self._read_plain_or_packed(stream, mending)
        except (EOFError, BadGzipFile, zlib.error):
            self._log.add(0, Finding("gzip_damaged", "", f"damaged or cut short after line {self._lines}"))
            return False
        except OSError as error:
            problem = f"reading fails after line {self._lines}: {error.strerror}"
            raise StorageError(problem, where=printable(name), fix="Try a local copy of the file.") from error

    def _read_plain_or_packed(self, stream: ByteReader, mending: Mending | None) -> bool:
        packed = self._log.checks("compressed") and is_gzip(stream)
        if packed:
            stream = unpacked(stream)
            if mending is None:
                self._log.add(0, Finding("compressed", "", "the file is gzipped"))
        if is_utf16(stream):
            self._log.add(0, Finding("not_utf8", "", "the file is UTF-16"))
            return False
        at_carriage_return = self._profile.splits_at_carriage_return
        limit_bytes = MAX_UNPACKED_BYTES if packed else None
        reader = LineReader(stream, at_carriage_return=at_carriage_return, limit_bytes=limit_bytes)
        self._read_lines(reader, mending)
        if mending is not None:
            mending.take_file(reader, packed=packed)
        if reader.stopped:
            self._log.add(0, Finding("unpacked_size", "", f"reading ended after {reader.size_bytes} bytes"))
        return not reader.stopped

    def _read_lines(self, reader: LineReader, mending: Mending | None) -> None:
        for batch in reader.batches():
            self._size_bytes = reader.size_bytes
            if isinstance(batch, OverlongLine):
                self._lines += 1
                self._log.add(self._lines, Finding("line_too_long", "$", f"has {batch.size_bytes} bytes"))
            elif mending is None:
                self._take_lines(batch)
            elif mended := mending.take(batch):
                self._take_lines(mended)

    def _take_lines(self, lines: list[bytes]) -> None:
        """Halve what the quick look does not pass, until few lines are left to be looked at closely."""
        is_worth_it = len(lines) > 1 or len(lines[0]) > MAX_INSPECTED_BYTES
        labelled = self._quick.labelled(lines) if self._quick and is_worth_it else None
        if labelled is not None:
            self._take_flawless(lines, labelled)
        elif len(lines) <= _LOOKED_AT_CLOSELY or self._quick is None:
            for line in lines:
                self._take_line(line)
        else:
            middle = len(lines) // 2
            self._take_lines(lines[:middle])
            self._take_lines(lines[middle:])

    def _take_flawless(self, lines: list[bytes], labelled: int) -> None:
        before = self._lines
        self._lines += len(lines)
        self._valid += len(lines)
        self._labelled += labelled
        if max(map(len, lines)) > LARGE_LINE_BYTES:
            for number, line in enumerate(lines, start=before + 1):
                _check_length(len(line) - 1, number, self._log)
        first_lines = self._first_lines
        if first_lines is None:
            return
        hashes = list(map(hash, lines))
        if (
            len(first_lines) + len(lines) <= REMEMBERED_LINES
            and len(set(hashes)) == len(hashes)
            and first_lines.keys().isdisjoint(hashes)
        ):
            first_lines.update(zip(hashes, range(before + 1, self._lines + 1), strict=True))
        else:
            for number, key in enumerate(hashes, start=before + 1):
                self._compare(key, number, first_lines, "duplicate_line")

    def _take_line(self, line: bytes) -> None:
        self._lines += 1
        facts = look_closer(line[:-1], self._lines, self._profile, self._log)
        _check_length(len(line) - 1, self._lines, self._log)
        if facts is None:
            return
        self._valid += 1
        self._labelled += facts.labelled
        if self._first_lines is not None:
            self._compare(hash(line), self._lines, self._first_lines, "duplicate_line")
        if facts.key is not None:
            self._compare(hash(facts.key), self._lines, self._first_keys, "duplicate_id")

    def _compare(self, key: int, number: int, first_lines: dict[int, int], rule: str) -> None:
        # Python's own hash: 64 bits, keyed anew in each process, and faster than any of hashlib. That two
        # different lines share one is expected once in a billion full files, and costs a wrong warning.
        first = first_lines.get(key)
        if first is not None:
            self._log.add(number, Finding(rule, "$", f"the same as line {first}"))
        elif len(first_lines) < REMEMBERED_LINES:
            first_lines[key] = number

    def end(self, *, complete: bool) -> None:
        """Check the size of the file, unpacked, and the number of lines if it was read to its end."""
        most_bytes = self._bounds.max_file_bytes
        if most_bytes is not None and self._size_bytes > most_bytes:
            problem = f"has {self._size_bytes} bytes, the most is {most_bytes}"
            self._log.add(0, Finding("file_size", "", problem))
        if complete:
            self._count(self._bounds.min_lines or 0, self._bounds.max_lines)

    def _count(self, fewest: int, most: int | None) -> None:
        if not self._lines and self._log.checks("empty_file"):
            self._log.add(0, Finding("empty_file", "", "the file has no lines"))
        elif self._valid < fewest:
            problem = f"{counted(self._valid, 'valid line')}, at least {fewest:,} are needed"
            self._log.add(0, Finding("too_few_lines", "", problem))
        if most is not None and self._lines > most:
            self._log.add(0, Finding("too_many_lines", "", f"{self._lines:,} lines, the most is {most:,}"))

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
        if self._profile.mixed_note and 0 < self._labelled < self._valid:
            yield f"{self._labelled} of {self._valid} valid lines end with an answer: {self._profile.mixed_note}"
        if self._first_lines is not None and self._valid > REMEMBERED_LINES:
            yield f"only the first {REMEMBERED_LINES:,} distinct lines were compared with later ones"
