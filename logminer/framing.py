"""The JSON values of a log object, whatever holds them together.

One value per line is the rule and the fast path. Behind it stands an assembler for the rest: values that span
lines, several on one line, arrays of values, a byte order mark, and the timestamps that a CloudWatch Logs
export puts before each. Of an envelope of log events each message is a value. What cannot be read costs itself alone: a value that was cut off ends where a whole
record begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal

import msgspec

from logminer.inflating import DamagedObject, inflate
from logminer.log_events import messages_of
from logminer.model import DecodedRecord
from logminer.records import NotARecord, RecordDecoder

MAX_VALUE_BYTES = 256 << 20
MAX_QUARANTINED_BYTES = 64 << 10
_BOM = rb"\xef\xbb\xbf"
# What a CloudWatch Logs export writes before a message; one tool was seen to write epoch milliseconds.
_STAMP = rb"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}Z|[0-9]{13})[ \t]+(?=\{)"
# Between values: white space, the punctuation of arrays of objects, marks and stamps.
_BETWEEN = re.compile(rb"(?:[\s,\]]++|\[(?=\s*+(?:[{\[\]]|\Z))|" + _BOM + rb"|" + _STAMP + rb")*+")
_LINE_START = re.compile(rb"([ \t]*+)(?:" + _BOM + rb")?+(?:" + _STAMP + rb")?+[{\[]")
_SCALAR = rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+|true|false|null)'
_SCALARS = re.compile(rb"\[?+(?:\s*+" + _SCALAR + rb"(?:[\s,\]\[]++|\Z|(?=\{)))++", re.DOTALL)
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_OPEN, _QUOTE = b'{"'
_OPENING = frozenset(b"{[")
# Values that begin inside one that does not end can begin inside each other; so many are looked at again.
_MAX_INNER = 4


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """A value that is no log record: its ordinal in the object, a reason, and its first 64 KiB."""

    position: int
    reason: str
    raw: bytes


class ReadRecord(msgspec.Struct, frozen=True, gc=False):
    """A log record, its ordinal in the object, and the text it was read from."""

    position: int
    decoded: DecodedRecord
    text: bytes


def read_values(stream: BinaryIO, decoder: RecordDecoder) -> Iterator[ReadRecord | Quarantined]:
    """Every value of a log object, gzipped or plain, as a record or with the reason why it is none.

    Holds the largest value in memory, never the object. OSError from the stream passes through.
    """
    return _ValueReader(decoder).read(stream)


def _split_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of an object, the last one also where its end is missing.

    A line that outgrows MAX_VALUE_BYTES comes cut, somewhere above that size. DamagedObject passes through
    after the last line.
    """
    rest: list[bytes] = []  # pieces of a line whose end has not come yet
    rest_bytes = 0
    is_cut = False  # what comes belongs to a line that was handed on already
    try:
        for piece in pieces:
            lines = piece.split(b"\n")
            last = lines.pop()
            if lines:
                if is_cut:
                    is_cut = False
                    del lines[0]
                else:
                    rest.append(lines[0])
                    lines[0] = b"".join(rest)
                rest, rest_bytes = [], 0
                yield from lines
            if not is_cut and last:
                rest.append(last)
                rest_bytes += len(last)
                if rest_bytes > MAX_VALUE_BYTES:
                    yield b"".join(rest)
                    rest, rest_bytes, is_cut = [], 0, True
    except DamagedObject:
        yield b"".join(rest)
        raise
    yield b"".join(rest)


