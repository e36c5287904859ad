"""A store in a bucket: the same answers as from a folder, in few requests, and one writer at a time."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLE_LOGS, Ran

from .conftest import BucketCommandLine, Ingested
from .faults import Rule
from .logs import layout, object_name, packed, put_logs, record
from .servers import Bucket, Proxy

TEACHER = "meta.llama3-1-405b-instruct-v1:0"
FILTER = "project=CustomerService AND priority=High"
REQUEST = "a16e1c5e-248c-44ad-bd40-181ebb8987db"
DATA = re.compile(r"/date=[^/]+/[^/]+\.parquet$")
# What tells of the run that made a store, and not of its content.
# (Other tests export from these stores.)
OF_THE_RUN = {
    "exports",
    "ingest_id",
    "ingested_at",
    "uri",
    "store",
    "size_bytes",
    "time",
    "seconds",
    "path",
    "version",
}


def content_of(facts: Any) -> Any:
    """Facts without those of the run."""
    if isinstance(facts, dict):
        return {name: content_of(value) for name, value in facts.items() if name not in OF_THE_RUN}
    return [content_of(value) for value in facts] if isinstance(facts, list) else facts


def test_an_ingest_into_a_bucket(in_bucket: Ingested) -> None:
    assert in_bucket.ran.code == 0, in_bucket.ran.stderr
    facts = json.loads(in_bucket.ran.stdout)
    assert (facts["objects"]["new"], facts["records"], facts["quarantined"]) == (33, 885, 2)


@pytest.mark.parametrize(
    "command",
    [
        f"count --filter '{FILTER}'",
        "stats",
        "select --status all",
        f"explain {REQUEST}",
        "keys",
        "store info",
        "store quarantine",
        "store history",
        "count --where length(response)>100 --by region",
    ],
)
def test_the_answers_are_those_of_a_store_in_a_folder(
    in_bucket: Ingested, sample_store: Path, s3run: BucketCommandLine, command: str
) -> None:
    words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
    remote, local = (s3run(*words, "--store", store, "--json") for store in (in_bucket.store, sample_store))
    assert (remote.code, local.code) == (0, 0), remote.stderr
    assert content_of(json.loads(remote.stdout)) == content_of(json.loads(local.stdout))
    assert content_of(json.loads(remote.stdout))


def test_an_export_is_byte_for_byte_that_of_a_store_in_a_folder(
    in_bucket: Ingested, fresh_store: Callable[[], Path], s3run: BucketCommandLine
) -> None:
    for name, store in (("remote", in_bucket.store), ("local", fresh_store())):
        options = ("--filter", FILTER, "--teacher", TEACHER, "-o", f"{name}.jsonl")
        assert s3run("export", "--store", store, *options).code == 0
    written = (s3run.folder / "remote.jsonl").read_bytes()
    assert written == (s3run.folder / "local.jsonl").read_bytes()
    assert written.count(b"\n") > 100


def test_nothing_lies_about_after_an_ingest(in_bucket: Ingested, store_bucket: Bucket) -> None:
    """Every data file in the bucket is one that some version of the store names, and no upload is half done."""
    table = f"{in_bucket.store.removeprefix(store_bucket.uri())}/invocations/"
    keys = store_bucket.keys(table)
    entries = [
        json.loads(line)
        for key in keys
        if key.endswith(".json")
        for line in store_bucket.get(key).splitlines()
    ]
    named = {entry["add"]["path"] for entry in entries if "add" in entry}
    assert named
    assert {key.removeprefix(table) for key in keys if DATA.search(key)} == named
    assert store_bucket.uploads() == []


@pytest.fixture
def ten_days(bucket: Bucket, s3run: BucketCommandLine) -> tuple[str, int]:
    """A store in a bucket with ten data files; its address, and how many records it holds."""
    requests = []
    for day in range(1, 11):
        hour = f"2026/06/{day:02}/10"
        requests += put_logs(bucket, "logs/", objects=1, records=5, hour=hour)
    store = bucket.uri("store")
    s3run.facts("ingest", bucket.uri("logs"), "--store", store)
    return store, len(requests)


def test_a_count_takes_about_one_request_a_file(
    ten_days: tuple[str, int], s3run: BucketCommandLine, proxy: Proxy
) -> None:
    store, records = ten_days
    files = s3run.facts("store", "info", "--store", store)["files"]
    assert files == 10
    proxy.start()
    assert s3run.facts("count", "--store", store, "--filter", "project=Support")["count"] == records
    log = proxy.log()
    data = [request for request in log if DATA.search(f"/{request.key}")]
    assert {request.method for request in data} == {"GET"}
    assert len({request.key for request in data}) == files
    assert len(data) <= files + 2
    assert not [request for request in log if request.method == "HEAD" and request.key.endswith(".parquet")]
    # The rest is the table's log, the models and the registers: some requests, however many files there are.
    assert len(log) - len(data) <= 20, [(r.method, r.key, r.query) for r in log]


def test_a_span_of_time_reads_only_its_own_days(
    ten_days: tuple[str, int], s3run: BucketCommandLine, proxy: Proxy
) -> None:
    proxy.start()
    span = ("--since", "2026-06-03", "--until", "2026-06-05")
    assert s3run.facts("count", "--store", ten_days[0], *span)["count"] == 10
    days = {request.key.split("date=")[1][:10] for request in proxy.log() if DATA.search(f"/{request.key}")}
    assert days == {"2026-06-03", "2026-06-04"}


@pytest.fixture
def with_texts(bucket: Bucket, s3run: BucketCommandLine) -> str:
    """The address of a store in a bucket, nearly all of it texts, and of the rest a key of its own for each record."""
    records = [record(f"{number:05}") for number in range(1500)]
    noise = random.Random(0)
    for each in records:
        each["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = noise.randbytes(1500).hex()
        each["requestMetadata"]["trace"] = noise.randbytes(100).hex()
    bucket.put(layout() + object_name(), packed(records))
    store = bucket.uri("store")
    s3run.facts("ingest", bucket.uri("AWSLogs"), "--store", store)
    return store


def test_columns_that_are_not_asked_for_are_not_read(
    with_texts: str, bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    """The texts of a store are nearly all of it, and a count needs none of them."""
    whole = sum(bucket.head(key)["ContentLength"] for key in bucket.keys("store/") if DATA.search(f"/{key}"))
    proxy.start()
    assert s3run.facts("count", "--store", with_texts, "--by", "project")["count"] == 1500
    read = sum(request.sent_bytes for request in proxy.log() if DATA.search(f"/{request.key}"))
    assert whole > 2_000_000
    assert read < whole / 10


def test_a_filter_is_answered_from_the_end_of_a_file(
    with_texts: str, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    """Beside the footer lie the columns that filters ask for, and the keys of few values nearest to it."""
    files = s3run.facts("store", "info", "--store", with_texts)["files"]
    proxy.start()
    question = ("--filter", "project=Support", "--teacher", "meta.llama3-1-405b", "--since", "2026-01-01")
    assert s3run.facts("count", "--store", with_texts, *question)["count"] == 1500
    data = [request for request in proxy.log() if DATA.search(f"/{request.key}")]
    assert len(data) == files


def test_a_version_that_is_past(bucket: Bucket, s3run: BucketCommandLine) -> None:
    store = bucket.uri("store")
    versions = []
    for number in range(2):
        bucket.put(layout() + object_name(number), packed([record(str(number))]))
        versions.append(s3run.facts("ingest", bucket.uri("AWSLogs"), "--store", store)["version"])
    counts = [
        s3run.facts("count", "--store", store, "--version", str(version))["count"] for version in versions
    ]
    assert counts == [1, 2]


@pytest.mark.parametrize("runs", [2, 3])
def test_ingests_into_one_store_at_the_same_time(bucket: Bucket, s3run: BucketCommandLine, runs: int) -> None:
    requests = put_logs(bucket, "", objects=12, records=11)
    store = bucket.uri("store")
    processes = [
        s3run.start("ingest", bucket.uri("AWSLogs"), "--store", store, "--workers", "1") for _ in range(runs)
    ]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * runs, ends
    assert s3run.requests(store) == requests
    assert s3run.count_rows(store) == len(requests)
    again = s3run.facts("ingest", bucket.uri("AWSLogs"), "--store", store)
    assert (again["objects"]["new"], again["records"]) == (0, 0)


def test_ingests_that_make_the_store_at_the_same_time(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    """All of them have seen that there is none before the first makes it."""
    requests = put_logs(bucket, "logs/", objects=3, records=2)
    store = bucket.uri("store")
    proxy.start(Rule("late", method="PUT", path=r"_delta_log/0*0\.json", ms=1_500))
    command = ("ingest", bucket.uri("logs"), "--store", store, "--workers", "1")
    processes = [s3run.start(*command) for _ in range(3)]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, ends
    tables = {
        json.loads(line)["metaData"]["id"]
        for key in bucket.keys("store/invocations/_delta_log/")
        for line in bucket.get(key).splitlines()
        if line.startswith(b'{"metaData":')
    }
    assert len(tables) == 1
    assert s3run.requests(store) == requests


def test_a_store_cannot_lie_in_its_own_source(bucket: Bucket, s3run: BucketCommandLine) -> None:
    put_logs(bucket, "logs/", objects=1, records=1)
    before = bucket.keys()
    ran = s3run("ingest", bucket.uri("logs"), "--store", bucket.uri("logs/store"))
    assert ran.code == 2
    assert bucket.uri("logs/store") in ran.stderr
    assert bucket.keys() == before


def test_a_store_that_is_not_there(bucket: Bucket, s3run: BucketCommandLine) -> None:
    for ran in (_count(s3run, bucket.uri("nothing")), _count(s3run, "s3://there-is-none/store")):
        assert ran.code in (2, 3)
        assert ran.stderr.startswith("error: ")
        assert "s3://" in ran.stderr
    assert bucket.keys() == []


def _count(s3run: BucketCommandLine, store: str) -> Ran:
    return s3run("count", "--store", store)


def test_a_store_at_the_top_of_a_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    for store in (bucket.uri(), f"s3://{bucket.name}"):
        s3run.facts(
            "ingest",
            SAMPLE_LOGS / "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1",
            "--store",
            store,
        )
    assert s3run.count_rows(bucket.uri()) == 267


def test_a_query_whose_expression_reaches_for_other_objects(
    in_bucket: Ingested, bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    bucket.put("secret.csv", b"a,b\n1,2\n")
    proxy.start()
    expression = f"EXISTS (SELECT 1 FROM read_csv('{bucket.uri('secret.csv')}'))"
    ran = s3run("count", "--store", in_bucket.store, "--where", expression)
    assert ran.code == 2
    assert bucket.name not in {request.bucket for request in proxy.log()}


def test_a_commit_whose_answer_is_lost(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    """The write is done; the writer, which cannot know, tries again and finds its own entry in its way."""
    requests = put_logs(bucket, "", objects=3, records=4)
    store = bucket.uri("store")
    proxy.start(Rule("lost_answer", method="PUT", path=r"/_delta_log/0*[1-9][0-9]*\.json", times=1))
    ran = s3run("ingest", bucket.uri("AWSLogs"), "--store", store)
    assert proxy.faults()["lost_answer"] == 1
    assert ran.code in (0, 4), ran.stderr
    proxy.start()
    s3run.facts("ingest", bucket.uri("AWSLogs"), "--store", store)
    assert s3run.count_rows(store) == len(requests)
    assert s3run.requests(store) == requests


@pytest.mark.parametrize(
    ("path", "sign", "new"),
    [(r"\.parquet$", b"PAR1", 3), (r"_delta_log/[0-9]+\.json$", b'"add":', 0)],
    ids=["before the commit", "after it"],
)
def test_an_ingest_that_is_killed(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, path: str, sign: bytes, new: int
) -> None:
    """Once its data file is written and not committed, and once it is committed and nobody told the ingest."""
    requests = put_logs(bucket, "logs/", objects=3, records=2)
    store = bucket.uri("store")
    proxy.start(Rule("stall", method="PUT", path=path, ms=2_000))
    process = s3run.start("ingest", bucket.uri("logs"), "--store", store)
    deadline = time.monotonic() + 30
    while not [key for key in bucket.keys("store/") if re.search(path, key) and sign in bucket.get(key)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    proxy.start()
    assert s3run.facts("ingest", bucket.uri("logs"), "--store", store)["objects"]["new"] == new
    assert s3run.requests(store) == requests
    assert s3run.count_rows(store) == len(requests)
