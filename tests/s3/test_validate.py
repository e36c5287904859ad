"""`validate s3://...`: datasets and logs in a bucket, and mended ones written to it."""

from __future__ import annotations

import gzip
import json

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import layout, object_name, packed, record
from .servers import Bucket, Proxy


def lines(count: int) -> bytes:
    """So many lines without fault."""
    turns = [[("user", f"Question {number}?"), ("assistant", "Yes.")] for number in range(count)]
    written = [
        {
            "schemaVersion": "bedrock-conversation-2024",
            "messages": [{"role": role, "content": [{"text": text}]} for role, text in each],
        }
        for each in turns
    ]
    return b"".join(json.dumps(each).encode() + b"\n" for each in written)


def test_a_dataset_in_a_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    facts = s3run.facts("validate", bucket.put("sets/train.jsonl", lines(120)))
    assert (facts["lines"], facts["valid"], facts["path"]) == (120, 120, bucket.uri("sets/train.jsonl"))
    packed = s3run.facts("validate", bucket.put("sets/train.jsonl.gz", gzip.compress(lines(120))))
    assert (packed["valid"], packed["counts"]) == (120, {"compressed": 1})


def test_a_large_dataset_is_read_in_ranges(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    data = lines(120)[:-1].replace(b"Yes.", b"Yes. " * 70_000)
    uri = bucket.put("large.jsonl", data)
    proxy.start()
    facts = s3run.facts("validate", uri)
    assert (facts["lines"], facts["size_bytes"]) == (120, len(data))
    gets = [request for request in proxy.log() if request.method == "GET" and request.key == "large.jsonl"]
    assert len(gets) > 3


def test_faults_of_the_service_are_waited_out(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    uri = bucket.put("train.jsonl", lines(120))
    proxy.start(Rule("slow_down", times=2, path="train.jsonl"))
    assert s3run.facts("validate", uri)["ok"]
    assert proxy.faults()


def test_what_is_not_there(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put("sets/train.jsonl", lines(1))
    ran = s3run("validate", bucket.uri("nothing.jsonl"))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(
        f"error: {bucket.uri('nothing.jsonl')}: there is nothing below this prefix\n"
    )
    ran = s3run("validate", bucket.uri("sets"))
    assert (ran.code, ran.stderr) == (
        2,
        (
            f"error: {bucket.uri('sets')}: is a prefix and no object\n"
            "  Name one .jsonl object; for logs use --profile invocation-logs.\n"
        ),
    )


def test_mended_from_bucket_to_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    uri = bucket.put("train.jsonl", b"\xef\xbb\xbf" + lines(120) + b"\n")
    facts = s3run.facts("validate", uri, "--fix", "-o", bucket.uri("mended.jsonl"))
    assert facts["mends"] == {"byte_order_mark": 1, "blank_lines": 1}
    assert bucket.get("mended.jsonl") == lines(120)
    broken = bucket.put("broken.jsonl.gz", gzip.compress(lines(120))[:-9])
    ran = s3run("validate", broken, "--fix", "-o", bucket.uri("other.jsonl"))
    assert ran.code == 1
    assert "so nothing is written" in ran.stderr
    assert bucket.keys() == ["broken.jsonl.gz", "mended.jsonl", "train.jsonl"]


def test_logs_in_a_bucket(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put(layout() + object_name(1), packed(record(f"r{number}") for number in range(100)))
    bucket.put(layout() + "data/x_input.json.gz", gzip.compress(b"{}"))
    ran = s3run("validate", bucket.uri("AWSLogs"), "--profile", "invocation-logs")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.lines[-1].endswith("passes invocation-logs: 100 records, 100 valid, 0 errors, 0 warnings")
