"""`-o s3://...`: the same bytes as in a file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import BucketCommandLine
from .faults import Rule
from .servers import Bucket, Proxy

TEACHER = "meta.llama3-1-405b-instruct-v1:0"
EXPORT = ("export", "--filter", "project=CustomerService AND priority=High", "--teacher", TEACHER)


@pytest.fixture
def store(fresh_store: Callable[[], Path]) -> Path:
    """A store of the sample logs of its own, since exports are entered into it."""
    return fresh_store()


def test_an_export_to_a_bucket(store: Path, bucket: Bucket, s3run: BucketCommandLine) -> None:
    facts = s3run.facts(*EXPORT, "--store", store, "-o", bucket.uri("sets/v1/train.jsonl"))
    s3run.facts(*EXPORT, "--store", store, "-o", "train.jsonl")
    beside = ["sets/v1/train.jsonl.manifest.json", "sets/v1/train.jsonl.pairs.jsonl"]
    assert bucket.keys() == ["sets/v1/train.jsonl", *beside]
    assert bucket.get("sets/v1/train.jsonl") == (s3run.folder / "train.jsonl").read_bytes()
    assert bucket.uri("sets/v1/train.jsonl") in str(facts)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_selection_to_a_bucket(store: Path, bucket: Bucket, s3run: BucketCommandLine, ending: str) -> None:
    for place in (bucket.uri(f"rows.{ending}"), f"rows.{ending}"):
        ran = s3run("select", "--store", store, "--status", "all", "-o", place)
        assert (ran.code, ran.stdout) == (0, ""), ran.stderr
    assert bucket.get(f"rows.{ending}") == (s3run.folder / f"rows.{ending}").read_bytes()


@pytest.mark.parametrize(
    ("command", "kind", "word"),
    [
        (EXPORT, "access_denied", "s3:PutObject"),
        (EXPORT, "kms_denied", "kms:GenerateDataKey"),
        (EXPORT, "expired_token", "expired"),
        (("select",), "access_denied", "s3:PutObject"),
    ],
)
def test_an_output_that_may_not_be_written(
    store: Path,
    bucket: Bucket,
    s3run: BucketCommandLine,
    proxy: Proxy,
    command: tuple[str, ...],
    kind: str,
    word: str,
) -> None:
    proxy.start(Rule(kind, method="PUT|POST"))
    ran = s3run(*command, "--store", store, "-o", bucket.uri("out.jsonl"))
    assert ran.code == 3, ran.stderr
    assert word in ran.stderr
    assert bucket.uri("out.jsonl") in ran.stderr
    assert (bucket.keys(), bucket.uploads()) == ([], [])


@pytest.mark.parametrize("kind", ["slow_down", "internal", "reset", "lost_answer"])
def test_faults_while_an_output_is_written(
    store: Path, bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, kind: str
) -> None:
    bucket.put("out.jsonl", b"old\n")
    proxy.start(Rule(kind, method="PUT|POST", times=2))
    ran = s3run(*EXPORT, "--store", store, "-o", bucket.uri("out.jsonl"))
    assert ran.code in (0, 4), ran.stderr
    written = bucket.get("out.jsonl")
    assert written == b"old\n" or (written.count(b"\n") > 100 and written.endswith(b"}\n"))
    assert ran.code == 4 or written != b"old\n"
    assert bucket.uploads() == []


def test_an_export_that_fails_leaves_what_was_there(
    store: Path, bucket: Bucket, s3run: BucketCommandLine
) -> None:
    bucket.put("out.jsonl", b"old\n")
    ran = s3run(
        "export",
        "--store",
        store,
        "--teacher",
        TEACHER,
        "--filter",
        "project=None",
        "-o",
        bucket.uri("out.jsonl"),
    )
    assert ran.code == 1
    assert bucket.get("out.jsonl") == b"old\n"


@pytest.mark.parametrize(
    "key", ["year=2026/train.jsonl", "a b/train.jsonl", "a+b.jsonl", "a//b.jsonl", "ü.jsonl"]
)
def test_keys_that_a_training_job_refuses_are_named_before_anything_is_written(
    store: Path, bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, key: str
) -> None:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_TrainingDataConfig.html"""
    ran = s3run(*EXPORT, "--store", store, "-o", bucket.uri(key))
    assert ran.code == 2, ran.stderr
    (odd,) = [each for each in ("=", " ", "+", "//", "ü") if each in key]
    assert odd in ran.stderr.replace(bucket.uri(key), "")
    assert [request for request in proxy.log() if request.method in ("PUT", "POST")] == []
    assert bucket.keys() == []


@pytest.mark.parametrize("place", ["", "folder/"])
def test_an_output_needs_a_name(store: Path, bucket: Bucket, s3run: BucketCommandLine, place: str) -> None:
    ran = s3run(*EXPORT, "--store", store, "-o", bucket.uri(place))
    assert ran.code == 2, ran.stderr
    assert bucket.keys() == []
