"""The JSON values of a log object, whatever holds them together.

One value per line is the rule and the fast path. Behind it stands an assembler for the rest: values that span
lines, several on one line, arrays of values, a byte order mark, and the timestamps that a CloudWatch Logs export
puts before each. What cannot be read costs itself alone: a cut-off value ends where a whole record begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from zlib_ng import zlib_ng

from logminer.model import DecodedRecord
from logminer.records import NotARecord, RecordDecoder

MAX_VALUE_BYTES = 256 << 20
MAX_QUARANTINED_BYTES = 64 << 10
# DEFLATE reaches about 1,030 to 1; logs stay below 100 to 1.
_MAX_RATIO = 250
_RATIO_COUNTS_FROM_BYTES = 1 << 30

_READ_BYTES = 1 << 18
_INFLATE_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"

_SPACE = b" \t\r\n\x0b\x0c"
_BOM = b"\xef\xbb\xbf"
# What a CloudWatch Logs export writes before a message; one tool was seen to write epoch milliseconds.
_EXPORT_STAMP = re.compile(rb"(?:\d{4}-\d{2}-\d{2}T[\d:.]{8,15}Z|\d{13}) (?=\{)")
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """A value that is no log record: its ordinal in the object, a reason, and its first 64 KiB."""

    position: int
    reason: str
    raw: bytes


class ReadRecord(msgspec.Struct, frozen=True, gc=False):
    """A log record and its ordinal in the object."""

    position: int
    decoded: DecodedRecord


class DamagedObject(Exception):  # noqa: N818 - a finding about input, turned into a quarantined value
    """The rest of an object cannot be read; `reason` is a word for the quarantine."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def read_values(stream: BinaryIO, decoder: RecordDecoder) -> Iterator[ReadRecord | Quarantined]:
    """Every value of a log object, gzipped or plain, as a record or with the reason why it is none.

    Holds the largest value in memory, never the object. OSError from the stream passes through.
    """
    return _ValueReader(decoder).read(stream)


def inflate(stream: BinaryIO) -> Iterator[bytes]:
    """The content of a gzip stream of any number of members, or of a plain one, in pieces of up to 1 MiB.

    Raises DamagedObject after the last piece that could be read.
    """
    data = stream.read(_READ_BYTES)
    if not data.startswith(_GZIP_MAGIC):
        while data:
            yield data
            data = stream.read(_READ_BYTES)
        return
    member = None  # the decompressor of the gzip member that is being read, None between members
    read_bytes = inflated_bytes = 0
    while data:
        read_bytes += len(data)
        while data:
            if member is None:
                data = data.lstrip(b"\0")  # some writers pad with zeros
                if data and not data.startswith(_GZIP_MAGIC[: len(data)]):
                    raise DamagedObject("gzip_trailing_garbage")
                member = zlib_ng.decompressobj(wbits=31) if data else None
                continue
            try:
                piece = member.decompress(data, _INFLATE_BYTES)
            except zlib_ng.error:
                raise DamagedObject("gzip_damaged") from None
            inflated_bytes += len(piece)
            if inflated_bytes > max(_RATIO_COUNTS_FROM_BYTES, read_bytes * _MAX_RATIO):
                raise DamagedObject("gzip_bomb")
            if piece:
                yield piece
            data = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = None
        data = stream.read(_READ_BYTES)
    if member is not None:
        raise DamagedObject("gzip_cut_off")


