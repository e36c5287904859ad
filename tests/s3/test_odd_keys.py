"""Keys that are no paths: empty and dotted parts, and slashes at their beginning."""

from __future__ import annotations

import gzip
import json

import pytest

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import answer, layout, object_name, packed, record
from .servers import Bucket, Proxy
from .test_sources import fetched, listed

PREFIXES = ["logs//", "/", "//", "a/./", "a/../", "../", "x//y///", "./"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_logs_below_a_prefix_that_is_no_path(bucket: Bucket, s3run: BucketCommandLine, prefix: str) -> None:
    folder = prefix + layout()
    body = f"{folder}data/offloaded_output.json.gz"
    bucket.put(body, gzip.compress(json.dumps(answer("offloaded")).encode()))
    bucket.put(
        folder + object_name(), packed([record("a"), record("offloaded", output_path=bucket.uri(body))])
    )
    bucket.put("logs/other.txt", b"beside")
    facts = s3run.facts("ingest", f"s3://{bucket.name}", "--store", "store")
    assert facts["records"] == 2
    rows = s3run.rows("store", "request_id", "source_uri", "status", "response")
    assert {row["source_uri"] for row in rows} == {bucket.uri(folder + object_name())}
    is_plain = "." not in prefix  # where a body's path has dots, it is not followed
    assert [row["status"] for row in rows] == ["pair", "pair" if is_plain else "body_missing"]
    again = s3run.facts("ingest", f"s3://{bucket.name}", "--store", "store")
    assert (again["objects"]["new"], again["objects"]["skipped"]) == (0, 1)


def test_they_lie_beside_others(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    """Each is listed and read once, whoever names it."""
    keys = [f"{prefix}{layout()}{object_name(number)}" for number, prefix in enumerate(["", *PREFIXES])]
    for number, key in enumerate(keys):
        bucket.put(key, packed([record(str(number))]))
    facts = s3run.facts("ingest", f"s3://{bucket.name}/", "--store", "store")
    assert (facts["objects"]["new"], facts["records"]) == (len(keys), len(keys))
    assert fetched(proxy.log()) == sorted(keys)
    assert not [prefix for prefix in listed(proxy.log()) if prefix.endswith("data")]
    proxy.start()
    facts = s3run.facts("ingest", bucket.uri("logs//"), "--store", "other")
    assert facts["records"] == 1


def test_pages_and_faults(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    for number in range(7):
        bucket.put(f"logs//{layout()}{object_name(number)}", packed([record(str(number))]))
    proxy.start(Rule("small_pages"), *(Rule(kind, 0.1) for kind in ("slow_down", "internal", "reset")))
    for _ in range(6):
        ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
        assert ran.code in (0, 4), ran.stderr
        if ran.code == 0:
            break
    assert s3run.requests("store") == [str(number) for number in range(7)]


def test_what_is_missing_and_what_is_forbidden(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    for number in range(4):
        bucket.put(f"logs//{layout()}{object_name(number)}", packed([record(str(number))]))
    proxy.start(
        Rule("access_denied", method="GET", path=object_name(0)),
        Rule("no_such_key", method="GET", path=object_name(1)),
        Rule("archived", method="GET", path=object_name(2)),
    )
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    assert ran.code == 3, ran.stderr
    assert "s3:GetObject on " in ran.stderr
    assert "there is no such object" in ran.stderr
    assert "archive storage class" in ran.stderr
    assert s3run.requests("store") == ["3"]
    proxy.start(Rule("access_denied", method="GET", path="prefix=logs//"))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    assert (ran.code, "s3:ListBucket" in ran.stderr) == (3, True)


def test_one_object_by_its_own_address(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put("logs//a.json.gz", packed([record("a")]))
    assert s3run.facts("ingest", bucket.uri("logs//a.json.gz"), "--store", "store")["records"] == 1
    ran = s3run("ingest", bucket.uri("logs//b.json.gz"), "--store", "store")
    assert ran.code == 2, ran.stderr


def test_a_large_one_comes_in_ranges(bucket: Bucket, s3run: BucketCommandLine) -> None:
    values = [record(str(number)) for number in range(40)]
    for value in values:
        value["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = "x" * 1_000_000
    plain = b"\n".join(json.dumps(value).encode() for value in values)
    assert len(plain) > 32 << 20
    bucket.put(f"logs//{layout()}a.json", plain)
    assert s3run.facts("ingest", bucket.uri("logs"), "--store", "store")["by_status"] == {"pair": 40}
