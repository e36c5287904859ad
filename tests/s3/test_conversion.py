"""`convert` from and to a bucket: the same as on disk, whole or not at all."""

from __future__ import annotations

import gzip
import json

from .conftest import BucketCommandLine
from .faults import Rule
from .servers import Bucket, Proxy

LINES = b"".join(
    json.dumps({"prompt": f"p{n}", "completion": "x" * 1000}).encode() + b"\n" for n in range(300)
)
LOGS = ("--to", "invocation-log", "--teacher", "amazon.nova-pro-v1:0")


def test_from_and_to_a_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put("in.jsonl.gz", gzip.compress(LINES))
    (s3run.folder / "in.jsonl").write_bytes(LINES)
    for source, output in ((bucket.uri("in.jsonl.gz"), "a.jsonl"), ("in.jsonl", bucket.uri("sets/b.jsonl"))):
        ran = s3run("convert", source, "--to", "rft", "-o", output)
        assert (ran.code, ran.stdout) == (0, ""), ran.stderr
    assert bucket.get("sets/b.jsonl") == (s3run.folder / "a.jsonl").read_bytes()


def test_a_folder_of_logs_in_a_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    (s3run.folder / "in.jsonl").write_bytes(LINES)
    for output in (bucket.uri("logs"), "logs"):
        ran = s3run("convert", "in.jsonl", *LOGS, "-o", output)
        assert ran.code == 0, ran.stderr
    files = {str(path.relative_to(s3run.folder)): path for path in s3run.folder.glob("logs/**/*.gz")}
    assert bucket.keys() == sorted(files)
    assert all(bucket.get(key) == path.read_bytes() for key, path in files.items())
    ran = s3run("convert", "in.jsonl", *LOGS, "-o", bucket.uri("logs/"))
    assert (ran.code, ran.stdout) == (2, "")
    assert "has objects below it already" in ran.stderr


def test_nothing_stays_in_the_bucket_after_a_bad_line(bucket: Bucket, s3run: BucketCommandLine) -> None:
    (s3run.folder / "in.jsonl").write_bytes(LINES * 4 + b"x\n")
    for output, options in (("logs", LOGS), ("a.jsonl", ("--to", "rft"))):
        ran = s3run("convert", "in.jsonl", *options, "-o", bucket.uri(output))
        assert ran.code == 1, ran.stderr
        assert "in.jsonl:1201: the line is not JSON" in ran.stderr
    assert bucket.keys() == []


def test_what_may_not_be_read_or_is_not_there(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    ran = s3run("convert", bucket.uri("none.jsonl"), "--to", "rft", "-o", "x")
    assert (ran.code, ran.stdout) == (4, ""), ran.stderr
    assert "none.jsonl" in ran.stderr
    bucket.put("in.jsonl", LINES)
    proxy.start(Rule("access_denied", method="GET|HEAD"))
    ran = s3run("convert", bucket.uri("in.jsonl"), "--to", "rft", "-o", "x")
    assert (ran.code, ran.stdout) == (3, ""), ran.stderr
    assert "s3:GetObject" in ran.stderr
    assert list(s3run.folder.iterdir()) == []


def test_a_wrong_address(s3run: BucketCommandLine) -> None:
    ran = s3run("convert", "s3://bucket/", "--to", "rft", "-o", "x")
    assert (ran.code, ran.stdout) == (2, "")
    assert "names no object" in ran.stderr
