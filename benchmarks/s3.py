"""Log objects and stores on S3: many small objects fetched and ingested, and what a question costs in requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpora import corpus
from benchmarks.export import plan
from benchmarks.figures import BenchmarkError, Bound, Line, Row, Setting, Timing, speed_line
from benchmarks.harness import (
    LOGMINER,
    ROOT,
    Asked,
    Contender,
    Run,
    alternate,
    check_alike,
    command_output,
    timed_command,
)
from benchmarks.static_server import BUCKET
from benchmarks.stores import FILTER, TEACHER, built_store

_OBJECTS = 20_000
# Raw JSON of a record, so that its object has about 2 KB when it is gzipped.
_BODY_BYTES = 3_500
_THREADS = 32
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class StaticS3:
    """A folder served as an S3 bucket: what commands need in their environment, and what was asked of it."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """Endpoint and keys for boto3's chain."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def counts(self) -> dict[str, tuple[int, int]]:
        """Requests and bytes by key since the last time."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/counts") as answer:
            return {key: (requests, size) for key, (requests, size) in json.load(answer).items()}


@contextmanager
def serving(folder: Path) -> Iterator[StaticS3]:
    """A folder as a bucket, in a process of its own that ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.static_server", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise BenchmarkError("the server does not start; its error stands above")
        yield StaticS3(int(line))
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


# --- programs -----------------------------------------------------------------------------------------------


@contextmanager
def fetch_objects() -> Iterator[Callable[[], list[int]]]:
    """Ours, as ingest fetches them: number of objects and bytes."""
    from logminer.s3.access import S3Access
    from logminer.sources.bucket import list_bucket
    from logminer.sources.objects import TimeSpan
    from logminer.sources.reading import SourceReader

    logs = list_bucket(f"s3://{BUCKET}", TimeSpan(), S3Access()).objects

    def ask() -> list[int]:
        sizes = [len(opened.read()) for _, opened in SourceReader().open_each(logs)]  # type: ignore[union-attr]
        return [len(sizes), sum(sizes)]

    yield ask


@contextmanager
def boto3_objects() -> Iterator[Callable[[], list[int]]]:
    """A pool of threads that calls `get_object` for each key."""
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=_THREADS))
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    keys = [key for key in keys if key.endswith(".json.gz")]

    def get(key: str) -> int:
        return len(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    with ThreadPoolExecutor(_THREADS) as pool:

        def ask() -> list[int]:
            sizes = list(pool.map(get, keys))
            return [len(sizes), sum(sizes)]

        yield ask


# --- rows ---------------------------------------------------------------------------------------------------


def objects_rows(setting: Setting) -> Iterable[Line]:
    """Fetching, and the whole ingest, beside downloads by boto3."""
    logs = corpus(setting, setting.scaled(_OBJECTS, 100), _BODY_BYTES, object_records=1)
    fetching, ingesting, peer = "logminer, fetching", "logminer ingest s3://", "boto3 get_object, 32 threads"
    with (
        serving(logs.folder) as s3,
        tempfile.TemporaryDirectory(dir=setting.folder) as scratch,
        Asked("benchmarks.s3:fetch_objects", s3.environment) as ours,
        Asked("benchmarks.s3:boto3_objects", s3.environment) as theirs,
    ):
        check_alike({fetching: ours().answer, peer: theirs().answer})
        contenders: Mapping[str, Contender] = {
            fetching: lambda: _number(ours()),
            ingesting: _ingest(s3, scratch),
            peer: lambda: _number(theirs()),
        }
        timings = alternate(contenders, min(setting.rounds, 2))
        timings = {**timings, fetching: ours.timed(timings[fetching]), peer: theirs.timed(timings[peer])}
    paces = {name: f"{logs.objects / timing.median:,.0f}" for name, timing in timings.items()}
    for name, bound in ((fetching, Bound("more", 8, 15)), (ingesting, Bound("more", 3, 5))):
        note = f"{paces[name]} against {paces[peer]} objects a second"
        what = f"{logs.objects:,} small objects, {name}"
        yield speed_line("objects", what, timings[name], timings[peer], bound, note)
    yield _price_of_ingest(timings[ingesting], logs.objects)


def _number(run: Run) -> Run:
    return Run(run.seconds, run.answer[0])


def _ingest(s3: StaticS3, scratch: str) -> Contender:
    """The whole command, with listing and commit; the answer is the number of records, one for each object."""

    def run() -> Run:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            command = [*LOGMINER, "ingest", f"s3://{BUCKET}", "--store", f"{folder}/store"]
            seconds = timed_command(command, s3.environment)
            told = command_output([*LOGMINER, "store", "info", "--store", f"{folder}/store", "--json"])
            return Run(seconds, json.loads(told)["rows"])

    return run


def _price_of_ingest(timing: Timing, objects: int) -> Line:
    """What a million objects take at this pace, and what S3 asks for the requests."""
    from logminer.s3.prices import PRICED_FOR, PRICES_AS_OF, request_price

    minutes = timing.median / objects * _MILLION / 60
    price = request_price(_MILLION // 1_000, _MILLION)
    note = f"${price:.2f} for the requests ({PRICED_FOR}, {PRICES_AS_OF}); a distance to S3 is not in it"
    return Line("objects", "ingest a million small S3 objects", minutes, "minutes", note=note)


def question_rows(setting: Setting) -> Iterable[Line]:
    """Requests and bytes of one count over a store on S3."""
    from logminer.s3.prices import request_price

    store = built_store(setting, plan(setting))
    files = {
        path.relative_to(store).as_posix(): path.stat().st_size
        for path in store.glob("invocations/*/*.parquet")
    }
    question = [
        "--teacher",
        TEACHER,
        "--filter",
        " AND ".join(f"{key}={value}" for key, value in FILTER.items()),
    ]
    here = command_output([*LOGMINER, "count", "--store", str(store), *question])
    with serving(store) as s3:
        command = [*LOGMINER, "count", "--store", f"s3://{BUCKET}", *question]
        there = command_output(command, s3.environment)
        check_alike({"the store on S3": there, "the same on disk": here})
        counts = s3.counts()
        timing = Timing("logminer count, store on S3", (timed_command(command, s3.environment),))
    asked = [counts[name] for name in files if name in counts]
    requests, size = sum(each[0] for each in asked), sum(each[1] for each in asked)
    what = f"count over {len(files)} files on S3, {plan(setting).rows:,} rows"
    yield Line("s3-query", f"{what}: requests", requests / len(files), "a file", Bound("less", 1.5, 1.0))
    share = size / sum(files.values()) * 100
    note = f"{size / 1e6:.1f} of {sum(files.values()) / 1e6:.0f} MB"
    yield Line(
        "s3-query", f"{what}: bytes", share, "% of them", Bound("less", 3.0, 1.0), None, (timing,), note
    )
    others = {name: each for name, each in counts.items() if name not in files}
    lists = others.pop("(list)", (0, 0))[0]
    gets = requests + sum(each[0] for each in others.values())
    price = request_price(lists, gets)
    note = f"${price:.6f} for {lists} LIST and {gets} GET; a distance to S3 is not in it"
    what = f"ask one question of {plan(setting).rows:,} records in a store on S3"
    yield Line("s3-query", what, timing.median / 60, "minutes", note=note)


ROWS = (
    Row("objects", "many small objects from S3", objects_rows),
    Row("s3-query", "a question to a store on S3", question_rows),
)
