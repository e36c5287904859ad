"""`ingest s3://...`: what is listed, what is fetched, and that it is the same as from a folder."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import SAMPLE_LOGS

from .conftest import BucketCommandLine, Ingested
from .faults import Request, Rule
from .logs import layout, object_name, packed, put_logs, record
from .servers import Bucket, Proxy

# What a row says of its object and of the run that read it, and not of the record.
OF_THE_SOURCE = ("source_uri", "source_etag", "ingest_id", "ingested_at")


def listed(log: list[Request]) -> list[str]:
    """The prefixes that were listed, without the slash at their ends, sorted; no request but such with a delimiter."""
    listings = [request for request in log if request.is_listing]
    assert {request.query.get("delimiter") for request in listings} <= {"/"}
    return sorted(request.query.get("prefix", "").rstrip("/") for request in listings)


def fetched(log: list[Request]) -> list[str]:
    """The keys that were fetched, sorted."""
    return sorted(request.key for request in log if request.method == "GET" and request.key)


def test_the_sample_logs_from_their_bucket_are_those_from_their_folder(
    from_bucket: Ingested, sample_store: Path, s3run: BucketCommandLine
) -> None:
    assert from_bucket.ran.code == 0, from_bucket.ran.stderr
    remote, local = s3run.rows(from_bucket.store), s3run.rows(str(sample_store))
    for row in remote:
        assert row["source_uri"].startswith("s3://example-bedrock-logs/AWSLogs/111122223333/")
    places = [{row["source_uri"].partition("AWSLogs/")[2] for row in rows} for rows in (remote, local)]
    assert places[0] == places[1]
    # Whose bucket a path leads to does not count in a local copy, where only the name is looked for.
    foreign = set(json.loads((SAMPLE_LOGS / "expected.json").read_text())["kinds"]["foreign_bucket"])
    for row in (*remote, *local):
        for name in OF_THE_SOURCE:
            del row[name]
    details = [
        {row.pop("status_detail") for row in rows if row["request_id"] in foreign} for rows in (remote, local)
    ]
    assert details == [{"outside_source request"}, {"offloaded request"}]
    assert remote == local
    assert len(remote) == 880


def test_what_an_ingest_says_of_a_bucket(from_bucket: Ingested) -> None:
    facts = json.loads(from_bucket.ran.stdout)
    assert facts["objects"] | {"listed": 33, "new": 33, "skipped": 0} == facts["objects"]
    assert (facts["records"], facts["quarantined"]) == (885, 2)
    assert facts["by_status"]["pair"] > 740


def test_offloaded_bodies_are_never_listed_and_each_object_is_fetched_once(
    from_bucket: Ingested, sample_bucket: Bucket
) -> None:
    keys = sample_bucket.keys()
    hours = {key.rpartition("/")[0] for key in keys if "/data/" not in key}
    folders = {""} | {"/".join(hour.split("/")[:depth]) for hour in hours for depth in range(1, 10)}
    assert listed(from_bucket.log) == sorted(folders & {*hours, *folders})
    counts = Counter(fetched(from_bucket.log))
    logs = [key for key in keys if key.endswith(".json.gz") and "/data/" not in key]
    assert {key: counts[key] for key in logs} == dict.fromkeys(logs, 1)
    assert not [key for key in counts if key.endswith("permission-check")]
    assert set(counts.values()) == {1}
    assert not [request for request in from_bucket.log if request.method not in ("GET", "HEAD")]
    # Everything else that is fetched is a body that a record names.
    others = counts.keys() - set(logs)
    assert {key.rpartition("/")[0].rpartition("/")[2] for key in others} == {"data"}


def test_a_second_ingest_fetches_nothing_and_adds_nothing(
    sample_bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    source = sample_bucket.uri("AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1")
    first = s3run.facts("ingest", source, "--store", "store")
    assert first["objects"]["new"] > 5
    proxy.start()
    again = s3run.facts("ingest", f"{source}/", "--store", "store")
    assert (again["objects"]["new"], again["records"]) == (0, 0)
    assert again["version"] == first["version"]
    assert fetched(proxy.log()) == []


def test_accounts_regions_and_names_of_all_kinds_below_one_prefix(
    bucket: Bucket, s3run: BucketCommandLine, tmp_path: Path
) -> None:
    prefix = "teams/a b/100%/c+d=e,f/ünï/us-east-1/"
    names = []
    for number, (account, region) in enumerate(
        [("111122223333", "us-west-2"), ("111122223333", "eu-central-1"), ("444455556666", "us-west-2")]
    ):
        folder = prefix + layout(account=account, region=region)
        names += [f"{folder}{object_name(number)}", f"{folder}ä {number}+%41&#.json.gz"]
    for number, name in enumerate(names):
        data = packed([record(f"{number}-{each}") for each in range(2)])
        bucket.put(name, data)
        path = tmp_path / "local" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    facts = s3run.facts("ingest", bucket.uri("teams/a b"), "--store", "remote")
    assert facts["objects"] | {"listed": 6, "new": 6} == facts["objects"]
    s3run.facts("ingest", "local/teams/a b", "--store", "local-store")
    columns = ("request_id", "status", "messages", "response", "pair_hash", "source_position")
    assert s3run.rows("remote", *columns) == s3run.rows("local-store", *columns)
    uris = {row["source_uri"] for row in s3run.rows("remote", "source_uri")}
    assert len(uris) == 6
    assert s3run.facts("ingest", bucket.uri(prefix), "--store", "remote")["objects"]["new"] == 0


def test_an_offloaded_body_below_a_prefix_of_all_kinds(bucket: Bucket, s3run: BucketCommandLine) -> None:
    requests = put_logs(bucket, "a b/100%41/c+d/ünï/", objects=1, records=4)
    s3run.facts("ingest", bucket.uri(), "--store", "store")
    rows = s3run.rows("store", "request_id", "status", "response")
    assert [(row["request_id"], row["status"]) for row in rows] == [(each, "pair") for each in requests]
    assert rows[3]["response"] == f"Here is {requests[3]}."


@pytest.mark.parametrize(
    ("source", "objects"),
    [
        (layout("2026/06/01/10").rstrip("/"), 2),
        (layout("2026/06/01/10"), 2),
        (layout("2026/06/01/10") + object_name(1, "2026/06/01/10"), 1),
        (layout("2026/06"), 4),
    ],
)
def test_a_source_can_be_any_part_of_the_layout(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, source: str, objects: int
) -> None:
    for hour in ("2026/06/01/10", "2026/06/02/11"):
        put_logs(bucket, "", objects=2, records=4, hour=hour)
    facts = s3run.facts("ingest", bucket.uri(source), "--store", "store")
    assert (facts["objects"]["listed"], facts["records"]) == (objects, objects * 4)
    assert not [prefix for prefix in listed(proxy.log()) if prefix.endswith("data")]


def test_a_bucket_without_the_layout_is_read_object_by_object(
    bucket: Bucket, s3run: BucketCommandLine
) -> None:
    bucket.put("mine/a.json.gz", packed([record("a")]))
    bucket.put("mine/deeper/b.jsonl", json.dumps(record("b")).encode())
    bucket.put("mine/readme.txt", b"not a log")
    bucket.put("mine/data/c_input.json.gz", packed([{"messages": []}]))
    bucket.put("mine/folder/", b"")
    facts = s3run.facts("ingest", bucket.uri("mine"), "--store", "store")
    assert (facts["objects"]["listed"], facts["objects"]["passed_over"]) == (2, 2)
    assert s3run.requests("store") == ["a", "b"]


def test_a_span_of_time_lists_only_the_folders_that_can_matter(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    hours = ["2025/12/31/23", "2026/05/31/23", "2026/06/01/08", "2026/06/01/09", "2026/06/01/10"]
    hours += ["2026/06/01/12", "2026/06/01/13", "2026/06/02/00", "2026/07/01/00"]
    for number, hour in enumerate(hours):
        bucket.put(layout(hour) + object_name(number, hour), packed([record(hour, hour=hour)]))
    span = ("--since", "2026-06-01T10:00:00Z", "--until", "2026-06-01T12:00:00Z")
    facts = s3run.facts("ingest", bucket.uri(), *span, "--store", "store")
    assert facts["objects"]["listed"] == 3
    assert s3run.requests("store") == ["2026/06/01/09", "2026/06/01/10", "2026/06/01/12"]
    region = layout("").rstrip("/")
    below = [
        prefix.removeprefix(f"{region}/") for prefix in listed(proxy.log()) if prefix.startswith(f"{region}/")
    ]
    assert below == ["2026", "2026/06", "2026/06/01", *(f"2026/06/01/{hour}" for hour in ("09", "10", "12"))]


def test_a_listing_that_comes_in_pages(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    hours = ["2026/06/01/10", "2026/06/01/11", "2026/06/01/12"]
    requests = [request for hour in hours for request in put_logs(bucket, "", 5, 1, hour)]
    proxy.start(Rule("small_pages"))
    facts = s3run.facts("ingest", bucket.uri(layout("2026/06/01")), "--store", "store")
    assert facts["objects"]["listed"] == 15
    assert s3run.requests("store") == sorted(requests)
    assert len(listed(proxy.log())) == 2 + 3 * 3


def test_an_object_that_changes(bucket: Bucket, s3run: BucketCommandLine) -> None:
    key = layout() + object_name()
    bucket.put(key, packed([record("old")]))
    s3run.facts("ingest", bucket.uri(), "--store", "store")
    bucket.put(key, packed([record("new"), record("newer")]))
    assert s3run.facts("ingest", bucket.uri(), "--store", "store")["objects"]["changed"] == 1
    assert s3run.requests("store") == ["old"]
    facts = s3run.facts("ingest", bucket.uri(), "--store", "store", "--reread-changed")
    assert (facts["objects"]["reread"], facts["objects"]["changed"]) == (1, 0)
    assert s3run.requests("store") == ["new", "newer"]


def test_objects_that_arrive_behind_the_newest_one(bucket: Bucket, s3run: BucketCommandLine) -> None:
    for hour in ("2026/06/03/10", "2026/06/01/10"):
        bucket.put(layout(hour) + object_name(0, hour), packed([record(hour, hour=hour)]))
        s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert s3run.requests("store") == ["2026/06/01/10", "2026/06/03/10"]


def test_several_sources_that_overlap(bucket: Bucket, s3run: BucketCommandLine, tmp_path: Path) -> None:
    put_logs(bucket, "", objects=2, records=2)
    (tmp_path / "more.json.gz").write_bytes(packed([record("local")]))
    sources = (bucket.uri(), bucket.uri("AWSLogs"), "more.json.gz")
    facts = s3run.facts("ingest", *sources, "--store", "store")
    assert (facts["objects"]["listed"], facts["records"]) == (3, 5)


def test_a_damaged_object_costs_only_itself(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put(layout() + object_name(0), packed([record("good")]))
    bucket.put(layout() + object_name(1), packed([record("cut")])[:-20])
    bucket.put(layout() + object_name(2), b"neither gzip nor JSON\n")
    facts = s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert (facts["objects"]["new"], facts["records"]) == (3, 1)
    assert facts["quarantined"] >= 2
    assert s3run.requests("store") == ["good"]


def test_a_prefix_with_nothing_below_it(bucket: Bucket, s3run: BucketCommandLine) -> None:
    bucket.put("elsewhere/a.json.gz", packed([record("a")]))
    ran = s3run("ingest", bucket.uri("nothing"), "--store", "store")
    assert ran.code == 2
    assert bucket.uri("nothing") in ran.stderr


@pytest.mark.parametrize("source", ["s3://", "s3:///key", "s3://Bad_Bucket!/x"])
def test_addresses_that_are_none(s3run: BucketCommandLine, source: str) -> None:
    ran = s3run("ingest", source, "--store", "store")
    assert ran.code == 2, ran.stderr
    assert source in ran.stderr


def test_ctrl_c_ends_a_long_listing_at_once(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy, tmp_path: Path
) -> None:
    """Nothing is read yet that could be committed. Each folder takes 0.4 s, and 16 are asked for at once."""
    for number in range(500):
        bucket.put(f"{layout(f'2026/06/{number // 24 + 1:02}/{number % 24:02}')}a.json.gz", b"x")
    proxy.start(Rule("late", method="GET", path="delimiter=", ms=400))
    process = s3run.start("ingest", bucket.uri(), "--store", "store")
    while len(listed(proxy.log())) < 40:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, b"", b"interrupted\n")
    assert len(listed(proxy.log())) < 250
    assert not (tmp_path / "store").exists()