class _ValueReader:
    def __init__(self, decoder: RecordDecoder) -> None:
        self._decode = decoder.decode
        self._position = 0
        self._assembler = _Assembler(self._decode)

    def read(self, stream: BinaryIO) -> Iterator[ReadRecord | Quarantined]:
        decode, assembler = self._decode, self._assembler
        try:
            for line in _split_lines(inflate(stream)):
                if not line:
                    continue
                if assembler.is_busy or len(line) > MAX_VALUE_BYTES:
                    yield from self._read_odd_line(line)
                else:
                    try:
                        decoded = decode(line)
                    except NotARecord as finding:
                        yield from self._read_refused_line(line, finding.reason)
                    else:
                        yield ReadRecord(self._next_position(), decoded, line)
        except DamagedObject as damage:
            yield from self._give_up_pending()
            yield self._quarantined(damage.reason, b"")
        else:
            yield from self._give_up_pending()

    def _read_refused_line(self, line: bytes, reason: str) -> Iterator[ReadRecord | Quarantined]:
        """A line that is not one record as it stands."""
        if reason == "not_a_record":
            yield from self._read_other(line)
            return
        # The usual case of an unusual file: one record, and something around it.
        text = _without_surroundings(line)
        if text and len(text) < len(line):
            try:
                decoded = self._decode(text)
            except NotARecord:
                pass
            else:
                yield ReadRecord(self._next_position(), decoded, text)
                return
        yield from self._read_odd_line(line)

    def _read_odd_line(self, line: bytes) -> Iterator[ReadRecord | Quarantined]:
        cut = self._assembler.feed if len(line) <= MAX_VALUE_BYTES else self._assembler.pass_over
        for text, reason in cut(line):
            if reason is None:
                yield from self._read_object(text)
            else:
                yield self._quarantined(reason, text)

    def _read_object(self, text: bytes) -> Iterator[ReadRecord | Quarantined]:
        try:
            decoded = self._decode(text)
        except NotARecord as finding:
            if finding.reason == "not_a_record":
                yield from self._read_other(text)
            else:
                yield self._quarantined(finding.reason, text)
        else:
            yield ReadRecord(self._next_position(), decoded, text)

    def _read_other(self, text: bytes) -> Iterator[ReadRecord | Quarantined]:
        """An object that is no record, but may hold some."""
        messages = messages_of(text)
        if messages is None:
            yield self._quarantined("not_a_record", text)
            return
        for message in messages:
            yield self._read_message(message)

    def _read_message(self, text: bytes) -> ReadRecord | Quarantined:
        try:
            decoded = self._decode(text)
        except NotARecord as finding:
            return self._quarantined(finding.reason, text)
        return ReadRecord(self._next_position(), decoded, text)

    def _give_up_pending(self) -> Iterator[Quarantined]:
        pending = self._assembler.take_pending()
        if pending:
            yield self._quarantined("cut_off", pending)

    def _quarantined(self, reason: str, raw: bytes) -> Quarantined:
        return Quarantined(self._next_position(), reason, raw[:MAX_QUARANTINED_BYTES])

    def _next_position(self) -> int:
        self._position += 1
        return self._position - 1


def _without_surroundings(line: bytes) -> bytes:
    """A line without what may stand around a value: marks, stamps, the punctuation of an array."""
    start = _BETWEEN.match(line)
    return line[start.end() if start is not None else 0 :].rstrip(b" \t\r\x0b\x0c,]")


def _reason_for(text: bytes) -> str:
    """Why a piece that does not begin like an object is quarantined."""
    try:
        text.decode("utf-8")
        msgspec.json.decode(text, type=msgspec.Raw)  # checks the grammar, and builds nothing
    except UnicodeDecodeError:
        return "invalid_utf8"
    except RecursionError:
        return "too_deep"
    except msgspec.DecodeError:
        return "invalid_json"
    return "not_an_object"


# A piece of text, and why it is quarantined; None for the text of an object.
_Cut = tuple[bytes, str | None]


