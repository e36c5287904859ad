"""What goes wrong on the way: an ingest gets all of it right, or says that it did not and goes on next time."""

from __future__ import annotations

import time

import pytest

from .conftest import BucketCommandLine, Ingested
from .faults import Rule
from .logs import layout, put_logs
from .servers import Bucket, Proxy

OBJECTS, RECORDS = 15, 11
LISTED = r"/10/[^/]+\.json\.gz$"
"""Log objects, and no bodies."""
RUNS = 8
"""So often an ingest may end with exit code 4 before it is done."""


def persist(s3run: BucketCommandLine, bucket: Bucket, store: str, *rules: Rule) -> None:
    """Ingest under these rules until it is done, as a schedule would."""
    for run in range(RUNS):
        s3run.proxy.start(*rules, seed=run + 1)
        ran = s3run("ingest", bucket.uri("logs"), "--store", store)
        assert "Traceback" not in ran.stderr, ran.stderr
        assert s3run.proxy.faults(), "nothing went wrong"
        if ran.code == 0:
            return
        assert ran.code == 4, ran.stderr
        assert "error: " in ran.stderr
    pytest.fail(f"not done after {RUNS} runs: {ran.stderr}")


def check(s3run: BucketCommandLine, bucket: Bucket, store: str, requests: list[str]) -> None:
    """Everything is there, once, as it was sent, and a calm ingest has nothing to add."""
    s3run.proxy.start()
    rows = s3run.rows(store, "request_id", "status", "response")
    assert sorted(row["request_id"] for row in rows) == requests
    assert {row["status"] for row in rows} == {"pair"}
    assert [row for row in rows if row["response"] != f"Here is {row['request_id']}."] == []
    again = s3run.facts("ingest", bucket.uri("logs"), "--store", store)
    assert (again["objects"]["new"], again["quarantined"]) == (0, 0)
    assert s3run.count_rows(store) == len(requests)


@pytest.mark.parametrize(
    "rules",
    [
        (Rule("slow_down", 0.2),),
        (Rule("internal", 0.2),),
        (Rule("reset", 0.2, method="GET"),),
        (Rule("truncated", 0.2, method="GET"),),
        (Rule("lost_answer", 0.2),),
        (Rule("stall", 0.2, ms=200),),
        # That an answer fits its length and is too short can only be noticed where the size was listed.
        (Rule("short", 0.2, path=LISTED),),
        (Rule("wrong_length", 0.2, path=LISTED),),
        tuple(Rule(kind, 0.03) for kind in ("slow_down", "internal", "reset", "truncated", "stall")),
    ],
    ids=lambda rules: "+".join(rule.kind for rule in rules),
)
def test_a_source_with_faults(bucket: Bucket, s3run: BucketCommandLine, rules: tuple[Rule, ...]) -> None:
    requests = put_logs(bucket, "logs/", OBJECTS, RECORDS)
    persist(s3run, bucket, "store", *rules)
    check(s3run, bucket, "store", requests)


@pytest.mark.parametrize("chance", [0.05, 0.2])
def test_a_source_and_a_store_with_faults(bucket: Bucket, s3run: BucketCommandLine, chance: float) -> None:
    requests = put_logs(bucket, "logs/", OBJECTS, RECORDS)
    store = bucket.uri("store")
    kinds = ("slow_down", "internal", "reset", "truncated", "lost_answer", "stall")
    persist(s3run, bucket, store, *(Rule(kind, chance / len(kinds), ms=100) for kind in kinds))
    check(s3run, bucket, store, requests)


def test_two_ingests_at_once_with_faults(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    requests = put_logs(bucket, "logs/", OBJECTS, RECORDS)
    store = bucket.uri("store")
    proxy.start(*(Rule(kind, 0.04) for kind in ("slow_down", "internal", "reset", "lost_answer")))
    command = ("ingest", bucket.uri("logs"), "--store", store, "--workers", "1")
    processes = [s3run.start(*command) for _ in range(2)]
    for process in processes:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode in (0, 4), stderr.decode()
        assert b"Traceback" not in stderr
    proxy.start()
    s3run.facts(*command)
    check(s3run, bucket, store, requests)


@pytest.mark.parametrize("kind", ["reset", "truncated", "slow_down", "stall"])
def test_questions_of_a_store_with_faults(
    in_bucket: Ingested, in_bucket_answers: dict[str, str], s3run: BucketCommandLine, proxy: Proxy, kind: str
) -> None:
    """A question is answered right, or not at all."""
    proxy.start(Rule(kind, 0.1, method="GET", ms=100))
    for command, expected in in_bucket_answers.items():
        ran = s3run(*command.split(), "--store", in_bucket.store)
        assert ran.code in (0, 4), ran.stderr
        assert "Traceback" not in ran.stderr
        if ran.code == 0:
            assert ran.stdout == expected


def test_an_object_that_cannot_be_read_costs_only_itself(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    requests = put_logs(bucket, "logs/", 6, 1)
    proxy.start(Rule("internal", method="GET", path="_0000000000000002.json.gz"))
    began = time.monotonic()
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    assert time.monotonic() - began < 30
    assert ran.code == 4, ran.stderr
    assert f"{layout()}20260601T103102000Z_0000000000000002.json.gz" in ran.stderr
    assert s3run.requests("store") == [each for each in requests if each != "2026060110-2-0"]
    proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", "store")
    assert s3run.requests("store") == requests


def test_an_object_that_is_gone_after_it_was_listed(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    put_logs(bucket, "logs/", 3, 1)
    proxy.start(Rule("no_such_key", method="GET", path="_0000000000000001.json.gz"))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    assert ran.code in (0, 4)
    assert "_0000000000000001.json.gz" in ran.stderr
    assert s3run.requests("store") == ["2026060110-0-0", "2026060110-2-0"]


def test_an_object_in_an_archive_is_named(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    put_logs(bucket, "logs/", 2, 1)
    proxy.start(Rule("archived", method="GET", path="_0000000000000001.json.gz"))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    assert ran.code == 4
    assert "_0000000000000001.json.gz" in ran.stderr
    assert "archive" in ran.stderr
    assert s3run.requests("store") == ["2026060110-0-0"]


def test_a_server_that_is_not_there(s3run: BucketCommandLine, bucket: Bucket) -> None:
    began = time.monotonic()
    ran = s3run("ingest", bucket.uri(), "--store", "store", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert time.monotonic() - began < 45
    assert ran.code == 4, ran.stderr
    assert f"s3://{bucket.name}" in ran.stderr
