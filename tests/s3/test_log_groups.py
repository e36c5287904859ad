"""CloudWatch Logs groups as sources, asked of a server that speaks their protocol."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from logminer import pipeline
from logminer.ingestion.progress import NoProgress
from logminer.sources import SourceReader, TimeSpan, cloudwatch

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import layout, packed, question, record
from .servers import KEYS, Bucket, Proxy

STREAM = "aws/bedrock/modelinvocations"


class Group:
    """One log group, written past the proxy."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        client.create_log_group(logGroupName=name)
        self.source = f"cloudwatch:{name}"

    def put(self, *messages: str, stream: str = STREAM, ago: timedelta = timedelta(0)) -> None:
        known = self._client.describe_log_streams(logGroupName=self.name)["logStreams"]
        if stream not in [each["logStreamName"] for each in known]:
            self._client.create_log_stream(logGroupName=self.name, logStreamName=stream)
        now = int((time.time() - ago.total_seconds()) * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        self._client.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=events)


@pytest.fixture
def group(proxy: Proxy, request: pytest.FixtureRequest) -> Any:
    name = "/bedrock/" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    client = boto3.client("logs", endpoint_url=proxy.endpoint, **KEYS)
    yield Group(client, name)
    client.close()


def message(request_id: str, *, ago: timedelta = timedelta(0), **parts: Any) -> str:
    """A record of just now, or of so long ago."""
    called = datetime.now(UTC) - ago
    return json.dumps({**record(request_id, **parts), "timestamp": f"{called:%Y-%m-%dT%H:%M:%SZ}"})


def test_a_group_is_read_and_read_on(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("a"), message("b"))
    facts = s3run.facts("ingest", group.source, "--store", "store")
    assert (facts["objects"]["new"], facts["records"]) == (2, 2)
    group.put(message("c"))
    facts = s3run.facts("ingest", group.source, "--store", "store")
    assert (facts["objects"]["new"], facts["objects"]["skipped"], facts["records"]) == (1, 2, 1)
    assert s3run.requests("store") == ["a", "b", "c"]


def test_a_group_without_events_changes_nothing(group: Group, s3run: BucketCommandLine) -> None:
    ran = s3run("ingest", group.source, "--store", "store")
    assert (ran.code, "events of Bedrock's stream" in ran.stderr) == (0, True)
    group.put(message("a"))
    version = s3run.facts("ingest", group.source, "--store", "store")["version"]
    assert s3run.facts("ingest", f"{group.source}:other", "--store", "store")["version"] == version > 0


def test_rows_name_their_event(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("a"))
    s3run.facts("ingest", group.source, "--store", "store")
    (row,) = s3run.rows("store", "source_uri", "source_position")
    quoted = group.name.replace("/", "%2F")
    begin = f"cloudwatch://123456789012/us-east-1/{quoted}/aws%2Fbedrock%2Fmodelinvocations#"
    assert row["source_uri"].startswith(begin)
    assert row["source_uri"].removeprefix(begin).isdigit()
    assert row["source_position"] == 0


def test_other_streams_only_where_they_are_named(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("a"))
    group.put(message("b"), stream="copies/1")
    s3run.facts("ingest", group.source, "--store", "store")
    assert s3run.requests("store") == ["a"]
    s3run.facts("ingest", f"{group.source}:copies/", "--store", "store")
    assert s3run.requests("store") == ["a", "b"]


def test_only_what_is_new_is_asked_for(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("old", ago=timedelta(days=5)), ago=timedelta(days=5))
    group.put(message("new"))
    s3run.facts("ingest", group.source, "--store", "store")
    group.put(message("late", ago=timedelta(days=5)), ago=timedelta(days=5))
    facts = s3run.facts("ingest", group.source, "--store", "store")
    assert (facts["objects"]["listed"], facts["records"]) == (1, 0)
    facts = s3run.facts("ingest", group.source, "--store", "store", "--full-scan")
    assert (facts["objects"]["listed"], facts["records"]) == (3, 1)
    assert s3run.requests("store") == ["late", "new", "old"]


def test_a_run_with_since_hides_nothing_from_the_next(group: Group, s3run: BucketCommandLine) -> None:
    for days in (9, 1):
        ago = timedelta(days=days)
        group.put(message(f"{days} days", ago=ago), ago=ago)
    s3run.facts("ingest", group.source, "--store", "store", "--since", "2d")
    assert s3run.requests("store") == ["1 days"]
    s3run.facts("ingest", group.source, "--store", "store")
    assert s3run.requests("store") == ["1 days", "9 days"]


def test_streams_that_were_not_read_are_read_from_their_beginning(
    group: Group, s3run: BucketCommandLine
) -> None:
    group.put(message("own"))
    group.put(message("copy", ago=timedelta(days=9)), stream="copies/1", ago=timedelta(days=9))
    s3run.facts("ingest", group.source, "--store", "store")
    s3run.facts("ingest", f"{group.source}:copies/", "--store", "store")
    assert s3run.requests("store") == ["copy", "own"]


class Stopping(NoProgress):
    """Asks an ingest to stop once so many records are read; counts the batches."""

    def __init__(self, records: int) -> None:
        self.stop = threading.Event()
        self.batches = 0
        self._left = records

    def begin(self, objects: int, size_bytes: int) -> None:
        self.batches += 1

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        self._left -= records
        if self._left <= 0:
            self.stop.set()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch, s3run: BucketCommandLine) -> None:
    """Ten events a batch, in this process, which gets the command line's access."""
    monkeypatch.setattr(cloudwatch, "_BATCH_EVENTS", 10)
    for name, text in s3run.environment({}).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, text)


