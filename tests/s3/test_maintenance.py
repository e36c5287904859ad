"""A store in a bucket is looked after like one in a folder; what lacks is named."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from logminer.s3.failures import s3_failure

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import layout, object_name, packed, put_logs, record
from .servers import Bucket, Proxy

TEXT = "Where is forget-me?"


@pytest.fixture(scope="module")
def logs(proxy_and_client: tuple[Proxy, Any]) -> Bucket:
    """Where the logs of `built` lie."""
    return Bucket(proxy_and_client[1], "maintained-logs")


@pytest.fixture(scope="module")
def built(
    logs: Bucket, proxy_and_client: tuple[Proxy, Any], tmp_path_factory: pytest.TempPathFactory
) -> Bucket:
    """A store of three ingests, with a record that is to be forgotten, and its versions. To be copied."""
    proxy, client = proxy_and_client
    proxy.start()
    bucket = Bucket(client, "maintained-store")
    run = BucketCommandLine(tmp_path_factory.mktemp("maintained"), proxy)
    for number, hour in enumerate(("2026/06/01/10", "2026/06/01/11", "2026/06/02/10")):
        put_logs(logs, "", 1, 4, hour)
        if not number:
            values = [record("forget-me", metadata={"owner": "jane doe"}), "no record"]
            logs.put(layout(hour) + object_name(9, hour), packed(values))
        run.facts("ingest", logs.uri(), "--store", bucket.uri("stores/one"))
    return bucket


@pytest.fixture
def store(bucket: Bucket, built: Bucket, proxy: Proxy) -> str:
    """A copy of that store, of the test's own."""
    built.copy_to(bucket)
    return bucket.uri("stores/one")


def texts(bucket: Bucket) -> list[str]:
    """The objects of the store that hold the text or the owner."""
    found = []
    for key in bucket.keys(""):
        content = bucket.get(key)
        if key.endswith(".parquet"):
            content += repr(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
        if TEXT.encode() in content or b"jane doe" in content:
            found.append(key)
    return found


def test_compaction_and_vacuum(bucket: Bucket, s3run: BucketCommandLine, store: str) -> None:
    before = s3run.rows(store)
    report = s3run.facts("store", "compact", "--store", store)
    assert (report["days"], report["files_before"], report["files_after"]) == (2, 3, 2)
    assert s3run.rows(store) == before
    assert s3run.facts("store", "vacuum", "--store", store)["kept"] == 3
    report = s3run.facts("store", "vacuum", "--store", store, "--older-than", "0m")
    assert report["old_files"] == 3
    assert s3run.rows(store) == before
    assert len([key for key in bucket.keys("") if "/date=" in key]) == 2
    ran = s3run("count", "--store", store, "--version", "2")
    assert (ran.code, "can no longer be read" in ran.stderr) == (2, True)


def test_forgetting(bucket: Bucket, logs: Bucket, s3run: BucketCommandLine, store: str) -> None:
    s3run.facts("store", "compact", "--store", store)
    assert len(texts(bucket)) > 1
    report = s3run.facts("store", "forget", "--store", store, "--metadata", "owner=jane doe", "--yes")
    assert report["records"] == 1
    assert report["log_objects"] == [logs.uri(layout() + object_name(9))]
    assert texts(bucket) == []
    key = layout() + object_name(10)
    logs.put(key, packed([record("forget-me"), record("new")]))
    try:
        assert s3run.facts("ingest", logs.uri(), "--store", store)["records"] == 2
    finally:
        logs.delete(key)
    assert texts(bucket) == []
    assert "new" in s3run.requests(store)
    assert "forget-me" not in s3run.requests(store)


def test_expiry(bucket: Bucket, logs: Bucket, s3run: BucketCommandLine, store: str) -> None:
    report = s3run.facts("store", "expire", "--store", store, "--older-than", "1d", "--yes")
    assert (report["records"], report["dates"]) == (13, 2)
    assert [key for key in bucket.keys("") if "/date=" in key] == []
    assert s3run.facts("ingest", logs.uri(), "--store", store, "--full-scan")["objects"]["new"] == 0


@pytest.mark.parametrize(
    ("method", "path", "lacks"),
    [
        ("POST", "", "s3:DeleteObject"),
        ("PUT", "", "s3:PutObject"),
        ("GET", r"\.parquet$", "s3:GetObject"),
    ],
)
def test_missing_permissions_are_named(
    bucket: Bucket, s3run: BucketCommandLine, store: str, method: str, path: str, lacks: str
) -> None:
    s3run.facts("store", "compact", "--store", store)
    before = s3run.rows(store)
    s3run.proxy.start(Rule("access_denied", method=method, path=path))
    ran = s3run("store", "vacuum", "--store", store, "--older-than", "0m")
    if path != r"\.parquet$":  # a vacuum reads no data
        assert ran.code == 3, ran.stderr
        assert f"{lacks} on arn:aws:s3:::{bucket.name}" in ran.stderr
    ran = s3run("store", "forget", "--store", store, "--request-id", "forget-me", "--yes")
    assert ran.code == 3, ran.stderr
    assert f"{lacks} on arn:aws:s3:::{bucket.name}" in ran.stderr
    assert "Traceback" not in ran.stderr
    s3run.proxy.start()
    assert len(s3run.rows(store)) in (len(before), len(before) - 1)
    s3run.facts("store", "forget", "--store", store, "--request-id", "forget-me", "--yes")
    assert texts(bucket) == []


def test_one_object_of_many_that_must_not_be_deleted() -> None:
    """S3 answers well, with an error in the answer; obstore says it so."""
    said = OSError("DeleteObjects request failed for key a/b.parquet: Access Denied (code: AccessDenied)")
    assert "s3:DeleteObject on arn:aws:s3:::bucket/a/b.parquet" in str(
        s3_failure(said, "delete", "bucket", "a/b.parquet")
    )


def test_maintenance_on_a_bad_network(s3run: BucketCommandLine, store: str) -> None:
    """Each command ends well, or with exit code 4 and nothing half done; some attempt gets through."""
    before = s3run.rows(store)
    s3run.proxy.start(*(Rule(kind, chance=0.05) for kind in ("slow_down", "internal", "reset")), seed=5)
    for command in (["compact"], ["vacuum", "--older-than", "0m"]):
        codes = []
        while not codes or codes[-1] == 4:
            ran = s3run("store", *command, "--store", store)
            codes.append(ran.code)
            assert "Traceback" not in ran.stderr
            assert len(codes) < 9
        assert codes[-1] == 0, ran.stderr
    assert s3run.proxy.faults().total() > 3
    s3run.proxy.start()
    assert s3run.rows(store) == before


def test_the_location_of_the_table(s3run: BucketCommandLine, store: str) -> None:
    ran = s3run("store", "ddl", "--store", store)
    assert ran.code == 0
    assert f"LOCATION '{store}/invocations/'" in ran.stdout
    assert json.loads(s3run("store", "ddl", "--store", store, "--json").stdout)["table"] in ran.stdout
