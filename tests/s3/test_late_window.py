"""From where a bucket is listed again: its last hour less a window, and whole wherever that could miss something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .conftest import BucketCommandLine
from .faults import Rule
from .logs import layout, object_name, packed, record
from .servers import Bucket, Proxy
from .test_sources import listed

DAYS = ["2026/05/20", "2026/05/28", "2026/06/01", "2026/06/04"]


def put(
    bucket: Bucket, hour: str, request: str, *, number: int = 0, region: str = "us-west-2", prefix: str = ""
) -> None:
    """One log object with one record, in its hour's folder."""
    key = prefix + layout(hour, region=region) + object_name(number, hour)
    bucket.put(key, packed([record(request, hour=hour)]))


@pytest.fixture
def read_once(bucket: Bucket, s3run: BucketCommandLine) -> Bucket:
    """A bucket with an object on each of some days, all of them in the store."""
    for day in DAYS:
        put(bucket, f"{day}/10", day)
    first = s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert (first["objects"]["new"], first["listed_from"]) == (len(DAYS), {})
    return bucket


def hours_listed(proxy: Proxy, region: str = "us-west-2") -> list[str]:
    """The hour folders that were listed."""
    start = layout("", region=region).rstrip("/") + "/"
    found = [prefix.removeprefix(start) for prefix in listed(proxy.log()) if prefix.startswith(start)]
    return [hour for hour in found if hour.count("/") == 3]


