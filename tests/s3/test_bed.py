"""The test bed itself: what a rule says happens to a client, and is written down."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .faults import ERRORS, Rule
from .servers import KEYS, Bucket, Proxy

CONTENT = b"0123456789" * 1000
# The server asks for a signature, and checks none.
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260601/us-east-1/s3/aws4_request"}


@pytest.fixture
def client(proxy: Proxy) -> Any:
    """A client that goes through the proxy and gives up at once."""
    client = boto3.client(
        "s3", endpoint_url=proxy.endpoint, config=Config(retries={"total_max_attempts": 1}), **KEYS
    )
    yield client
    client.close()


def get(proxy: Proxy, bucket: Bucket, key: str = "a/b c") -> tuple[int, bytes]:
    """Status and body of a GET as bare as can be."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        connection.request("GET", f"/{bucket.name}/{key.replace(' ', '%20')}", headers=SIGNED)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_errors_are_those_of_s3(proxy: Proxy, bucket: Bucket, client: Any, kind: str) -> None:
    bucket.put("a/b c", CONTENT)
    proxy.start(Rule(kind, path="/a/b c$"))
    with pytest.raises(ClientError) as caught:
        client.get_object(Bucket=bucket.name, Key="a/b c")
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == ERRORS[kind][:2]
    (request,) = proxy.log()
    assert (request.method, request.bucket, request.key, request.fault) == ("GET", bucket.name, "a/b c", kind)


def test_what_no_rule_strikes_comes_through(proxy: Proxy, bucket: Bucket, client: Any) -> None:
    proxy.start(Rule("slow_down", path="/elsewhere"), Rule("internal", method="DELETE"))
    client.put_object(Bucket=bucket.name, Key="ü+%/b", Body=CONTENT, RequestPayer="requester")
    assert bucket.get("ü+%/b") == CONTENT
    assert (
        client.get_object(Bucket=bucket.name, Key="ü+%/b", Range="bytes=10-19")["Body"].read() == CONTENT[:10]
    )
    assert client.head_object(Bucket=bucket.name, Key="ü+%/b")["ContentLength"] == len(CONTENT)
    assert client.list_objects_v2(Bucket=bucket.name, Delimiter="/")["CommonPrefixes"] == [{"Prefix": "ü+%/"}]
    put, ranged, head, listing = proxy.log()
    assert (put.key, put.headers["x-amz-request-payer"]) == ("ü+%/b", "requester")
    assert (ranged.status, ranged.sent_bytes, ranged.headers["range"]) == (206, 10, "bytes=10-19")
    assert (head.method, head.sent_bytes) == ("HEAD", 0)
    assert listing.is_listing
    assert listing.query["delimiter"] == "/"
    assert not proxy.faults()


@pytest.mark.parametrize("kind", ["truncated", "reset"])
def test_bodies_that_break_off(proxy: Proxy, bucket: Bucket, kind: str) -> None:
    bucket.put("a/b c", CONTENT)
    proxy.start(Rule(kind))
    with pytest.raises({"truncated": http.client.IncompleteRead, "reset": ConnectionResetError}[kind]):
        get(proxy, bucket)
    assert [request.sent_bytes for request in proxy.log()] == [len(CONTENT) // 2]


@pytest.mark.parametrize("kind", ["short", "wrong_length"])
def test_lengths_that_are_wrong(proxy: Proxy, bucket: Bucket, kind: str) -> None:
    bucket.put("a/b c", CONTENT)
    proxy.start(Rule(kind))
    assert get(proxy, bucket) == (200, CONTENT[: len(CONTENT) // 2])
    assert proxy.log()[0].sent_bytes == {"short": 5000, "wrong_length": 10_000}[kind]


@pytest.mark.parametrize("kind", ["stall", "late"])
def test_requests_that_are_kept_back(proxy: Proxy, bucket: Bucket, kind: str) -> None:
    bucket.put("a/b c", CONTENT)
    proxy.start(Rule(kind, ms=300))
    began = time.monotonic()
    assert get(proxy, bucket) == (200, CONTENT)
    assert time.monotonic() - began >= 0.3


def test_a_write_whose_answer_is_lost(proxy: Proxy, bucket: Bucket) -> None:
    proxy.start(Rule("lost_answer", method="PUT"))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request("PUT", f"/{bucket.name}/a", CONTENT, SIGNED)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
    assert bucket.get("a") == CONTENT


def test_after_and_times_and_chance(proxy: Proxy, bucket: Bucket) -> None:
    bucket.put("a/b c", CONTENT)
    proxy.start(Rule("internal", after=2, times=1))
    assert [get(proxy, bucket)[0] for _ in range(4)] == [200, 200, 500, 200]
    outcomes = []
    for seed in (1, 1, 2):
        proxy.start(Rule("internal", chance=0.5), seed=seed)
        outcomes.append([get(proxy, bucket)[0] for _ in range(30)])
    assert outcomes[0] == outcomes[1] != outcomes[2]
    assert {200, 500} == set(outcomes[0])


def test_conditional_writes_have_one_winner(proxy: Proxy, bucket: Bucket, client: Any) -> None:
    client.put_object(Bucket=bucket.name, Key="a", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket.name, Key="a", Body=b"second", IfNoneMatch="*")
    assert bucket.get("a") == b"first"


def test_the_servers_end_with_the_tests(tmp_path: Path) -> None:
    """Also where the tests are killed, and can end nothing themselves."""
    script = Path(__file__).parent / "faults.py"
    keeper = f"import subprocess, sys; p = subprocess.Popen([sys.executable, {str(script)!r}, '1'], "
    keeper += (
        "stdin=subprocess.PIPE, stdout=subprocess.PIPE); p.stdout.readline(); print(p.pid, flush=True); "
    )
    keeper += "sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", keeper], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    server = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
