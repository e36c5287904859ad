"""Raw log corpora: made once by `sample_logs/generate.py`, and kept under `build/` for the next run."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Setting
from benchmarks.harness import ROOT

LOG_OBJECTS = "AWSLogs/*/BedrockModelInvocationLogs/*/*/*/*/*/*.json.gz"
_GENERATOR = ROOT / "sample_logs"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of log objects; `raw_bytes` is their decompressed size."""

    folder: Path
    records: int
    objects: int
    raw_bytes: int

    @property
    def pattern(self) -> str:
        """A glob of its log objects."""
        return f"{self.folder}/{LOG_OBJECTS}"

    def megabytes_per_second(self, seconds: float) -> float:
        """The pace of who read all of it; a megabyte is a million bytes of decompressed JSON."""
        return self.raw_bytes / 1e6 / seconds


def corpus(
    setting: Setting, records: int, body_bytes: int = 3_500, object_records: int | None = None
) -> Corpus:
    """A corpus of that many records, of `body_bytes` of raw JSON in the mean."""
    shape = f"{records}-{setting.seed}-{body_bytes}-{object_records or 'any'}"
    folder = setting.folder / f"logs-{shape}-{fingerprint(_GENERATOR.glob('*.py'))}"
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--records", str(records), "--seed", str(setting.seed), "--body-bytes", str(body_bytes)]
        if object_records is not None:
            options += ["--objects-of", str(object_records)]
        subprocess.run(
            [sys.executable, str(_GENERATOR / "generate.py"), *options, "--out", str(unfinished)],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        unfinished.rename(folder)
    return _described(folder, records)


def share_of(whole: Corpus, setting: Setting, parts: int) -> Corpus:
    """Every `parts`-th object of a corpus, by links: less of the same, over the same hours."""
    if parts == 1:
        return whole
    folder = setting.folder / f"{whole.folder.name}-1of{parts}"
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        for path in objects_of(whole)[::parts]:
            place = unfinished / path.relative_to(whole.folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
        unfinished.rename(folder)
    return _described(folder, None)


def objects_of(whole: Corpus) -> list[Path]:
    """The log objects of a corpus, sorted."""
    return sorted(whole.folder.glob(LOG_OBJECTS))


def _described(folder: Path, records: int | None) -> Corpus:
    """Counts what is there; each record is one line."""
    note = folder / ".described"
    if not note.exists():
        size = lines = objects = 0
        for path in folder.glob(LOG_OBJECTS):
            data = gzip.decompress(path.read_bytes())
            size, lines, objects = size + len(data), lines + data.count(b"\n"), objects + 1
        note.write_text(f"{lines} {objects} {size}")
    lines, objects, size = map(int, note.read_text().split())
    assert records in (None, lines)
    return Corpus(folder, lines, objects, size)


def fingerprint(sources: Iterable[Path]) -> str:
    """A digest of the sources that make something: what was made by others is made anew."""
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