def test_only_the_last_hours_are_listed_again(
    read_once: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    proxy.start()
    ran = s3run("ingest", read_once.uri(), "--store", "store")
    assert ran.code == 0
    assert hours_listed(proxy) == ["2026/06/01/10", "2026/06/04/10"]
    region = read_once.uri(layout("").rstrip("/"))
    assert f"listed: {region} from 2026-06-01 10:00 UTC on\n" in ran.stderr
    assert "--full-scan" in ran.stderr


@pytest.mark.parametrize(
    ("options", "days"),
    [
        (("--late-window", "0d"), DAYS[3:]),
        (("--late-window", "1w"), DAYS[1:]),
        (("--full-scan",), DAYS),
        (("--full-scan", "--late-window", "1d"), DAYS),
        (("--since", "2026-05-21"), DAYS[1:]),
        (("--since", "2026-06-03"), DAYS[3:]),
        (("--until", "2026-06-02"), DAYS[2:3]),
        (("--reparse",), DAYS),
        (("--reread-changed",), DAYS),
        (("--retry-bodies",), DAYS),
    ],
)
def test_what_is_asked_for_counts(
    read_once: Bucket, s3run: BucketCommandLine, proxy: Proxy, options: tuple[str, ...], days: list[str]
) -> None:
    proxy.start()
    s3run.facts("ingest", read_once.uri(), "--store", "store", *options)
    assert hours_listed(proxy) == [f"{day}/10" for day in days]


def test_what_arrives_late_is_found_within_the_window_and_by_a_full_scan(
    read_once: Bucket, s3run: BucketCommandLine
) -> None:
    put(read_once, "2026/06/02/03", "late")
    put(read_once, "2026/05/30/03", "too late")
    assert s3run.facts("ingest", read_once.uri(), "--store", "store")["objects"]["new"] == 1
    assert s3run.facts("ingest", read_once.uri(), "--store", "store")["objects"]["new"] == 0
    assert s3run.facts("ingest", read_once.uri(), "--store", "store", "--full-scan")["objects"]["new"] == 1
    assert s3run.requests("store") == sorted([*DAYS, "late", "too late"])


def test_a_region_that_is_new_is_listed_whole(
    read_once: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    put(read_once, "2026/01/01/00", "elsewhere", region="eu-west-1")
    proxy.start()
    facts = s3run.facts("ingest", read_once.uri(), "--store", "store")
    assert facts["objects"]["new"] == 1
    assert facts["listed_from"] == {read_once.uri(layout("").rstrip("/")): "2026-06-01T10:00:00Z"}
    assert hours_listed(proxy, "eu-west-1") == ["2026/01/01/00"]


def test_a_part_of_a_region_is_listed_as_asked(
    read_once: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    put(read_once, "2026/05/01/00", "old")
    proxy.start()
    facts = s3run.facts("ingest", read_once.uri(layout("2026/05")), "--store", "store")
    assert (facts["objects"]["new"], facts["listed_from"]) == (1, {})


def test_a_span_of_time_leaves_no_gap_behind(bucket: Bucket, s3run: BucketCommandLine) -> None:
    """What was read of the newest hours alone says nothing of those before."""
    for day in DAYS:
        put(bucket, f"{day}/10", day)
    store = ("--store", "store")
    assert s3run.facts("ingest", bucket.uri(), *store, "--since", "2026-06-03")["objects"]["new"] == 1
    assert s3run.facts("ingest", bucket.uri(layout("2026/06")), *store)["objects"]["new"] == 1
    assert s3run.facts("ingest", bucket.uri(), *store, "--until", "2026-05-25")["objects"]["new"] == 1
    assert s3run.facts("ingest", bucket.uri(), *store)["objects"]["new"] == 1
    put(bucket, "2026/06/20/10", "gap")
    put(bucket, "2026/06/30/10", "newest")
    assert s3run.facts("ingest", bucket.uri(), *store, "--since", "2026-06-30")["objects"]["new"] == 1
    assert s3run.facts("ingest", bucket.uri(), *store)["objects"]["new"] == 1
    assert s3run.requests("store") == sorted([*DAYS, "gap", "newest"])


def test_an_object_that_could_not_be_read_is_looked_for_again(
    bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy
) -> None:
    for number, day in enumerate(DAYS):
        put(bucket, f"{day}/10", day, number=number)
    for fault, code in (("access_denied", 3), ("archived", 4)):
        proxy.start(Rule(fault, path=f"{DAYS[1]}/10/2026"))
        ran = s3run("ingest", bucket.uri(), "--store", "store")
        assert ran.code == code, ran.stderr
        assert s3run.requests("store") == [DAYS[0], *DAYS[2:]]
    proxy.start()
    s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert hours_listed(proxy) == [f"{day}/10" for day in DAYS[1:]]
    assert s3run.requests("store") == DAYS
    proxy.start()
    s3run.facts("ingest", bucket.uri(), "--store", "store")
    assert hours_listed(proxy) == [f"{day}/10" for day in DAYS[2:]]


def test_a_folder_from_the_future_hides_nothing(bucket: Bucket, s3run: BucketCommandLine) -> None:
    put(bucket, "2099/01/01/00", "future")
    s3run.facts("ingest", bucket.uri(), "--store", "store")
    hour = f"{datetime.now(UTC) - timedelta(days=1):%Y/%m/%d/%H}"
    put(bucket, hour, "yesterday")
    assert s3run.facts("ingest", bucket.uri(), "--store", "store")["objects"]["new"] == 1


def test_a_store_that_was_made_anew_is_filled_from_the_beginning(
    read_once: Bucket, s3run: BucketCommandLine, tmp_path: Path
) -> None:
    marks = (tmp_path / "store" / "sources" / "marks.json").read_bytes()
    (tmp_path / "store").rename(tmp_path / "old")
    s3run.facts("ingest", read_once.uri(layout(DAYS[3])), "--store", "store")
    (tmp_path / "store" / "sources").mkdir()
    (tmp_path / "store" / "sources" / "marks.json").write_bytes(marks)
    assert s3run.facts("ingest", read_once.uri(), "--store", "store")["objects"]["new"] == 3
    (tmp_path / "store" / "sources" / "marks.json").write_bytes(b"\xff no JSON")
    put(read_once, "2026/01/01/00", "old")
    assert s3run.facts("ingest", read_once.uri(), "--store", "store")["objects"]["new"] == 1


@pytest.mark.parametrize("window", ["3", "-1d", "soon", ""])
def test_windows_that_are_none(bucket: Bucket, s3run: BucketCommandLine, window: str) -> None:
    ran = s3run("ingest", bucket.uri(), "--store", "store", "--late-window", window)
    assert ran.code == 2
    assert "--late-window" in ran.stderr


def test_a_dry_run_of_a_bucket_says_what_it_costs(
    read_once: Bucket, s3run: BucketCommandLine, proxy: Proxy, tmp_path: Path
) -> None:
    put(read_once, "2026/06/04/11", "new")
    before = sorted(tmp_path.rglob("*"))
    proxy.start()
    plan = s3run.facts("ingest", read_once.uri(), "--store", "store", "--dry-run")
    log = proxy.log()
    assert plan["requests"] == {"list": len([each for each in log if each.is_listing]), "get": 1}
    assert [each.key for each in log if each.method != "GET" or each.key] == []
    assert plan["price"]["usd"] == round(plan["requests"]["list"] * 0.005e-3 + 0.0004e-3, 6)
    assert plan["objects"] | {"listed": 3, "new": 1, "skipped": 2} == plan["objects"]
    assert plan["bytes"]["to_read"] == len(packed([record("new", hour="2026/06/04/11")]))
    said = s3run("ingest", read_once.uri(), "--store", "store", "--dry-run")
    assert (said.code, said.stdout) == (0, "")
    assert "would read 1 log object " in said.stderr
    assert "S3 Standard in us-east-1" in said.stderr
    assert "estimate" in said.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_makes_no_store(bucket: Bucket, s3run: BucketCommandLine, proxy: Proxy) -> None:
    put(bucket, "2026/06/04/11", "new", prefix="logs/")
    plan = s3run.facts("ingest", bucket.uri("logs"), "--store", bucket.uri("store"), "--dry-run")
    assert plan["objects"]["new"] == 1
    assert bucket.keys("store") == []
    assert {request.method for request in proxy.log()} <= {"GET", "HEAD"}


def test_a_dry_run_cannot_tell_of_log_groups(s3run: BucketCommandLine) -> None:
    ran = s3run("ingest", "cloudwatch:/my/logs", "--store", "store", "--dry-run")
    assert (ran.code, "cloudwatch:/my/logs" in ran.stderr) == (2, True)
    assert not (s3run.folder / "store").exists()
