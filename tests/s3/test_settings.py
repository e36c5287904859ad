"""`[[sources]]` of logminer.toml: who pays, whose role, which Region, which other buckets."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from .conftest import BucketCommandLine
from .faults import Request, Rule
from .logs import answer, layout, object_name, packed, record
from .servers import Bucket, Proxy


def configure(s3run: BucketCommandLine, *sources: str) -> None:
    """Write logminer.toml with these entries."""
    text = "\n".join(f"[[sources]]\n{source}\n" for source in sources)
    (s3run.folder / "logminer.toml").write_text(text)


def to_s3(log: list[Request]) -> list[Request]:
    return [request for request in log if request.bucket]


def signers(log: list[Request], prefix: str) -> set[str]:
    """The access keys that were used for objects below a prefix."""
    return {request.signed_by for request in to_s3(log) if request.key.startswith(prefix)}


@pytest.fixture
def offloaded(bucket: Bucket) -> None:
    """A log object below `logs/` whose record has its answer beside it."""
    folder = f"logs/{layout()}"
    body = bucket.put(f"{folder}data/a_output.json.gz", gzip.compress(json.dumps(answer("a")).encode()))
    bucket.put(folder + object_name(), packed([record("a", output_path=body)]))


@pytest.mark.usefixtures("offloaded")
def test_whoever_asks_pays(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    configure(s3run, f'uri = "{bucket.uri("logs")}"\nrequester_pays = true')
    s3run.facts("ingest", "--store", "store")
    assert [row["status"] for row in s3run.rows("store", "status")] == ["pair"]
    log = to_s3(proxy.log())
    assert {request.method for request in log} == {"GET"}
    assert len(log) > 10
    assert {request.headers.get("x-amz-request-payer") for request in log} == {"requester"}


@pytest.mark.usefixtures("offloaded")
def test_nobody_pays_who_was_not_told_to(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    configure(s3run, f'uri = "{bucket.uri("log")}"\nrequester_pays = true')
    s3run.facts("ingest", bucket.uri("logs"), "--store", bucket.uri("store"))
    assert {"x-amz-request-payer" in request.headers for request in proxy.log()} == {False}


ROLE = "arn:aws:iam::444455556666:role/log-reader"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("access_denied", "sts:AssumeRole"),
        ("expired_token", "Log in again"),
        ("unknown_token", "Log in again"),
    ],
)
@pytest.mark.parametrize("source", ["{}", "cloudwatch:group"])
def test_a_role_that_cannot_be_assumed(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, source: str, kind: str, words: str
) -> None:
    place = source.format(bucket.uri("logs"))
    configure(s3run, f'uri = "{place}"\nrole_arn = "{ROLE}"')
    proxy.start(Rule(kind, method="POST", path=r"^/$"))
    ran = s3run("ingest", "--store", "store")
    assert (ran.code, ran.stderr.count("\n")) == (3, 2), ran.stderr
    assert f"error: {ROLE}: " in ran.stderr
    assert words in ran.stderr


def test_a_role_and_nobody_to_assume_it(bucket: Bucket, s3run: BucketCommandLine) -> None:
    configure(s3run, f'uri = "{bucket.uri("logs")}"\nrole_arn = "{ROLE}"')
    ran = s3run("ingest", "--store", "store", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (ran.code, "no AWS credentials" in ran.stderr) == (3, True), ran.stderr


@pytest.mark.parametrize("region", ["eu-central-1", ""])
def test_another_accounts_role(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, region: str) -> None:
    """The role's keys for its own source alone; ours for everything else."""
    bucket.put(f"theirs/{layout()}{object_name(0)}", packed([record("theirs")]))
    bucket.put(f"ours/{layout()}{object_name(1)}", packed([record("ours")]))
    role = "arn:aws:iam::444455556666:role/log-reader"
    access = f'role_arn = "{role}"\nexternal_id = "an-id"' + (f'\nregion = "{region}"' if region else "")
    configure(s3run, f'uri = "{bucket.uri("theirs")}"\n{access}', f'uri = "{bucket.uri("ours")}"')
    s3run.facts("ingest", "--store", bucket.uri("store"))
    assert s3run.requests(bucket.uri("store")) == ["ours", "theirs"]
    log = proxy.log()
    assumed = {
        (request.query["RoleArn"], request.query["ExternalId"], request.signed_by)
        for request in log
        if request.query.get("Action") == "AssumeRole"
    }
    assert assumed == {(role, "an-id", "test")}
    theirs = signers(log, "theirs/")
    assert theirs
    assert "test" not in theirs
    assert signers(log, "ours/") == signers(log, "store/") == {"test"}