def put_many(group: Group, count: int) -> None:
    """Events eight hours apart, numbered down to 1; the service takes none that are older than two weeks."""
    for number in range(count, 0, -1):
        ago = timedelta(hours=8 * number)
        group.put(message(f"{number:02}", ago=ago), ago=ago)


@pytest.mark.usefixtures("small_batches")
def test_a_stopped_run_is_taken_up_where_it_ended(group: Group, tmp_path: Path) -> None:
    put_many(group, 35)
    store = str(tmp_path / "store")
    progress = Stopping(24)
    report = pipeline.ingest(group.source, store=store, progress=progress, stop=progress.stop)
    assert (report.interrupted, report.tally.records, progress.batches) == (True, 24, 3)
    report = pipeline.ingest(group.source, store=store)
    # Two batches were whole, down to 16; three days before that, which are nine events, are asked for once more.
    assert (report.interrupted, report.skipped, report.tally.records) == (False, 14, 11)
    rows = [row["request_id"] for row in pipeline.select(store, columns=("request_id",))]
    assert sorted(rows) == [f"{number:02}" for number in range(1, 36)]


@pytest.mark.usefixtures("small_batches")
def test_only_one_batch_lies_on_disk(group: Group, tmp_path: Path) -> None:
    put_many(group, 15)
    (tmp_path / "spool").mkdir()
    source = cloudwatch.open_log_group(group.source, SourceReader())
    batches = source.events(TimeSpan(), str(tmp_path / "spool"), threading.Event())
    assert len(next(batches).logs) == 10
    assert len(list((tmp_path / "spool").iterdir())) == 10
    assert len(next(batches).logs) == 5
    assert next(batches, None) is None
    assert list((tmp_path / "spool").iterdir()) == []


def test_since_and_until(group: Group, s3run: BucketCommandLine) -> None:
    for days in (6, 4, 2):
        ago = timedelta(days=days)
        group.put(message(f"{days} days", ago=ago), ago=ago)
    s3run.facts("ingest", group.source, "--store", "store", "--since", "5d", "--until", "3d")
    assert s3run.requests("store") == ["4 days"]


def test_what_is_no_record_is_quarantined_once(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("a"), "START RequestId: 1", "{}")
    for found in (2, 0):
        facts = s3run.facts("ingest", group.source, "--store", "store")
        assert facts["quarantined"] == found
    assert s3run.requests("store") == ["a"]
    entries = s3run.facts("store", "quarantine", "--store", "store")
    assert sorted(entry["reason"] for entry in entries) == ["invalid_json", "not_a_record"]


def test_large_bodies_come_from_allowed_buckets(
    group: Group, bucket: Bucket, s3run: BucketCommandLine
) -> None:
    key = f"large/{layout()}data/a_input.json.gz"
    bucket.put(key, packed([question("a")]))
    path = bucket.uri(key)
    group.put(message("a", input_path=path))
    s3run.facts("ingest", group.source, "--store", "closed")
    (row,) = s3run.rows("closed", "status", "status_detail")
    assert row == {"status": "body_missing", "status_detail": "outside_source request"}
    settings = (
        f'[[sources]]\nuri = "{group.source}"\nregion = "us-east-1"\nbody_buckets = ["{bucket.name}"]\n'
    )
    (s3run.folder / "logminer.toml").write_text(settings)
    s3run.facts("ingest", "--store", "open")
    (row,) = s3run.rows("open", "status", "messages")
    assert row["status"] == "pair"
    assert row["messages"] == question("a")["messages"]


def test_no_such_group(s3run: BucketCommandLine) -> None:
    ran = s3run("ingest", "cloudwatch:/bedrock/missing", "--store", "store")
    assert ran.code == 3
    assert "there is no log group '/bedrock/missing'" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "source",
    ["cloudwatch:", "cloudwatch://group", "cloudwatch:arn:aws:logs:us-west-2:111122223333:log-group:g"],
)
def test_no_group_is_named(s3run: BucketCommandLine, source: str) -> None:
    ran = s3run("ingest", source, "--store", "store")
    assert (ran.code, "names no log group" in ran.stderr) == (2, True)


def test_no_permission(group: Group, s3run: BucketCommandLine) -> None:
    group.put(message("a"))
    s3run.proxy.start(Rule("access_denied", method="POST", path=r"^/$"))
    ran = s3run("ingest", group.source, "--store", "store")
    assert ran.code == 3, ran.stderr
    assert "logs:FilterLogEvents" in ran.stderr


def test_keys_that_nobody_knows(group: Group, s3run: BucketCommandLine) -> None:
    s3run.proxy.start(Rule("unknown_token", method="POST", path=r"^/$"))
    ran = s3run("ingest", group.source, "--store", "store")
    assert (ran.code, "expired or are not known" in ran.stderr) == (3, True), ran.stderr


def test_no_region(group: Group, s3run: BucketCommandLine) -> None:
    ran = s3run("ingest", group.source, "--store", "store", AWS_REGION="")
    assert (ran.code, "in which Region?" in ran.stderr) == (3, True)
