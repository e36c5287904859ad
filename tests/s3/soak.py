"""Crowds and crashes: three ingests of one prefix at once, killed at random, while the prefix changes under them.

    make soak ROUNDS=200

plays rounds until one fails, and says which; `make soak ROUNDS=1 SEED=N` plays that one again. A round is played against the S3
server of the tests. At its end each log record of each object has to be in the store once, and each request has to
count once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.ground import PROGRAM, children_of

from .conftest import BucketCommandLine
from .logs import layout, object_name, packed, record
from .servers import KEYS, Bucket, Proxy, serving

HOURS = ("2026/06/01/10", "2026/06/01/11", "2026/06/02/00")
SECONDS = 120
AT_ONCE = 3
KILLS = 3


@dataclass
class Prefix:
    """What lies below the prefix: the request ids in each object, by key. Some requests are delivered twice."""

    bucket: Bucket
    dice: random.Random
    objects: dict[str, list[str]] = field(default_factory=dict)

    def add(self, count: int) -> None:
        """Put new objects, each with a metadata key of its own, into any of the hours."""
        for _ in range(count):
            hour = self.dice.choice(HOURS)
            self._put(f"logs/{layout(hour)}{object_name(len(self.objects), hour)}", hour)

    def overwrite(self) -> None:
        """Put another content in an object's place."""
        key = self.dice.choice(sorted(self.objects))
        self._put(key, "/".join(key.split("/")[-5:-1]))

    def _put(self, key: str, hour: str) -> None:
        known = [(request, other) for other, requests in sorted(self.objects.items()) for request in requests]
        requests = [
            f"{len(self.objects)}-{self.dice.getrandbits(32):08x}" for _ in range(self.dice.randint(1, 8))
        ]
        if known and self.dice.random() < 0.5:
            requests.append(self.dice.choice(known)[0])
        metadata = {f"key{self.dice.getrandbits(12)}": "v"}
        self.bucket.put(key, packed([record(each, metadata=metadata, hour=hour) for each in requests]))
        self.objects[key] = requests

    def places(self) -> list[tuple[str, int]]:
        """Source and position of every record."""
        return sorted(
            (self.bucket.uri(key), position)
            for key, requests in self.objects.items()
            for position in range(len(requests))
        )


def play(bucket: Bucket, run: BucketCommandLine, seed: int, kills: int = KILLS) -> None:
    """One round. Raises AssertionError where a record is lost, or there twice."""
    dice = random.Random(seed)
    prefix = Prefix(bucket, dice)
    prefix.add(dice.randint(8, 16))
    store = bucket.uri("store") if seed % 2 else str(run.folder / "store")
    crowd = [_start(bucket, run, store, dice) for _ in range(AT_ONCE)]
    for _ in range(kills):
        time.sleep(dice.uniform(0.2, 1.2))
        dice.choice([lambda: prefix.add(1), prefix.overwrite, lambda: None])()
        place = dice.randrange(AT_ONCE)
        _kill(crowd[place], dice)
        if crowd[place].poll() is not None:
            _end(crowd[place])
            crowd[place] = _start(bucket, run, store, dice)
    for process in crowd:
        _end(process)
    for options in ((), ("--full-scan", "--reread-changed")):
        last = run("ingest", bucket.uri("logs"), "--store", store, *options)
        assert last.code == 0, last.stderr
    check(prefix, run, store)


def _start(
    bucket: Bucket, run: BucketCommandLine, store: str, dice: random.Random
) -> subprocess.Popen[bytes]:
    """An ingest in small rounds; some list every object twice."""
    program = PROGRAM.format(round_objects=dice.randint(2, 6))
    sources = [bucket.uri("logs"), *([bucket.uri("logs/AWSLogs")] if dice.random() < 0.5 else [])]
    arguments = ["ingest", *sources, "--store", store, "--workers", str(dice.randint(1, 2))]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=run.folder,
        env=run.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _kill(process: subprocess.Popen[bytes], dice: random.Random) -> None:
    """Kill a driver, or one of its workers."""
    victims = [process.pid, *children_of(process.pid)]
    with contextlib.suppress(ProcessLookupError):
        os.kill(dice.choice(victims), signal.SIGKILL)
    time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process; it may have been killed, or have lost a worker, but not have failed otherwise."""
    _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode in (0, 4, -signal.SIGKILL), stderr.decode()
    assert b"Traceback" not in stderr, stderr.decode()


def check(prefix: Prefix, run: BucketCommandLine, store: str) -> None:
    """What holds after a round."""
    rows = stored_rows(run, store)
    assert sorted((uri, position) for uri, position, *_ in rows) == prefix.places()
    for uri, position, request, _, _ in rows:
        assert request == prefix.objects[uri.removeprefix(prefix.bucket.uri())][position]
    first = Counter((request, day) for _, _, request, day, redelivered in rows if not redelivered)
    assert set(first) == {(request, day) for _, _, request, day, _ in rows}
    assert set(first.values()) == {1}


def stored_rows(run: BucketCommandLine, store: str) -> list[tuple[Any, ...]]:
    """Source, position, request id, date and mark of every row, read in this process."""
    from logminer.store.duck import fetch_rows, scan_files
    from logminer.store.storage import open_storage
    from logminer.store.table import open_table

    before = dict(os.environ)
    os.environ.update({name: text for name, text in run.environment({}).items() if name.startswith("AWS_")})
    try:
        storage = open_storage(store)
        files = open_table(storage).snapshot().files
        return fetch_rows(
            storage,
            "SELECT source_uri, source_position, request_id, timestamp::DATE::VARCHAR, redelivered "
            f"FROM {scan_files(storage, files)}",
        )
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    """Play as many rounds as are asked for."""
    import boto3

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = parser.parse_args()
    with serving("moto_process.py") as port, serving("faults.py", str(port)) as proxy_port:
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **KEYS)
        for seed in range(asked.seed, asked.seed + asked.rounds):
            with tempfile.TemporaryDirectory(prefix="soak-") as folder:
                proxy = Proxy(proxy_port)
                proxy.start()
                run = BucketCommandLine(Path(folder).resolve(), proxy)
                try:
                    play(Bucket(client, f"soak-{seed}"), run, seed)
                except AssertionError:
                    print(f"round {seed} failed; again: make soak ROUNDS=1 SEED={seed}")
                    raise
            print(f"round {seed}: ok", flush=True)


if __name__ == "__main__":
    main()
