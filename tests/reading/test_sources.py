"""What a source holds: which files are log objects, under which URIs, in which order."""

from __future__ import annotations

import io
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from logminer import pipeline
from logminer.errors import ConfigurationError, LogminerError, UsageError
from logminer.ingestion.progress import NoProgress
from logminer.sources import LogObject, file_uri, list_source, path_of_uri, spool_stdin
from logminer.sources.local import open_local

from .logs import HOUR, LOG_NAME, line, outcomes, read_source, record

LAYOUT = "AWSLogs/111122223333/BedrockModelInvocationLogs"


def put(folder: Path, *names: str | bytes, content: bytes = b"{}") -> None:
    for name in names:
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(content)


def names_in(source: Path | str, folder: Path, **times: datetime) -> list[str]:
    listing = list_source(str(source), **times)
    assert [log.uri for log in listing.objects] == sorted({log.uri for log in listing.objects})
    return [os.path.relpath(log.path, os.path.realpath(folder)) for log in listing.objects]


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "logs/",
        "team a/50%/us-east-1/",
        "us-east-1/AWSLogs/x/",
        "data/",
        "\u00fcber/",
        "BedrockModelInvocationLogs/",
    ],
)
def test_the_layout_is_found_below_any_prefix(prefix, tmp_path):
    log = f"{prefix}{HOUR}/{LOG_NAME}"
    put(
        tmp_path, log, f"{prefix}{HOUR}/data/x_input.json.gz", f"{prefix}{LAYOUT}/other.json.gz", "notes.json"
    )
    assert names_in(tmp_path, tmp_path) == [log]
    assert list_source(str(tmp_path)).other_files == 2


def test_any_folder_of_the_layout_is_a_source(tmp_path):
    log = f"{HOUR}/{LOG_NAME}"
    put(tmp_path, log, f"{HOUR}/data/x_input.json.gz")
    for parent in Path(log).parents:
        assert names_in(tmp_path / parent, tmp_path) == [log]
    assert names_in(tmp_path / HOUR / "data", tmp_path) == []


def test_in_the_layout_any_name_is_a_log_but_few(tmp_path):
    put(tmp_path, *(f"{HOUR}/{name}" for name in ("plain", "a.json", "b.gz", "c.parquet")))
    put(tmp_path, f"{HOUR}/amazon-bedrock-logs-permission-check", f"{HOUR}/.hidden", f"{HOUR}/deeper/a.json")
    put(tmp_path, f"{LAYOUT}/amazon-bedrock-logs-permission-check.json")
    assert names_in(tmp_path, tmp_path) == [
        f"{HOUR}/{name}" for name in ("a.json", "b.gz", "c.parquet", "plain")
    ]
    assert list_source(str(tmp_path)).other_files == 4


def test_empty_objects_are_passed_over_and_counted(tmp_path):
    put(tmp_path, f"{HOUR}/{LOG_NAME}")
    put(tmp_path, f"{HOUR}/empty.json.gz", content=b"")
    listing = list_source(str(tmp_path))
    assert (len(listing.objects), listing.empty_objects, listing.other_files) == (1, 1, 0)


def test_without_the_layout_files_are_read_by_their_endings(tmp_path):
    logs = [
        "a.json",
        "b.jsonl",
        "c.ndjson",
        "d.gz",
        "d.json.gz",
        "e.log",
        "in/some/folder/f.json",
        "data/g.json",
        "exportedlogs/1b2c/aws-bedrock-modelinvocations/000000.gz",
        "2026/03/14/09/bedrock-logs-1-2026-03-14-09-26-53-01234567-89ab-cdef-0123-456789abcdef",
    ]
    others = [
        "a.txt",
        "b.parquet",
        "README.md",
        ".hidden.json",
        "amazon-bedrock-logs-permission-check.json",
        "exportedlogs/aws-logs-write-test",
        "aws-logs-write-test.gz",
        "bedrock-logs-2026-03-14",
        "json",
    ]
    bodies = ["data/0f_input.json.gz", "data/0f_output.json", "in/data/0f_input_media_00.json"]
    put(tmp_path, *logs, *others, *bodies)
    assert names_in(tmp_path, tmp_path) == sorted(logs)
    assert list_source(str(tmp_path)).other_files == len(others) + len(bodies)