class _ValueReader:
    def __init__(self, decoder: RecordDecoder) -> None:
        self._decode = decoder.decode
        self._position = 0
        self._assembler = _Assembler()

    def read(self, stream: BinaryIO) -> Iterator[ReadRecord | Quarantined]:
        rest: list[bytes] = []  # pieces of a line whose end has not come yet
        rest_bytes = 0
        pieces = inflate(stream)
        try:
            for piece in pieces:
                lines = piece.split(b"\n")
                if len(lines) > 1:
                    rest.append(lines[0])
                    lines[0] = b"".join(rest) if len(rest) > 1 else rest[0]
                    rest, rest_bytes = [], 0
                last = lines.pop()
                for line in lines:
                    yield from self._read_line(line)
                rest.append(last)
                rest_bytes += len(last)
                if rest_bytes > MAX_VALUE_BYTES:
                    yield self._quarantined("too_large", rest[0])
                    rest, rest_bytes = [_skip_line(pieces)], 0
        except DamagedObject as damage:
            yield from self._finish(b"".join(rest), damage.reason)
        else:
            yield from self._read_line(b"".join(rest))
            yield from self._finish(b"", "cut_off")

    def _finish(self, rest: bytes, reason: str) -> Iterator[Quarantined]:
        pending = self._assembler.take_pending()
        if reason != "cut_off" or pending:
            yield self._quarantined(reason, b"\n".join((pending, rest)).strip())

    def _read_line(self, line: bytes) -> Iterator[ReadRecord | Quarantined]:
        if not self._assembler.is_busy:
            if not line or line.isspace():
                return
            try:
                decoded = self._decode(line)
            except NotARecord as finding:
                if finding.reason not in ("invalid_json", "not_an_object"):
                    yield self._quarantined(finding.reason, line)
                    return
            else:
                yield ReadRecord(self._next_position(), decoded)
                return
        yield from self._assemble(line)

    def _assemble(self, line: bytes) -> Iterator[ReadRecord | Quarantined]:
        if self._assembler.has_pending and line.startswith(b"{"):
            # A value that was cut off swallows what follows it, unless a whole record stands on this line.
            try:
                decoded = self._decode(line)
            except NotARecord:
                pass
            else:
                yield self._quarantined("cut_off", self._assembler.take_pending())
                yield ReadRecord(self._next_position(), decoded)
                return
        for text, is_whole in self._assembler.feed(line):
            yield self._read_text(text) if is_whole else self._quarantined(_reason_for(text), text)

    def _read_text(self, text: bytes) -> ReadRecord | Quarantined:
        try:
            decoded = self._decode(text)
        except NotARecord as finding:
            return self._quarantined(finding.reason, text)
        return ReadRecord(self._next_position(), decoded)

    def _quarantined(self, reason: str, raw: bytes) -> Quarantined:
        return Quarantined(self._next_position(), reason, raw[:MAX_QUARANTINED_BYTES])

    def _next_position(self) -> int:
        self._position += 1
        return self._position - 1


def _skip_line(pieces: Iterator[bytes]) -> bytes:
    """Pass over the rest of a line that is too long; what follows it in the last piece."""
    for piece in pieces:
        _, found, after = piece.partition(b"\n")
        if found:
            return after
    return b""


def _reason_for(text: bytes) -> str:
    """Why a piece that does not begin like an object is quarantined."""
    try:
        msgspec.json.decode(text)
    except UnicodeDecodeError:
        return "invalid_utf8"
    except (msgspec.DecodeError, RecursionError):
        return "invalid_json"
    return "not_an_object"


class _Assembler:
    """Cuts lines into JSON objects by their brackets; an object may span lines, a string may not."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._depth = 0
        self._in_array = False  # in an array of values, whose commas and end are no values

    @property
    def has_pending(self) -> bool:
        """Whether an object has begun that has not ended."""
        return self._depth > 0

    @property
    def is_busy(self) -> bool:
        """Whether the next line depends on what came before it."""
        return self._depth > 0 or self._in_array

    def take_pending(self) -> bytes:
        """The object that has not ended, given up."""
        pending = b"\n".join(self._parts)
        self._parts, self._parts_bytes, self._depth = [], 0, 0
        return pending

    def feed(self, line: bytes) -> Iterator[tuple[bytes, bool]]:
        """The values that end on this line: an object's text and True, or text that is none and False."""
        at = 0
        while True:
            if self._depth == 0:
                at = self._skip_between(line, at)
                if at >= len(line):
                    return
                if line[at : at + 1] != b"{":
                    yield line[at:], False
                    return
            end = self._scan_object(line, at)
            if end is None:
                if self._depth == 0:
                    yield b"\n".join((*self._take_parts(), line[at:])), False
                elif self._parts_bytes > MAX_VALUE_BYTES:
                    yield self.take_pending(), False
                return
            yield b"\n".join((*self._take_parts(), line[at:end])), True
            at = end

    def _take_parts(self) -> list[bytes]:
        parts, self._parts, self._parts_bytes = self._parts, [], 0
        return parts

    def _skip_between(self, line: bytes, at: int) -> int:
        """The place of the next value: past white space, marks, stamps, and the punctuation of arrays."""
        while at < len(line):
            character = line[at : at + 1]
            if character in _SPACE or (character == b"," and self._in_array):
                at += 1
            elif character == b"[" and not self._in_array:
                self._in_array = True
                at += 1
            elif character == b"]" and self._in_array:
                self._in_array = False
                at += 1
            elif line.startswith(_BOM, at):
                at += len(_BOM)
            elif (stamp := _EXPORT_STAMP.match(line, at)) is not None:
                at = stamp.end()
            else:
                break
        return at

    def _scan_object(self, line: bytes, at: int) -> int | None:
        """The end of the object that begins or goes on at `at`; None where this line does not end it."""
        for token in _STRING_OR_BRACKET.finditer(line, at):
            text = token.group()
            if text in (b"{", b"["):
                self._depth += 1
            elif text in (b"}", b"]"):
                self._depth -= 1
                if self._depth == 0:
                    return token.end()
            elif text == b'"':  # a string that does not end on its line: no JSON
                self._depth = 0
                return None
        self._parts.append(line[at:])
        self._parts_bytes += len(line) - at
        return None
