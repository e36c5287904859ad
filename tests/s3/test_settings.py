"""Sources that need more than an address: who pays, whose role, which other buckets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from logminer import pipeline
from logminer.s3.access import S3Settings
from logminer.sources import SourceRule

from .faults import Request
from .logs import answer, layout, object_name, packed, record
from .servers import Bucket, Proxy


@pytest.fixture
def store(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for a store, in an environment that leads to the test server."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": proxy.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return str(tmp_path / "store")


def to_s3(log: list[Request]) -> list[Request]:
    return [request for request in log if request.bucket]


def test_whoever_asks_pays(bucket: Bucket, proxy: Proxy, store: str) -> None:
    body = bucket.put(f"{layout()}data/a_output.json.gz", gzip.compress(json.dumps(answer("a")).encode()))
    bucket.put(layout() + object_name(), packed([record("a", output_path=body)]))
    rule = SourceRule(f"s3://{bucket.name}", S3Settings(requester_pays=True))
    pipeline.ingest(bucket.uri(), store=store, rules=[rule])
    assert [row["status"] for row in pipeline.select(store)] == ["pair"]
    log = to_s3(proxy.log())
    assert len(log) > 10
    assert {request.headers.get("x-amz-request-payer") for request in log} == {"requester"}


def test_nobody_pays_who_was_not_told_to(bucket: Bucket, proxy: Proxy, store: str) -> None:
    bucket.put(layout() + object_name(), packed([record("a")]))
    rule = SourceRule("s3://another-bucket", S3Settings(requester_pays=True))
    pipeline.ingest(bucket.uri(), store=store, rules=[rule])
    assert {"x-amz-request-payer" in request.headers for request in proxy.log()} == {False}


def test_another_accounts_role(bucket: Bucket, proxy: Proxy, store: str) -> None:
    bucket.put(f"theirs/{layout()}{object_name(0)}", packed([record("theirs")]))
    bucket.put(f"ours/{layout()}{object_name(1)}", packed([record("ours")]))
    role = "arn:aws:iam::444455556666:role/log-reader"
    rule = SourceRule(bucket.uri("theirs"), S3Settings(role_arn=role, external_id="an-id"))
    pipeline.ingest(bucket.uri("theirs"), bucket.uri("ours"), store=store, rules=[rule])
    assert sorted(row["request_id"] for row in pipeline.select(store)) == ["ours", "theirs"]
    log = proxy.log()
    (assumed,) = {
        (request.query["RoleArn"], request.query["ExternalId"], request.signed_by)
        for request in log
        if request.query.get("Action") == "AssumeRole"
    }
    assert assumed == (role, "an-id", "test")
    theirs = {request.signed_by for request in to_s3(log) if request.key.startswith("theirs/")}
    assert theirs
    assert "test" not in theirs
    assert {request.signed_by for request in to_s3(log) if request.key.startswith("ours/")} == {"test"}


def test_bodies_in_a_bucket_of_their_own(
    bucket: Bucket, other_bucket: Bucket, proxy: Proxy, store: str
) -> None:
    """CloudWatch delivery puts large bodies where it is told to; only what the configuration names is followed."""
    path = other_bucket.put("data/a_output.json.gz", gzip.compress(json.dumps(answer("a")).encode()))
    bucket.put(layout() + object_name(), packed([record("a", output_path=path)]))
    for rules, status in (
        ([], "body_missing"),
        ([SourceRule(f"s3://{bucket.name}", S3Settings(), (other_bucket.name,))], "pair"),
    ):
        proxy.start()
        place = f"{store}-{status}"
        pipeline.ingest(bucket.uri(), store=place, rules=rules)
        assert [row["status"] for row in pipeline.select(place, status="all")] == [status]
        asked = {request.bucket for request in proxy.log()}
        assert asked == ({bucket.name, other_bucket.name} if rules else {bucket.name})
