"""How fast and how lean `logminer ingest` is, beside the copy that somebody would make with DuckDB alone.

    make bench SIZE=60000

All read the same gzipped log objects, which `sample_logs/generate.py` makes once, in new processes and turn by
turn. The peers are one statement each, `COPY (SELECT * FROM read_json(...)) TO ... (FORMAT parquet, COMPRESSION
zstd)` of the raw records on as many threads as there are cores:

- "duckdb read_json" leaves it to DuckDB to find the columns and their types, as one would who tries it;
- "duckdb, columns given" names them and leaves the bodies JSON text, the quickest way to have it done.

Neither reads the bodies for what they say, judges them, or commits a table.

MB are a million bytes of decompressed JSON. Peak memory is that of the largest process, workers included.
"""

from __future__ import annotations

import argparse
import glob
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT / "build" / "bench"
_LOG_OBJECTS = "AWSLogs/*/BedrockModelInvocationLogs/*/*/*/*/*/*.json.gz"

PEER = """
import sys
import duckdb

source, target, threads = sys.argv[1:]
connection = duckdb.connect(config={"threads": int(threads)})
connection.execute(f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
"""
PLAIN = "read_json('{logs}', maximum_object_size = 268435456)"
COLUMNS_GIVEN = """read_json(
    '{logs}', maximum_object_size = 268435456, format = 'newline_delimited', columns = {{
        schemaType: 'VARCHAR', schemaVersion: 'VARCHAR', timestamp: 'VARCHAR', accountId: 'VARCHAR', region: 'VARCHAR',
        requestId: 'VARCHAR', operation: 'VARCHAR', modelId: 'VARCHAR', errorCode: 'VARCHAR', inferenceRegion: 'VARCHAR',
        identity: 'JSON', requestMetadata: 'JSON', input: 'JSON', output: 'JSON'
    }}
)"""
COUNT = "import duckdb, sys; print(duckdb.connect().execute('SELECT count(*) FROM read_parquet(?)', sys.argv[1:]).fetchall()[0][0])"


@dataclass(frozen=True, slots=True)
class Run:
    """One process tree from start to end."""

    seconds: float
    peak_bytes: int


def measure(command: Sequence[str]) -> Run:
    """Run a command; it must succeed. The peak is of the largest process that it started or was."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[:4]} ended with {process.returncode}:\n{said}")
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def corpus(records: int, seed: int) -> Path:
    """A folder of that many records, made once and kept under `build/`."""
    folder = CORPORA / f"{records}-{seed}"
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        script = ROOT / "sample_logs" / "generate.py"
        options = ["--records", str(records), "--seed", str(seed), "--out", str(unfinished)]
        subprocess.run([sys.executable, str(script), *options], check=True, stderr=subprocess.DEVNULL)
        unfinished.rename(folder)
    return folder


def raw_bytes(paths: Sequence[str]) -> int:
    """Decompressed size."""
    total = 0
    for path in paths:
        with gzip.open(path) as stream:
            while piece := stream.read(1 << 20):
                total += len(piece)
    return total


def ingest(folder: Path, target: Path) -> tuple[Run, int]:
    """`logminer ingest` into a new store, and the records that the store then holds."""
    logminer = [sys.executable, "-m", "logminer"]
    run = measure([*logminer, "ingest", str(folder), "--store", str(target)])
    counted = subprocess.run(
        [*logminer, "store", "info", "--store", str(target), "--json"], capture_output=True, check=True
    )
    return run, json.loads(counted.stdout)["rows"]


def peer(source: str, folder: Path, target: Path) -> tuple[Run, int]:
    """DuckDB's copy of `source`, a table function with a place for the logs, and the records in the copy."""
    reading = source.format(logs=f"{folder}/{_LOG_OBJECTS}")
    run = measure([sys.executable, "-c", PEER, reading, str(target), str(cores())])
    # Not in this process: what is in memory here would count as a child's, which begins as a copy.
    counted = subprocess.run([sys.executable, "-c", COUNT, str(target)], capture_output=True, check=True)
    return run, int(counted.stdout)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


CONTENDERS: dict[str, Callable[[Path, Path], tuple[Run, int]]] = {
    "logminer ingest": ingest,
    "duckdb read_json": partial(peer, PLAIN),
    "duckdb, columns given": partial(peer, COLUMNS_GIVEN),
}


def compare(folder: Path, records: int, rounds: int) -> dict[str, list[Run]]:
    """All, turn by turn, the one that goes first changing; each must have every record."""
    runs: dict[str, list[Run]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        turn = number % len(CONTENDERS)
        for name in [*list(CONTENDERS)[turn:], *list(CONTENDERS)[:turn]]:
            with tempfile.TemporaryDirectory(dir=CORPORA) as scratch:
                run, found = CONTENDERS[name](folder, Path(scratch) / "out")
            if found != records:
                sys.exit(f"{name} has {found:,} records of {records:,}")
            runs[name].append(run)
            print(f"  round {number + 1}  {name:<21} {run.seconds:6.2f} s", file=sys.stderr)
    return runs


def report(runs: dict[str, list[Run]], size_bytes: int) -> None:
    """Medians on stdout. The last column is ingest's speed over the row's, round by round, the median of it."""
    ours = runs["logminer ingest"]
    print(f"{'':<21} {'MB/s':>7} {'slowest':>8} {'fastest':>8} {'peak MB':>8}  speed of ingest over it")
    for name, each in runs.items():
        rates = sorted(size_bytes / run.seconds / 1e6 for run in each)
        peak = max(run.peak_bytes for run in each) / 1e6
        ratios = [their.seconds / our.seconds for our, their in zip(ours, each, strict=True)]
        figures = f"{statistics.median(rates):>7.1f} {rates[0]:>8.1f} {rates[-1]:>8.1f} {peak:>8.0f}"
        print(
            f"{name:<21} {figures}  {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=60_000, help="size of the corpus")
    parser.add_argument("--rounds", type=int, default=5, help="how often each runs")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpus")
    options = parser.parse_args()
    folder = corpus(options.records, options.seed)
    objects = glob.glob(f"{folder}/{_LOG_OBJECTS}")
    size_bytes, packed_bytes = raw_bytes(objects), sum(os.path.getsize(path) for path in objects)
    print(
        f"{options.records:,} records in {len(objects):,} objects, {size_bytes / 1e6:.0f} MB of JSON, "
        f"{packed_bytes / 1e6:.0f} MB gzipped; {cores()} cores, Python {platform.python_version()}, {platform.machine()}",
        flush=True,
    )
    report(compare(folder, options.records, options.rounds), size_bytes)


if __name__ == "__main__":
    main()