def test_a_folder_that_only_has_the_name_of_the_layout_is_read_by_endings(tmp_path):
    put(tmp_path, "BedrockModelInvocationLogs/a.json", "BedrockModelInvocationLogs/us-east-1/2026/a.json.gz")
    assert names_in(tmp_path, tmp_path) == [
        "BedrockModelInvocationLogs/a.json",
        "BedrockModelInvocationLogs/us-east-1/2026/a.json.gz",
    ]


@pytest.mark.parametrize(
    "name", ["log.txt", "no ending", "data", ".hidden", f"{HOUR}/x.bak", "a[b].json", "100%25.log"]
)
def test_a_single_file_of_any_name_is_read(name, tmp_path):
    put(tmp_path, name, content=line(record(1)))
    assert names_in(tmp_path / name, tmp_path) == [name]
    assert outcomes(read_source(tmp_path / name)) == ["request-1"]
    assert list_source(str(tmp_path / name)).objects == list_source(file_uri(str(tmp_path / name))).objects


def test_a_body_or_a_permission_check_is_no_log_even_if_it_is_named(tmp_path):
    put(tmp_path, f"{HOUR}/data/x.json.gz", f"{HOUR}/amazon-bedrock-logs-permission-check")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            listing = list_source(str(path))
            assert (listing.objects, listing.other_files) == ([], 1)


def test_globs_find_files_and_folders_each_object_once(tmp_path):
    put(
        tmp_path,
        f"a/{HOUR}/1.gz",
        f"a/{HOUR}/data/1_input.json.gz",
        f"b/{HOUR}/2.gz",
        "b/other.json",
        "c.json",
    )
    assert names_in(tmp_path / "*", tmp_path) == [f"a/{HOUR}/1.gz", f"b/{HOUR}/2.gz", "c.json"]
    assert names_in(tmp_path / "a" / HOUR / "*.gz", tmp_path) == [f"a/{HOUR}/1.gz"]
    everything = names_in(tmp_path / "a" / "**", tmp_path)
    assert everything == [f"a/{HOUR}/1.gz"]
    assert names_in(f"file://{tmp_path}/*.json", tmp_path) == ["c.json"]


def test_an_object_is_known_by_one_uri_however_it_was_named(tmp_path, monkeypatch):
    put(tmp_path, f"x y/{HOUR}/1.gz")
    (tmp_path / "link").symlink_to(tmp_path / "x y")
    monkeypatch.chdir(tmp_path / "x y")
    named = [
        ".",
        "",
        "AWSLogs",
        f"{HOUR}/1.gz",
        f"../x y/{HOUR}",
        str(tmp_path / "link"),
        f"AWS*/../{HOUR}/?.gz",
    ]
    uris = {log.uri for source in named if source for log in list_source(source).objects}
    assert uris == {f"file://{os.path.realpath(tmp_path)}/x%20y/{HOUR}/1.gz"}


# --- names --------------------------------------------------------------------------------------------------

ODD_NAMES: list[bytes] = [
    b"with space.json",
    b"100%.json",
    b"%41.json",
    "\u00fcmlaut \U0001f600.json".encode(),
    b"new\nline.json",
    b"tab\t.json",
    b"qu'o\"te.json",
    b"back\\slash.json",
    b"hash#query?.json",
    b"a=b&c;d+e,f@g:h~.json",
    b"[glob]*.json",
    b"invalid \xff\xfe.json",
    b"invalid %FF \xff.json",
    b"\xed\xa0\x80.json",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
@pytest.mark.parametrize("folder", [b"", os.fsencode(HOUR) + b"/", b"od\xffd d\xc3\xaer/"], ids=repr)
def test_odd_names_give_stable_uris_and_are_read(name, folder, tmp_path):
    put(tmp_path, folder + name, content=line(record(1)))
    (log,) = list_source(str(tmp_path)).objects
    assert log.uri.isascii()
    assert log.uri.isprintable()
    assert os.fsencode(log.path) == os.path.join(os.fsencode(os.path.realpath(tmp_path)), folder + name)
    assert list_source(log.path).objects[0].uri == log.uri
    assert list_source(log.uri).objects[0].uri == log.uri
    assert outcomes(read_source(tmp_path)) == ["request-1"]
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(log), type=LogObject)
    assert again == log


def test_different_names_give_different_uris(tmp_path):
    put(tmp_path, *ODD_NAMES)
    assert len({log.uri for log in list_source(str(tmp_path)).objects}) == len(ODD_NAMES)
    assert {os.fsencode(os.path.basename(log.path)) for log in list_source(str(tmp_path)).objects} == set(
        ODD_NAMES
    )


