"""Whole datasets in S3: the same bytes as on disk, the manifest last, and nothing half done."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import BucketCommandLine
from .faults import Rule
from .servers import Bucket, Proxy

TEACHER = "meta.llama3-1-405b-instruct-v1:0"
EXPORT = ("export", "--teacher", TEACHER, "--curate", "--held-out", "0.2", "--redact", "surrogate")
NAMES = [
    "train.held-out.jsonl",
    "train.held-out.jsonl.pairs.jsonl",
    "train.jsonl",
    "train.jsonl.manifest.json",
    "train.jsonl.pairs.jsonl",
]


@pytest.fixture
def store(fresh_store: Callable[[], Path]) -> Path:
    """A store of the sample logs of its own, since exports are entered into it."""
    return fresh_store()


def test_a_dataset_in_a_bucket_is_the_one_on_disk(
    store: Path, bucket: Bucket, s3run: BucketCommandLine
) -> None:
    for place in (bucket.uri("sets/train.jsonl"), "train.jsonl"):
        ran = s3run(*EXPORT, "--store", store, "-o", place)
        assert ran.code == 0, ran.stderr
    assert bucket.keys() == [f"sets/{name}" for name in NAMES]
    for name in NAMES:
        assert bucket.get(f"sets/{name}") == (s3run.folder / name).read_bytes(), name
    uri = bucket.uri("sets/train.jsonl")
    assert s3run.facts("dataset", "verify", uri)["ok"]
    assert s3run.facts("dataset", "diff", uri, "train.jsonl")["same"]
    shown = s3run("dataset", "show", f"{uri}.manifest.json")
    assert (shown.code, shown.stderr) == (0, "")
    assert "train.held-out.jsonl" in shown.stdout
    again = s3run("export", "--from-manifest", uri, "--store", store, "-o", bucket.uri("again/train.jsonl"))
    assert again.code == 0, again.stderr
    assert bucket.get("again/train.jsonl") == bucket.get("sets/train.jsonl")


def test_what_was_changed_in_the_bucket_is_found(
    store: Path, bucket: Bucket, s3run: BucketCommandLine
) -> None:
    uri = bucket.uri("train.jsonl")
    assert s3run(*EXPORT, "--store", store, "-o", uri).code == 0
    bucket.put("train.jsonl", bucket.get("train.jsonl").replace(b"user", b"uSer", 1))
    ran = s3run("dataset", "verify", uri)
    assert ran.code == 1
    assert f"{uri}:1: is not the line that was written" in ran.stdout
    missing = s3run("dataset", "show", bucket.uri("other.jsonl"))
    assert (missing.code, missing.stdout) == (2, "")
    assert "there is no manifest" in missing.stderr


def test_a_folder_of_logs_in_a_bucket(store: Path, bucket: Bucket, s3run: BucketCommandLine) -> None:
    words = ("export", "--teacher", TEACHER, "--to", "invocation-log", "--store", store)
    uri = bucket.uri("logs")
    facts = s3run.facts(*words, "-o", uri)
    assert facts["lines"] == 235
    assert s3run.facts("dataset", "verify", uri)["ok"]
    refused = s3run(*words, "-o", uri)
    assert refused.code == 2
    assert "already" in refused.stderr
    assert s3run("ingest", uri, "--store", "second").code == 0
    assert s3run.facts("count", "--store", "second")["count"] == 235


@pytest.mark.parametrize("name", NAMES)
def test_an_upload_that_is_refused_leaves_no_manifest(
    store: Path, bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, name: str
) -> None:
    """Whichever of the five files it is: without its manifest, what is there does not count."""
    proxy.start(Rule("access_denied", method="PUT|POST", path=rf"/{re.escape(name)}(\?|$)"))
    ran = s3run(*EXPORT, "--store", store, "-o", bucket.uri("train.jsonl"))
    assert ran.code == 3, ran.stderr
    names = bucket.keys()
    assert "train.jsonl.manifest.json" not in names
    assert s3run.facts("store", "info", "--store", store)["exports"] == 0
