"""What an ingest takes in memory, and what monstrous values cost: one quarantined value each."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from logminer import pipeline

from .conftest import BucketCommandLine
from .logs import answer, layout, object_name, packed, record
from .servers import Bucket

MIB = 1 << 20
# With small buffers, that are full early.
PROGRAM = """
import sys
from logminer import pipeline
from logminer.ingestion import worker
from logminer.s3 import fetching
worker._ROW_GROUP_BYTES = worker._MAX_BUFFERED_BYTES = 8 << 20
fetching._MAX_WAITING_BYTES = 8 << 20
pipeline.ingest(sys.argv[1], store=sys.argv[2], workers=1)
"""


def peak_mib(command: list[str], run: BucketCommandLine) -> int:
    """The most memory that a process takes; it must end well."""
    process = subprocess.Popen(
        command, cwd=run.folder, env=run.environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    with process.stderr as stream:
        said = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()
    return usage.ru_maxrss // (MIB if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("kind", ["objects", "bodies"])
def test_memory_does_not_grow_with_the_source(bucket: Bucket, s3run: BucketCommandLine, kind: str) -> None:
    """Of 20 and of 80 MB that lie in objects, or in bodies beside them."""
    peaks = []
    for step, count in enumerate((20, 80)):
        prefix = f"{step}/{layout()}"
        for number in range(count):
            text = random.Random(number).randbytes(500_000).hex()
            value = record(f"{number}")
            if kind == "bodies":
                long = answer(text)
                path = bucket.put(f"{prefix}data/{number}_output.json", json.dumps(long).encode())
                value = record(f"{number}", output_path=path)
            else:
                value["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = text
            bucket.put(prefix + object_name(number), packed([value]))
        command = [sys.executable, "-c", PROGRAM, bucket.uri(str(step)), f"store{step}"]
        peaks.append(peak_mib(command, s3run))
        assert s3run.count_rows(f"store{step}") == count
    assert peaks[1] - peaks[0] < 50


def deflated(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a gzip file whose content is never whole in memory."""
    deflater = zlib.compressobj(6, zlib.DEFLATED, 31)
    with path.open("wb") as stream:
        for piece in pieces:
            stream.write(deflater.compress(piece))
        stream.write(deflater.flush())


def test_monsters_cost_a_row_each(s3run: BucketCommandLine) -> None:
    logs = s3run.folder / "logs"
    logs.mkdir()
    good = [json.dumps(record(name)).encode() + b"\n" for name in "abcde"]
    long = [b'{"x": "', *[b"x" * MIB] * 257, b'"}\n']
    deflated(logs / "long.json.gz", [good[0], *long, good[1]])
    deep = b'{"x":' * 100_000 + b"1" + b"}" * 100_000 + b"\n"
    deflated(logs / "deep.json.gz", [good[2], deep, good[3]])
    deflated(logs / "bomb.json.gz", [good[4], *[b" " * (MIB - 1) + b"\n"] * 1_100])
    command = [*s3run.program, "ingest", "logs", "--store", "store", "--workers", "1"]
    assert peak_mib(command, s3run) < 1_000
    assert s3run.requests("store") == list("abcde")
    found = [
        (Path(each.source_uri).name, each.reason) for each in pipeline.quarantine(str(s3run.folder / "store"))
    ]
    assert sorted(found) == [
        ("bomb.json.gz", "gzip_bomb"),
        ("deep.json.gz", "too_deep"),
        ("long.json.gz", "too_large"),
    ]