def test_uris_of_paths_lead_back():
    for path in ("/a b/c", "/%/%41", "/\udcff/\ud7ff", "/~x/=+,@:"):
        assert path_of_uri(file_uri(path)) == path


def test_the_etag_tells_of_a_change(tmp_path):
    put(tmp_path, "a.json", content=b"1")
    (first,) = list_source(str(tmp_path)).objects
    assert list_source(str(tmp_path)).objects == [first]
    put(tmp_path, "a.json", content=b"22")
    (second,) = list_source(str(tmp_path)).objects
    assert (second.uri, second.size_bytes) == (first.uri, 2)
    assert second.etag != first.etag


# --- links and other files ----------------------------------------------------------------------------------


def test_links_in_a_folder_are_not_followed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    put(outside, "secret.json", f"{HOUR}/secret.gz")
    put(inside, "a.json")
    (inside / "b.json").symlink_to(outside / "secret.json")
    (inside / "c.json").symlink_to(inside / "a.json")
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside)
    (inside / "nowhere.json").symlink_to(inside / "nothing")
    assert names_in(inside, inside) == ["a.json"]
    assert list_source(str(inside)).other_files == 5
    assert names_in(inside / "*", inside) == ["a.json"]


def test_links_in_the_layout_are_not_followed(tmp_path):
    put(tmp_path, f"in/{HOUR}/a.gz", "out/b.gz")
    (tmp_path / "in" / HOUR / "b.gz").symlink_to(tmp_path / "out" / "b.gz")
    assert names_in(tmp_path / "in", tmp_path / "in") == [f"{HOUR}/a.gz"]


def test_a_link_that_the_user_names_is_what_it_leads_to(tmp_path):
    put(tmp_path, "out/a.json")
    (tmp_path / "file").symlink_to(tmp_path / "out" / "a.json")
    (tmp_path / "folder").symlink_to(tmp_path / "out")
    assert names_in(tmp_path / "file", tmp_path) == ["out/a.json"]
    assert names_in(tmp_path / "folder", tmp_path) == ["out/a.json"]


