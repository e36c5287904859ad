"""Memory grows with what is under way, not with what is read."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from .ground import SECONDS, Ground, record

PROGRAM = """
import resource, sys
from logminer import pipeline
from logminer.ingestion import worker
worker._ROW_GROUP_BYTES = worker._MAX_BUFFERED_BYTES = 8 << 20
pipeline.ingest(sys.argv[1], store=sys.argv[2], workers=1)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak >> 20 if sys.platform == "darwin" else peak >> 10)
"""


def peak_mb(ground: Ground) -> int:
    """The most memory, in MiB, that an ingest of the logs takes in one process."""
    command = [sys.executable, "-c", PROGRAM, str(ground.logs), str(ground.store)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("broken", [False, True], ids=["records", "broken values"])
def test_a_large_object_does_not_pile_up(ground: Ground, broken: bool) -> None:
    """Of 160 MB, the start and the end are not in memory together."""
    text = random.Random(1).randbytes(20_000).hex()
    line = b"broken " + text.encode() if broken else json.dumps(record("1", {"text": text})).encode()
    ground.write("small", [line] * 10)
    small = peak_mb(ground)
    (ground.logs / "small.json.gz").rename(ground.folder / "small.json.gz")
    path = ground.logs / "large.json"
    with path.open("wb") as stream:
        for _ in range(4_000):
            stream.write(line + b"\n")
    assert path.stat().st_size > 160_000_000
    large = peak_mb(ground)
    assert large - small < 120
