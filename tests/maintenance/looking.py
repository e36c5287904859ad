"""What tests of maintenance look at: every byte of a store, packed or not, and the age of files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow.parquet as pq

DAY = 86_400


def files_of(store: Path) -> dict[str, bytes]:
    """All files of a store by their path in it."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def places_with(store: Path, text: str) -> list[str]:
    """The files that hold a text: as bytes, in the rows of a Parquet file, or in its footer."""
    found = []
    for path in sorted(store.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as parquet:
                content += str(parquet.metadata.metadata).encode()
                content += repr(parquet.read().to_pylist()).encode()
        if text.encode() in content:
            found.append(path.relative_to(store).as_posix())
    return found


def make_older(*paths: Path, days: float = 2) -> None:
    """Let files look as if they were written so long ago."""
    moment = time.time() - days * DAY
    for path in paths:
        os.utime(path, (moment, moment))
