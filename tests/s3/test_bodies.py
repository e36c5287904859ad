"""Bodies that lie in objects of their own: fetched where that is allowed, and named where not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import answer, layout, object_name, packed, question, record
from .servers import Bucket, Proxy

BODIES = layout() + "data/"


@pytest.fixture
def told(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> Callable[..., dict[str, Any]]:
    """Ingests records, under rules; status, details and response of each, by request id."""

    def ingest(*records: dict[str, Any], rules: tuple[Rule, ...] = ()) -> dict[str, Any]:
        bucket.put(layout() + object_name(), packed(records))
        proxy.start(*rules)
        s3run.facts("ingest", bucket.uri(), "--store", "store")
        rows = s3run.rows("store", "request_id", "status", "status_detail", "response")
        return {row["request_id"]: (row["status"], row["status_detail"], row["response"]) for row in rows}

    return ingest


def test_bodies_of_every_make(bucket: Bucket, told: Callable[..., dict[str, Any]]) -> None:
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Here is stream."}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    bodies = {
        "gzip": gzip.compress(json.dumps(answer("gzip")).encode()),
        "plain": json.dumps(answer("plain")).encode(),
        "members": b"".join(
            gzip.compress(half)
            for half in (
                json.dumps(answer("members")).encode()[:20],
                json.dumps(answer("members")).encode()[20:],
            )
        ),
        "stream": gzip.compress(json.dumps(events).encode()),
    }
    records = [
        record(name, output_path=bucket.put(f"{BODIES}{name}_output.json.gz", body))
        for name, body in bodies.items()
    ]
    asked = bucket.put(f"{BODIES}both_input.json.gz", gzip.compress(json.dumps(question("both")).encode()))
    answered = bucket.put(f"{BODIES}both_output.json.gz", gzip.compress(json.dumps(answer("both")).encode()))
    records.append(record("both", input_path=asked, output_path=answered))
    found = told(*records)
    assert {name: outcome[0] for name, outcome in found.items()} == dict.fromkeys([*bodies, "both"], "pair")
    assert {name: outcome[2] for name, outcome in found.items()} == {
        name: f"Here is {name}." for name in [*bodies, "both"]
    }


def test_bodies_that_cannot_be_had(bucket: Bucket, proxy: Proxy, told: Callable[..., dict[str, Any]]) -> None:
    body = gzip.compress(json.dumps(answer("x")).encode())
    paths = {
        name: bucket.put(f"{BODIES}{name}_output.json.gz", body)
        for name in ("forbidden", "kms", "archived", "vanished")
    }
    paths["offloaded"] = bucket.uri(f"{BODIES}offloaded_output.json.gz")
    paths["glacier"] = bucket.put(f"{BODIES}glacier_output.json.gz", body, StorageClass="GLACIER")
    paths["foreign"] = "s3://somebody-elses-bucket/data/foreign_output.json.gz"
    paths["local"] = "file:///etc/passwd"
    paths["bucket"] = bucket.uri()
    paths["nonsense"] = "s3://"
    rules = (
        Rule("access_denied", path="/forbidden_"),
        Rule("kms_denied", path="/kms_"),
        Rule("archived", path="/archived_"),
        Rule("no_such_key", path="/vanished_"),
    )
    found = told(
        record("good"), *(record(name, output_path=path) for name, path in paths.items()), rules=rules
    )
    assert found["good"][0] == "pair"
    statuses = {name: outcome[0] for name, outcome in found.items() if name != "good"}
    assert statuses == dict.fromkeys(paths, "body_missing")
    details = {name: outcome[1] for name, outcome in found.items() if name != "good"}
    expected = {
        "forbidden": "forbidden",
        "kms": "forbidden",
        "archived": "archived",
        "glacier": "archived",
        "vanished": "offloaded",
        "offloaded": "offloaded",
        "foreign": "outside_source",
        "local": "outside_source",
        "bucket": "outside_source",
        "nonsense": "outside_source",
    }
    assert {name: _has(details[name], word) for name, word in expected.items()} == dict.fromkeys(
        expected, True
    ), details
    # Nothing outside of the bucket was even asked for.
    assert {request.bucket for request in proxy.log()} == {bucket.name}


def test_paths_that_try_to_lead_elsewhere(
    bucket: Bucket, proxy: Proxy, told: Callable[..., dict[str, Any]]
) -> None:
    keys = ["../other/data/x", "a/../../x", "a//x", "/x", "a/./x", "a\x00x", "\ud800", "%2e%2e/x", "x" * 2000]
    found = told(
        record("good"), *(record(str(number), output_path=bucket.uri(key)) for number, key in enumerate(keys))
    )
    assert found.pop("good")[0] == "pair"
    assert [outcome[0] for outcome in found.values()] == ["body_missing"] * len(keys)
    assert {request.bucket for request in proxy.log()} == {bucket.name}


def _has(details: Any, word: str) -> bool:
    words = details if isinstance(details, list) else str(details).replace(",", " ").split()
    return word in words


def test_a_body_that_two_records_name_and_one_that_is_no_json(
    bucket: Bucket, told: Callable[..., dict[str, Any]]
) -> None:
    shared = bucket.put(
        f"{BODIES}shared_output.json.gz", gzip.compress(json.dumps(answer("shared")).encode())
    )
    broken = bucket.put(f"{BODIES}broken_output.json.gz", gzip.compress(b'{"output": '))
    cut = bucket.put(f"{BODIES}cut_output.json.gz", gzip.compress(json.dumps(answer("cut")).encode())[:-12])
    found = told(
        record("shared", output_path=shared),
        record("again", output_path=shared),
        record("broken", output_path=broken),
        record("cut", output_path=cut),
    )
    assert found["shared"] == found["again"]
    assert found["shared"][2] == "Here is shared."
    assert "pair" not in (found["broken"][0], found["cut"][0])
