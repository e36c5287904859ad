"""`--source-base`: logs that were copied or moved are known by the place that they came from."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from .conftest import BucketCommandLine
from .logs import answer, layout, object_name, packed, put_logs, record
from .servers import Bucket

COLUMNS = ("request_id", "status", "response", "source_uri", "source_position")


def download(bucket: Bucket, prefix: str, folder: Path) -> None:
    """Copy what is below a prefix, as `aws s3 cp --recursive` does."""
    for key in bucket.keys(prefix):
        path = folder / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.get(key))


@pytest.fixture
def copied(bucket: Bucket, tmp_path: Path) -> list[str]:
    """Logs below `a b/ü%41` of a bucket, with bodies, and a copy of them in `copy`; the request ids."""
    requests = put_logs(bucket, "a b/ü%41/", objects=3, records=12)
    download(bucket, "a b/ü%41/", tmp_path / "copy")
    return requests


def test_a_copy_and_its_bucket_are_the_same_objects(
    bucket: Bucket, s3run: BucketCommandLine, copied: list[str]
) -> None:
    base = bucket.uri("a b/ü%41")
    for store, sources in (("one", ["copy", base]), ("two", [base, "copy"])):
        for step, source in enumerate(sources):
            options = ["--source-base", base + "/"] if source == "copy" else []
            facts = s3run.facts("ingest", source, *options, "--store", store, "--full-scan")
            assert (facts["objects"]["new"], facts["objects"]["changed"]) == ((3, 0) if step == 0 else (0, 0))
            reread = s3run.facts("ingest", source, *options, "--store", store, "--reread-changed")
            assert reread["objects"]["reread"] == 0
    assert s3run.rows("one", *COLUMNS) == s3run.rows("two", *COLUMNS)
    rows = s3run.rows("one", *COLUMNS)
    assert sorted(row["request_id"] for row in rows) == copied
    assert {row["status"] for row in rows} == {"pair"}
    assert {row["source_uri"].rpartition("/")[0] for row in rows} == {f"{base}/{layout()}".rstrip("/")}


@pytest.mark.parametrize("source", ["copy/", "copy/AWSLogs/..", "file://{folder}/copy", "copy/AWS*"])
def test_a_copy_is_named_in_many_ways(
    bucket: Bucket, s3run: BucketCommandLine, copied: list[str], source: str
) -> None:
    source = source.format(folder=s3run.folder)
    facts = s3run.facts("ingest", source, "--source-base", bucket.uri("a b/ü%41"), "--store", "store")
    assert facts["by_status"] == {"pair": len(copied)}
    key = f"a b/ü%41/{layout()}{object_name(0)}"
    assert bucket.uri(key) in {row["source_uri"] for row in s3run.rows("store", "source_uri")}


def test_a_copy_that_changed_in_size_is_reported(
    bucket: Bucket, s3run: BucketCommandLine, copied: list[str]
) -> None:
    base = bucket.uri("a b/ü%41")
    s3run.facts("ingest", "copy", "--source-base", base, "--store", "store")
    (s3run.folder / "copy" / layout() / object_name(1)).write_bytes(packed([record("another")]))
    facts = s3run.facts("ingest", "copy", "--source-base", base, "--store", "store")
    assert (facts["objects"]["changed"], facts["objects"]["new"]) == (1, 0)
    bucket.put(f"a b/ü%41/{layout()}{object_name(1)}", packed([record("another")]))
    assert s3run.facts("ingest", base, "--store", "store")["objects"]["changed"] == 1


def test_a_folder_that_was_moved(s3run: BucketCommandLine) -> None:
    hour = s3run.folder / "old" / layout()
    (hour / "data").mkdir(parents=True)
    body = "s3://gone/AWSLogs/data/a_output.json.gz"
    (hour / "data" / "a_output.json.gz").write_bytes(gzip.compress(json.dumps(answer("a")).encode()))
    (hour / "ä 1.json.gz").write_bytes(packed([record("a", output_path=body)]))
    assert s3run.facts("ingest", "old", "--store", "store")["by_status"] == {"pair": 1}
    before = s3run.rows("store", *COLUMNS)
    (s3run.folder / "old").rename(s3run.folder / "new")
    facts = s3run.facts("ingest", "new", "--source-base", "old", "--store", "store")
    assert facts["objects"] | {"new": 0, "skipped": 1, "changed": 0} == facts["objects"]
    s3run.facts("ingest", "new", "--source-base", f"file://{s3run.folder}/old", "--store", "other")
    assert s3run.rows("other", *COLUMNS) == before


def test_a_bucket_that_was_copied_to_another(
    bucket: Bucket, other_bucket: Bucket, s3run: BucketCommandLine, copied: list[str]
) -> None:
    other_bucket.upload(s3run.folder / "copy", "deep/er/")
    source = other_bucket.uri("deep/er")
    facts = s3run.facts("ingest", source, "--source-base", bucket.uri("a b/ü%41"), "--store", "store")
    assert facts["by_status"] == {"pair": len(copied)}
    assert s3run.facts("ingest", bucket.uri(), "--store", "store")["objects"]["new"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("copy", "other", "--source-base", "s3://bucket/x"),
        ("-", "--source-base", "s3://bucket/x"),
        ("copy", "--source-base", "s3://"),
        ("copy", "--source-base", "https://bucket/x"),
        ("copy", "--source-base", ""),
    ],
)
def test_bases_that_are_none(s3run: BucketCommandLine, arguments: tuple[str, ...]) -> None:
    for name in ("copy", "other"):
        (s3run.folder / name).mkdir()
    ran = s3run("ingest", *arguments, "--store", "store")
    assert ran.code == 2, ran.stderr
    assert "s3://" in ran.stderr
    assert not (s3run.folder / "store").exists()
