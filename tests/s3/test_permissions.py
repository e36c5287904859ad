"""Access that is missing: an early end, with the action and the resource to allow."""

from __future__ import annotations

import pytest

from .conftest import BucketCommandLine, Ingested, Ran
from .faults import KMS_KEY, Rule
from .logs import layout, object_name, put_logs
from .servers import Bucket, Proxy

SECRET = "a-secret-that-nobody-prints"
LISTING = r"^/[^/]+/?\?.*list-type=2"
# What to allow, action and resource, by the kind of denial.
DENIED = {"access_denied": ("s3:GetObject", "arn:aws:s3:::"), "kms_denied": ("kms:Decrypt", KMS_KEY)}
LOGS = r"\.json\.gz$"


def refused(ran: Ran, *words: str) -> None:
    """The command ended for lack of access, and says these words; nothing else went wrong."""
    assert ran.code == 3, ran.stderr
    assert "Traceback" not in ran.stderr
    assert SECRET not in ran.stderr
    assert [word for word in words if word not in ran.stderr] == [], ran.stderr


@pytest.fixture
def logs(bucket: Bucket) -> list[str]:
    """The request ids of six log objects below `logs/`."""
    return put_logs(bucket, "logs/", 6, 2)


def test_no_permission_to_list(logs: list[str], bucket: Bucket, s3run: BucketCommandLine) -> None:
    s3run.proxy.start(Rule("access_denied", path=LISTING))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store", AWS_SECRET_ACCESS_KEY=SECRET)
    refused(ran, "s3:ListBucket", f"arn:aws:s3:::{bucket.name}")


@pytest.mark.parametrize("kind", DENIED)
def test_no_permission_to_read_any_object(
    logs: list[str], bucket: Bucket, s3run: BucketCommandLine, kind: str
) -> None:
    s3run.proxy.start(Rule(kind, method="GET", path=LOGS))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store", AWS_SECRET_ACCESS_KEY=SECRET)
    refused(ran, *DENIED[kind], f"s3://{bucket.name}/logs/")
    s3run.proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", "store")
    assert s3run.requests("store") == logs


def test_no_permission_to_read_one_object(logs: list[str], bucket: Bucket, s3run: BucketCommandLine) -> None:
    key = f"logs/{layout()}{object_name(4)}"
    s3run.proxy.start(Rule("access_denied", method="GET", path=key))
    refused(s3run("ingest", bucket.uri("logs"), "--store", "store"), "s3:GetObject", key)
    assert len(s3run.requests("store")) == len(logs) - 2


def test_credentials_that_expire_on_the_way(
    logs: list[str], bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    put_logs(bucket, "logs/", 6, 2, "2026/06/02/10")
    proxy.start(Rule("expired_token", after=12))
    refused(s3run("ingest", bucket.uri("logs"), "--store", "store"), "expired")
    proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", "store")
    requests = s3run.requests("store")
    assert len(requests) == len(set(requests)) == 24


def test_expired_credentials_end_the_run(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    """Not each of a million objects is asked for in vain; what was read is stored, and nothing is passed over."""
    logs = sorted([*put_logs(bucket, "logs/", 90, 1), *put_logs(bucket, "logs/", 90, 1, "2026/06/09/10")])
    proxy.start(Rule("expired_token", method="GET", path=LOGS, after=20))
    ran = s3run("ingest", bucket.uri("logs"), "--store", "store")
    refused(ran, "error: the AWS credentials have expired", "what was read is stored")
    assert len(ran.stderr.splitlines()) < 6
    assert proxy.faults()["expired_token"] < 100
    assert 0 < len(s3run.requests("store")) <= 20
    proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", "store")
    assert s3run.requests("store") == logs


def test_what_is_given_up_is_not_uploaded(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    """Two days are two files; when the first cannot be written, the second is not tried."""
    put_logs(bucket, "logs/", 1, 1)
    put_logs(bucket, "logs/", 1, 1, "2026/06/02/10")
    proxy.start(Rule("expired_token", method="PUT", path=r"\.parquet"))
    ran = s3run("ingest", bucket.uri("logs"), "--store", bucket.uri("store"))
    refused(ran, "expired")
    assert "Exception ignored" not in ran.stderr
    assert proxy.faults() == {"expired_token": 1}


def test_keys_that_aws_does_not_know(logs: list[str], bucket: Bucket, s3run: BucketCommandLine) -> None:
    s3run.proxy.start(Rule("bad_key_id"))
    refused(s3run("ingest", bucket.uri("logs"), "--store", "store"), "InvalidAccessKeyId")


@pytest.mark.parametrize("command", ["ingest {} --store store", "count --store {}", "ingest . --store {}"])
def test_no_credentials(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, command: str) -> None:
    ran = s3run(*command.format(bucket.uri("logs")).split(), AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    refused(ran, "credentials", "AWS_PROFILE")
    assert proxy.log() == []


def test_a_profile_that_is_not_there(bucket: Bucket, s3run: BucketCommandLine) -> None:
    refused(s3run("ingest", bucket.uri(), "--store", "store", AWS_PROFILE="nobody"), "nobody")


def test_a_profile_whose_keys_count(
    logs: list[str], bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    """Everything that the chain of boto3 finds is used, the endpoint of a profile too."""
    home = s3run.folder / "home" / ".aws"
    home.mkdir(parents=True)
    keys = "aws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = secret\naws_session_token = token-of-profile\n"
    (home / "config").write_text(f"[profile team]\nregion = eu-central-1\nendpoint_url = {proxy.endpoint}\n")
    (home / "credentials").write_text(f"[team]\n{keys}")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")
    environment = {**dict.fromkeys(names, ""), "AWS_PROFILE": "team"}
    for store in ("store", bucket.uri("store")):
        s3run.facts("ingest", bucket.uri("logs"), "--store", store, **environment)
        assert s3run.requests(store, **environment) == logs
    log = proxy.log()
    assert {request.headers.get("x-amz-security-token") for request in log} == {"token-of-profile"}
    assert {request.signed_by for request in log} == {"AKIDOFPROFILE"}


@pytest.mark.parametrize("command", ["ingest {} --store store", "count --store {}", "ingest . --store {}"])
def test_a_bucket_that_is_not_there(s3run: BucketCommandLine, command: str) -> None:
    (s3run.folder / "a.json").write_text("{}")
    refused(s3run(*command.format("s3://there-is-no-such-bucket/x").split()), "s3://there-is-no-such-bucket")


@pytest.mark.parametrize("kind", DENIED)
def test_no_permission_to_read_a_store(in_bucket: Ingested, s3run: BucketCommandLine, kind: str) -> None:
    s3run.proxy.start(Rule(kind, method="GET", path=r"\.parquet"))
    refused(s3run("count", "--store", in_bucket.store), *DENIED[kind], "sample-store")
    s3run.proxy.start(Rule(kind, method="GET", path="_delta_log/"))
    refused(s3run("count", "--store", in_bucket.store), *DENIED[kind], "sample-store")


@pytest.mark.parametrize("path", [r"\.parquet", "_delta_log/"])
def test_no_permission_to_write_a_store(
    logs: list[str], bucket: Bucket, s3run: BucketCommandLine, path: str
) -> None:
    s3run.proxy.start(Rule("access_denied", method="PUT|POST", path=path))
    ran = s3run("ingest", bucket.uri("logs"), "--store", bucket.uri("store"))
    refused(ran, "s3:PutObject", f"{bucket.name}/store")
    s3run.proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", bucket.uri("store"))
    assert s3run.requests(bucket.uri("store")) == logs
