"""Bodies that lie in objects of their own: fetched where that is allowed, and named where not."""

from __future__ import annotations

import gzip
import json
import time
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


def test_objects_and_bodies_come_side_by_side(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    """One after the other, 20 answers that each take half a second would take ten."""
    folder = layout()
    for name in ("a", "b"):
        records = [
            record(f"{name}{number}", output_path=bucket.put(f"{BODIES}{name}{number}_output.json.gz", body))
            for number in range(10)
            for body in [gzip.compress(json.dumps(answer(f"{name}{number}")).encode())]
        ]
        bucket.put(f"bodies/{folder}{name}.json.gz", packed(records))
    for number in range(20):
        bucket.put(f"objects/{folder}{object_name(number)}", packed([record(f"object {number}")]))
    for source, path in (("bodies", "_output"), ("objects", "/10/2026")):
        proxy.start(Rule("late", path=path, ms=500))
        began = time.monotonic()
        s3run.facts("ingest", bucket.uri(source), "--store", source, "--workers", "1")
        assert proxy.faults()["late"] == 20
        assert time.monotonic() - began < 8
        assert {row["status"] for row in s3run.rows(source, "status")} == {"pair"}
    rows = s3run.rows("bodies", "request_id", "response")
    assert [row for row in rows if row["response"] != f"Here is {row['request_id']}."] == []
    assert len(rows) == 20


def test_a_body_that_is_large_comes_in_its_turn(bucket: Bucket, told: Callable[..., dict[str, Any]]) -> None:
    long = {
        **answer("long"),
        "output": {"message": {"role": "assistant", "content": [{"text": "x" * 6_000_000}]}},
    }
    path = bucket.put(f"{BODIES}long_output.json", json.dumps(long).encode())
    found = told(
        record("before"), record("long", output_path=path), *(record(str(number)) for number in range(300))
    )
    assert found["long"][0] == "pair"
    assert len(found["long"][2]) == 6_000_000
    assert len(found) == 302


def test_bodies_are_tried_again_and_nothing_else(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    body = gzip.compress(json.dumps(answer("x")).encode())
    names = ("forbidden", "archived", "late", "kms", "gone")
    paths = {name: f"{BODIES}{name}_output.json.gz" for name in names}
    for number, name in enumerate(names):
        if name not in ("late", "gone"):
            bucket.put(paths[name], body)
        values = [record(name, output_path=bucket.uri(paths[name])), record(f"beside {name}")]
        bucket.put(layout() + object_name(number), packed(values))
    bucket.put(layout() + object_name(9), packed([record("good"), {**record("off"), "output": {}}]))
    kinds = {"forbidden": "access_denied", "archived": "archived", "kms": "kms_disabled"}
    proxy.start(*(Rule(kind, path=f"/{name}_") for name, kind in kinds.items()))
    first = s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert first["by_status"] == {"pair": 6, "body_missing": 6}
    details = {row["request_id"]: row["status_detail"] for row in s3run.rows("store")}
    assert {name: details[name].split()[0] for name in names} == {
        "forbidden": "forbidden",
        "archived": "archived",
        "late": "offloaded",
        "kms": "forbidden",
        "gone": "offloaded",
    }
    bucket.put(paths["late"], body)
    proxy.start()
    again = s3run.facts("ingest", bucket.uri(), "--store", "store", "--retry-bodies")
    assert (again["objects"]["reread"], again["version"]) == (5, first["version"] + 1)
    statuses = {row["request_id"]: row["status"] for row in s3run.rows("store", "request_id", "status")}
    assert [name for name, status in statuses.items() if status != "pair"] == ["gone", "off"]
    assert len(statuses) == 12
    assert s3run.facts("ingest", bucket.uri(), "--store", "store", "--retry-bodies")["objects"]["reread"] == 1


def test_bodies_of_a_folder_are_tried_again(bucket: Bucket, s3run: BucketCommandLine) -> None:
    hour = s3run.folder / "logs" / layout()
    hour.mkdir(parents=True)
    values = [record("a", output_path=bucket.uri(f"{BODIES}a_output.json.gz")), record("b")]
    (hour / object_name()).write_bytes(packed(values))
    assert s3run.facts("ingest", "logs", "--store", "store")["by_status"] == {"pair": 1, "body_missing": 1}
    (hour / "data").mkdir()
    (hour / "data" / "a_output.json.gz").write_bytes(json.dumps(answer("a")).encode())
    assert s3run.facts("ingest", "logs", "--store", "store")["objects"]["new"] == 0
    facts = s3run.facts("ingest", "logs", "--store", "store", "--retry-bodies")
    assert (facts["by_status"], facts["objects"]["reread"]) == ({"pair": 2}, 1)
    assert [row["response"] for row in s3run.rows("store", "response")] == ["Here is a.", "Here is b."]