@pytest.mark.parametrize("followed", [True, False])
def test_bodies_in_a_bucket_of_their_own(
    bucket: Bucket, other_bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, followed: bool
) -> None:
    """Only into buckets that the configuration names for this very source."""
    path = other_bucket.put("data/a_output.json.gz", gzip.compress(json.dumps(answer("a")).encode()))
    bucket.put(f"logs/{layout()}{object_name()}", packed([record("a", output_path=path)]))
    named = f'body_buckets = ["{other_bucket.name}"]'
    place = "logs" if followed else "elsewhere"
    configure(s3run, f'uri = "{bucket.uri(place)}"\n{named}')
    s3run.facts("ingest", bucket.uri("logs"), "--store", "store")
    (row,) = s3run.rows("store", "status", "status_detail")
    assert row["status"] == ("pair" if followed else "body_missing")
    asked = {request.bucket for request in proxy.log()}
    assert asked == ({bucket.name, other_bucket.name} if followed else {bucket.name})


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('uri = "/local/folder"', "/local/folder"),
        ('uri = "s3://"', "s3://"),
        ('role_arn = "arn:aws:iam::444455556666:role/x"', "uri"),
        ('uri = "s3://some-bucket"\nrole = "x"', "role"),
        ('uri = "s3://some-bucket"\nrequester_pays = "yes"', "requester_pays"),
    ],
)
def test_entries_that_cannot_be_meant(s3run: BucketCommandLine, proxy: Proxy, source: str, word: str) -> None:
    configure(s3run, source)
    ran = s3run("ingest", "--store", "store")
    assert ran.code in (2, 3), ran.stderr
    assert "logminer.toml" in ran.stderr
    assert word in ran.stderr
    assert proxy.log() == []


KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def encryptions(log: list[Request], method: str) -> set[tuple[str | None, str | None]]:
    """How requests of a method asked objects to be encrypted, and with which key."""
    name = "x-amz-server-side-encryption"
    return {
        (request.headers.get(name), request.headers.get(f"{name}-aws-kms-key-id"))
        for request in to_s3(log)
        if request.method == method and "uploadId" not in request.query
    }


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        (f'sse = "aws:kms"\nkms_key_id = "{KEY}"', ("aws:kms", KEY)),
        (f'kms_key_id = "{KEY}"', ("aws:kms", KEY)),
        ('sse = "AES256"', ("AES256", None)),
        ("", (None, None)),
    ],
)
def test_all_that_is_written_is_encrypted_as_told(
    bucket: Bucket,
    s3run: BucketCommandLine,
    proxy: Proxy,
    settings: str,
    asked: tuple[str | None, str | None],
) -> None:
    (s3run.folder / "logminer.toml").write_text(f"[s3]\n{settings}\n")
    values = [record(str(number), metadata={f"k{number}": "v"}) for number in range(30)]
    for number in range(8):
        bucket.put(f"logs/{layout()}{object_name(number)}", packed(values[number * 3 : number * 3 + 3]))
    proxy.start()
    store = ("--store", bucket.uri("store"))
    for _ in range(2):
        s3run.facts("ingest", bucket.uri("logs"), *store)
    (s3run.folder / "in.jsonl").write_text('{"prompt": "a", "completion": "b"}\n' * 2)
    for command in (
        ("select", *store, "-o", bucket.uri("out/rows.csv")),
        ("convert", "in.jsonl", "--to", "rft", "-o", bucket.uri("out/converted.jsonl")),
        ("validate", "in.jsonl", "--allow-few", "--fix", "-o", bucket.uri("out/mended.jsonl")),
    ):
        assert s3run(*command).code in (0, 1)
    log = proxy.log()
    assert encryptions(log, "PUT") == {asked}
    written = [request.key for request in log if request.method == "PUT"]
    assert {key.split("/")[1] for key in written} >= {
        *("invocations", "models", "sources"),
        *("rows.csv", "converted.jsonl", "mended.jsonl"),
    }
    assert {each for each, _ in encryptions(log, "GET")} == {None}
    assert bucket.head("out/rows.csv").get("SSEKMSKeyId") == asked[1]


def test_workers_encrypt_as_well(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    (s3run.folder / "logminer.toml").write_text(f'[s3]\nsse = "aws:kms"\nkms_key_id = "{KEY}"\n')
    for number in range(4):
        text = random.Random(number).randbytes(1_500_000).hex()
        value = record(str(number))
        value["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] = text
        bucket.put(f"logs/{layout()}{object_name(number)}", packed([value]) + packed(["x" * 100]))
    proxy.start()
    s3run.facts("ingest", bucket.uri("logs"), "--store", bucket.uri("store"), "--workers", "2")
    data = [each for each in proxy.log() if "/date=" in each.key and each.method in ("PUT", "POST")]
    assert data
    assert encryptions(proxy.log(), "PUT") == {("aws:kms", KEY)}


@pytest.mark.parametrize(
    "settings", ['sse = "rot13"', 'sse = "AES256"\nkms_key_id = "x"', "sse = 3", "kms = 1"]
)
def test_encryptions_that_are_none(s3run: BucketCommandLine, settings: str) -> None:
    (s3run.folder / "logminer.toml").write_text(f"[s3]\n{settings}\n")
    ran = s3run("count")
    assert (ran.code, "[s3]" in ran.stderr) == (3, True), ran.stderr