def test_what_is_no_regular_file_is_passed_over(tmp_path, monkeypatch):
    put(tmp_path, "a.json")
    os.mkfifo(tmp_path / "pipe.json")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.json")
        assert names_in(tmp_path, tmp_path) == ["a.json"]
    assert list_source(str(tmp_path)).other_files == 2
    with pytest.raises(UsageError, match="no regular file"):
        list_source(str(tmp_path / "pipe.json"))


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["", "nothing", "no*thing", "a\0b", "https://x/y", "file://", "a.json/b"])
def test_a_source_that_is_not_there_is_a_usage_error(source, tmp_path, monkeypatch):
    put(tmp_path, "a.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        list_source(source)


def test_a_link_to_nothing_is_an_error(tmp_path):
    (tmp_path / "a.json").symlink_to(tmp_path / "nothing")
    with pytest.raises(LogminerError):
        list_source(str(tmp_path / "a.json"))


def deny(monkeypatch: pytest.MonkeyPatch, name: str, path: str) -> None:
    """Make the operating system refuse `path`, also to the superuser, who runs tests in containers."""
    module, function = (os, getattr(os, name)) if name != "open" else (__import__("builtins"), open)

    def refuse(target, *arguments, **options):
        if os.fspath(target) == path:
            raise PermissionError(13, "Permission denied", path)
        return function(target, *arguments, **options)

    monkeypatch.setattr(module, name, refuse)


def test_an_unreadable_folder_is_an_error_that_names_it(tmp_path, monkeypatch):
    put(tmp_path, "a.json", "closed/b.json")
    closed = os.path.realpath(tmp_path / "closed")
    deny(monkeypatch, "scandir", closed)
    with pytest.raises(ConfigurationError, match="no permission to list the folder") as raised:
        list_source(str(tmp_path))
    assert (raised.value.where, raised.value.exit_code) == (closed, 3)


def test_an_unreadable_file_is_an_error_that_names_it(tmp_path, monkeypatch):
    put(tmp_path, "a.json")
    (log,) = list_source(str(tmp_path)).objects
    deny(monkeypatch, "open", log.path)
    with pytest.raises(ConfigurationError, match="no permission to read") as raised:
        open_local(log)
    assert raised.value.where == log.uri


def test_a_file_that_vanished_is_an_error_that_names_it(tmp_path):
    put(tmp_path, "a.json")
    (log,) = list_source(str(tmp_path)).objects
    os.unlink(log.path)
    with pytest.raises(LogminerError, match="No such file") as raised:
        open_local(log)
    assert raised.value.exit_code == 4


def test_a_folder_that_vanishes_while_it_is_listed_holds_nothing(tmp_path, monkeypatch):
    put(tmp_path, "a.json", "gone/b.json")
    scandir = os.scandir

    def list_and_remove(path):
        entries = scandir(path)
        if os.path.realpath(path) == os.path.realpath(tmp_path):
            os.unlink(tmp_path / "gone" / "b.json")
            os.rmdir(tmp_path / "gone")
        return entries

    monkeypatch.setattr(os, "scandir", list_and_remove)
    assert names_in(tmp_path, tmp_path) == ["a.json"]


# --- time ---------------------------------------------------------------------------------------------------


def at(hour: float) -> datetime:
    return datetime(2026, 6, 3, tzinfo=UTC) + timedelta(hours=hour)


def hours(tmp_path: Path, **times: datetime) -> list[int]:
    return [int(name.split("/")[-2]) for name in names_in(tmp_path, tmp_path, **times)]


def test_hour_folders_are_pruned_with_an_hour_to_spare(tmp_path):
    put(tmp_path, *(f"{LAYOUT}/us-west-2/2026/06/03/{hour:02}/a.gz" for hour in range(24)))
    assert hours(tmp_path, since=at(10)) == list(range(9, 24))
    assert hours(tmp_path, since=at(10.01)) == list(range(9, 24))
    assert hours(tmp_path, since=at(9.99)) == list(range(8, 24))
    assert hours(tmp_path, until=at(10)) == list(range(11))
    assert hours(tmp_path, until=at(10.01)) == list(range(12))
    assert hours(tmp_path, since=at(10), until=at(11)) == [9, 10, 11]
    assert hours(tmp_path, since=at(30)) == []
    assert len(hours(tmp_path, since=at(-30), until=at(60))) == 24


def test_files_outside_of_hour_folders_are_never_pruned(tmp_path):
    put(tmp_path, "a.json")
    assert names_in(tmp_path, tmp_path, since=at(0), until=at(1)) == ["a.json"]


def test_impossible_hour_folders_are_never_pruned(tmp_path):
    put(tmp_path, f"{LAYOUT}/us-west-2/2026/13/03/08/a.gz")
    assert len(names_in(tmp_path, tmp_path, since=at(0), until=at(1))) == 1


# --- standard input -----------------------------------------------------------------------------------------


def test_standard_input_is_named_by_its_content(tmp_path):
    content = line(record(1))
    log = spool_stdin(io.BytesIO(content), str(tmp_path))
    assert log.uri.startswith("stdin:sha256:")
    assert spool_stdin(io.BytesIO(content), str(tmp_path)).uri == log.uri
    assert spool_stdin(io.BytesIO(content + b"\n"), str(tmp_path)).uri != log.uri
    assert os.stat(log.path).st_mode & 0o777 == 0o600
    with open_local(log) as stream:
        assert stream.read() == content


class StoppingAfter(NoProgress):
    """Asks an ingest to stop once so many objects are listed."""

    def __init__(self, objects: int) -> None:
        self.stop = threading.Event()
        self.found = 0
        self._enough = objects

    def listed(self, objects: int) -> None:
        self.found += objects
        if self.found >= self._enough:
            self.stop.set()


def test_a_listing_ends_once_it_is_asked_to(tmp_path):
    for hour in range(10):
        put(
            tmp_path / f"logs/{LAYOUT}/us-west-2/2026/06/01/{hour:02}",
            *(f"{number}.json" for number in range(5)),
        )
    progress = StoppingAfter(20)
    store = str(tmp_path / "store")
    report = pipeline.ingest(str(tmp_path / "logs"), store=store, progress=progress, stop=progress.stop)
    assert (report.interrupted, report.listed, progress.found) == (True, 0, 20)
    assert not (tmp_path / "store").exists()

    whole = StoppingAfter(1_000)
    report = pipeline.ingest(str(tmp_path / "logs"), store=store, progress=whole, stop=whole.stop)
    assert (report.interrupted, report.listed, whole.found) == (False, 50, 50)
