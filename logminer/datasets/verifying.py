"""Whether the files of a dataset are still those that its manifest names, line by line."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

import msgspec

from logminer.datasets.manifest import (
    DatasetFile,
    Manifest,
    PairLine,
    absolute,
    manifest_path,
    open_file,
    read_manifest,
    resolved,
)
from logminer.errors import ConfigurationError, StorageError, UsageError
from logminer.printable import counted

_BLOCK_BYTES = 1 << 20
_MAX_ODD_LINES = 100
"""Of lines that are not as the sidecar says, only these many are named."""


@dataclass(frozen=True)
class Oddity:
    """What is not as the manifest says. `line` counts from 1; None where it is about the whole file."""

    path: str
    problem: str
    line: int | None = None


@dataclass(frozen=True)
class Verification:
    """What was looked at, and all that is odd about it."""

    manifest: str
    files: int
    lines: int
    oddities: tuple[Oddity, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.oddities


def verify_dataset(path: str) -> Verification:
    """Look at every file of a dataset. Raises UsageError where there is no manifest; StorageError."""
    place = absolute(manifest_path(path))
    manifest = read_manifest(place)
    odd: list[Oddity] = []
    for file in manifest.files:
        odd += _look_at_file(file, resolved(place, file.path))
    lines = 0
    for role in ("train", "held_out"):
        data, sidecar = manifest.file(role), manifest.file(f"{role}_pairs")
        if data is not None and sidecar is not None:
            lines += manifest.counts.get(role, 0)
            broken = {each.path for each in odd if each.problem == _MISSING}
            if not broken & {resolved(place, data.path), resolved(place, sidecar.path)}:
                odd += _look_at_lines(manifest, place, data, sidecar)
    return Verification(place, len(manifest.files), lines, tuple(odd))


_MISSING = "is not there"


def _look_at_file(file: DatasetFile, path: str) -> Iterator[Oddity]:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with open_file(path) as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
                size_bytes += len(block)
    except ConfigurationError:
        raise
    except (UsageError, StorageError):
        yield Oddity(path, _MISSING)
        return
    if size_bytes != file.size_bytes:
        yield Oddity(path, f"has {size_bytes:,} bytes, not {file.size_bytes:,}")
    elif digest.hexdigest() != file.sha256:
        yield Oddity(path, f"has the SHA-256 {digest.hexdigest()}, not {file.sha256}")


def _look_at_lines(
    manifest: Manifest, place: str, data: DatasetFile, sidecar: DatasetFile
) -> Iterator[Oddity]:
    """Each line of the data beside its line of the sidecar; formats without lines are only counted."""
    side_path, data_path = resolved(place, sidecar.path), resolved(place, data.path)
    with open_file(side_path) as side:
        if data.lines is None:
            number = sum(1 for _ in side)
            if number != sidecar.lines:
                yield Oddity(side_path, f"has {counted(number, 'line')}, not {sidecar.lines:,}")
            return
        with open_file(data_path) as stream:
            yield from itertools.islice(_odd_lines(stream, side, data_path, side_path), _MAX_ODD_LINES)


def _odd_lines(stream: BinaryIO, side: BinaryIO, data_path: str, side_path: str) -> Iterator[Oddity]:
    decode = msgspec.json.Decoder(PairLine).decode
    for number, (line, noted) in enumerate(itertools.zip_longest(stream, side), 1):
        if line is None:
            yield Oddity(data_path, "ends before its sidecar does", number)
            return
        if noted is None:
            yield Oddity(data_path, "goes on after its sidecar has ended", number)
            return
        try:
            known = decode(noted)
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield Oddity(side_path, "is no line of a sidecar", number)
            continue
        if known.line != number:
            yield Oddity(side_path, f"is about line {known.line:,}", number)
        elif blake2b(line.rstrip(b"\n"), digest_size=16).hexdigest() != known.line_hash:
            yield Oddity(data_path, "is not the line that was written", number)