class _Assembler:
    """Cuts lines into JSON objects by their brackets; an object may span lines, a string may not.

    An object that was cut off would swallow all that follows. So inside one that began on an earlier line, a
    line that begins no further in than that one did, or the last one that ended, is looked at as a possible
    new beginning, too: it is one if what begins there ends, and is a log record.
    """

    def __init__(self, decode: Callable[[bytes], DecodedRecord]) -> None:
        self._decode = decode
        self._pending = bytearray()  # earlier lines of an object that has not ended
        self._depth = 0
        self._indent = 0  # of the line that the object, or the last one lost, began on
        self._usual_indent = 0  # of the line that the last object that ended began on
        self._inner: list[tuple[int, int]] = []  # possible new beginnings: offset in `_pending`, depth there
        self._is_lost = False  # inside the rest of an object that was given up

    @property
    def is_busy(self) -> bool:
        """Whether the next line depends on what came before it."""
        return self._depth > 0 or self._is_lost

    def take_pending(self) -> bytes:
        """The object that has not ended, given up."""
        self._is_lost = False
        return self._take(b"").rstrip()

    def feed(self, line: bytes) -> Iterator[_Cut]:
        """What ends on this line."""
        if self.is_busy:
            if self._is_new_beginning(line):
                if pending := self.take_pending():
                    yield pending, "cut_off"
            elif self._is_lost:
                return
            else:
                self._note_inner(line)
        begin = at = 0  # where the object begins on this line, and how far it is scanned
        while True:
            if not self._depth:
                begin = at = _end_of_match(_BETWEEN, line, at)
                if at >= len(line):
                    return
                if line[at] != _OPEN:
                    text, reason, at = _cut_other(line, at)
                    yield text, reason
                    continue
                self._indent = _indent_of(line)
            found, at = self._scan(line, at)
            if found == "end":
                self._usual_indent = self._indent
                yield self._take(line[begin:at]), None
            elif found == "inner":
                yield from self._end_inner(line, at)
            else:
                yield from self._keep(line[begin:], found)
                return

    def pass_over(self, line: bytes) -> Iterator[_Cut]:
        """A line that is too long to be looked into, of an object that began earlier or by itself."""
        start = _LINE_START.match(line)
        if not self.is_busy or (start is not None and not self._is_further_in(start)):
            if pending := self.take_pending():
                yield pending, "cut_off"
            yield line, "too_large"
        elif self._depth:
            yield self._take(line), "too_large"
            self._is_lost = True

    def _is_new_beginning(self, line: bytes) -> bool:
        """Whether a record stands on this line by itself, or an object that was given up must be over."""
        start = _LINE_START.match(line)
        if start is None:
            return False
        is_further_in = self._is_further_in(start)
        if self._is_lost and not is_further_in:
            return True
        text = _without_surroundings(line)
        # Further in, content may stand that only looks like a record.
        return self._is_whole_record(text) if is_further_in else self._is_record(text)

    def _is_further_in(self, start: re.Match[bytes]) -> bool:
        return len(start[1]) > max(self._indent, self._usual_indent)

    def _is_record(self, text: bytes) -> bool:
        try:
            self._decode(text)
        except NotARecord:
            return False
        return True

    def _is_whole_record(self, text: bytes) -> bool:
        if b'"schemaType"' not in text and b'"requestId"' not in text:
            return False
        try:
            record = self._decode(text).record
        except NotARecord:
            return False
        return record.schema_type is not None or (
            record.request_id is not None and record.timestamp is not None
        )

    def _note_inner(self, line: bytes) -> None:
        start = _LINE_START.match(line)
        if start is not None and not self._is_further_in(start) and line[start.end() - 1] == _OPEN:
            self._inner.append((len(self._pending) + start.end() - 1, self._depth))
            del self._inner[:-_MAX_INNER]

    def _end_inner(self, line: bytes, end: int) -> Iterator[_Cut]:
        """A possible new beginning has come to its end: was it one?"""
        offset, _ = self._inner.pop()
        text = bytes(self._pending[offset:]) + line[max(0, offset - len(self._pending)) : end]
        if self._is_whole_record(text):
            del self._pending[offset:]
            yield self.take_pending(), "cut_off"
            yield text, None

    def _keep(self, rest: bytes, found: str) -> Iterator[_Cut]:
        """The end of a line inside an object: go on with the next line, unless there is no hope."""
        spans_lines = bool(self._pending)
        if found == "open_string":
            yield self._take(rest), "cut_off"
            self._is_lost = spans_lines
            return
        self._pending += rest
        self._pending += b"\n"
        if len(self._pending) > MAX_VALUE_BYTES:
            yield self._take(b""), "too_large"
            self._is_lost = True

    def _take(self, end: bytes) -> bytes:
        text = bytes(self._pending) + end if self._pending else end
        self._pending.clear()
        self._inner.clear()
        self._depth = 0
        return text

    def _scan(self, line: bytes, at: int) -> tuple[Literal["end", "inner", "open_string", "more"], int]:
        """Follow the brackets of an object: to its end, to that of one that may have begun inside, or on."""
        for token in _STRING_OR_BRACKET.finditer(line, at):
            first = line[token.start()]
            if first == _QUOTE:
                if token.end() - token.start() == 1:
                    return "open_string", len(line)
            elif first in _OPENING:
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    return "end", token.end()
                if self._inner and self._inner[-1][1] == self._depth:
                    return "inner", token.end()
        return "more", len(line)


def _end_of_match(pattern: re.Pattern[bytes], line: bytes, at: int) -> int:
    match = pattern.match(line, at)
    return match.end() if match is not None else at


def _indent_of(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


def _cut_other(line: bytes, at: int) -> tuple[bytes, str, int]:
    """What stands at `at` and is no object, why it is quarantined, and where to go on.

    Plain values can stand between objects; anything else makes the rest of the line unreadable.
    """
    end = _end_of_match(_SCALARS, line, at)
    if end > at and (end >= len(line) or line[end] == _OPEN):
        return line[at:end], "not_an_object", end
    return line[at:], _reason_for(line[at:]), len(line)
