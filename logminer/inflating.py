"""Gzipped log objects as plain bytes: any number of members, damage found where it is, bombs refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from zlib_ng import zlib_ng

# DEFLATE reaches about 1,030 to 1; logs stay below 100 to 1.
_MAX_RATIO = 250
_RATIO_COUNTS_FROM_BYTES = 1 << 30

_READ_BYTES = 1 << 18
_INFLATE_BYTES = 1 << 20
_SALVAGE_BYTES = 1 << 12
_GZIP_MAGIC = b"\x1f\x8b"
_DeflateError: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub is wrong


class DamagedObject(Exception):  # noqa: N818 - a finding about input, turned into a quarantined value
    """The rest of an object cannot be read; `reason` is a word for the quarantine."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def inflate(stream: BinaryIO) -> Iterator[bytes]:
    """The content of a gzip stream of any number of members, or of a plain one, in pieces of up to a few MiB.

    Raises DamagedObject after the last piece that could be read. A checksum is known at a member's end only,
    so what comes out before the damage shows may be damaged too.
    """
    data = stream.read(_READ_BYTES)
    while len(data) < len(_GZIP_MAGIC) and (more := stream.read(_READ_BYTES)):
        data += more
    if data.startswith(_GZIP_MAGIC):
        yield from _inflate_members(data, stream)
        return
    while data:
        yield data
        data = stream.read(_READ_BYTES)


def _inflate_members(data: bytes, stream: BinaryIO) -> Iterator[bytes]:
    member: Any = None  # the decompressor of the gzip member that is being read, None between members
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
            before = member.copy()
            try:
                piece = member.decompress(data, _INFLATE_BYTES)
            except _DeflateError:
                yield from _salvage(before, data)
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


def _salvage(member: Any, data: bytes) -> Iterator[bytes]:
    """What `data` gives up to the damage in it: a call that fails keeps to itself what it had inflated."""
    at, step = 0, _SALVAGE_BYTES
    while step:
        before = member.copy()
        try:
            piece = member.decompress(data[at : at + step])
        except _DeflateError:
            member, step = before, (1 if step > 1 else 0)
            continue
        at += step
        if piece:
            yield piece
