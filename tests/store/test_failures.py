"""Full disks, closed folders, damaged files: a clear error with the right exit code, and nothing half committed."""

from __future__ import annotations

import os
import random
import resource
import shutil
from pathlib import Path

import pytest

from logminer.errors import ConfigurationError, LogminerError, StorageError, StoreChangedError, UsageError
from logminer.ingestion import driver
from logminer.store.rows import DataFileWriter
from logminer.store.storage import open_storage
from logminer.store.table import INGEST, DataFile, create_table, open_table

from .ground import (
    Ground,
    check_invariants,
    committed,
    finish,
    orphans,
    record,
    wait_until,
    without_privileges,
)


def assert_clear(stderr: str, *words: str) -> None:
    assert "Traceback" not in stderr
    assert stderr.startswith("error: ") or "\nerror: " in stderr
    for word in words:
        assert word in stderr


@pytest.fixture
def two_commits(ground: Ground) -> Ground:
    """A store with two objects, and a third one to be read."""
    for name in "ab":
        ground.write(name, [record(name)])
        ground.ingest()
    noise = random.Random(1)
    texts = ["".join(noise.choices("abcdefghijklmnopqrstuvwxyz ", k=400)) for _ in range(800)]
    ground.write(
        "c", [record(f"c{number}", {"new": "key"}, region=text) for number, text in enumerate(texts)]
    )
    return ground


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk(two_commits: Ground, workers: int) -> None:
    """No file may grow beyond 64 KiB, which the system reports like a full disk."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    before = two_commits.content()
    code, _, stderr = finish(two_commits.start(workers=workers, preexec_fn=limited))
    assert code == 4
    assert_clear(stderr, "File too large", "nothing is half done")
    assert two_commits.content() == before
    assert not orphans(two_commits)
    assert finish(two_commits.start())[0] == 0
    check_invariants(two_commits)
    assert len(two_commits.requests()) == 802


def test_no_room_for_the_table_itself(ground: Ground) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    ground.write("a", [record("1")])
    code, _, stderr = finish(ground.start(preexec_fn=limited))
    assert code == 4
    assert_clear(stderr, "File too large")
    assert finish(ground.start())[0] == 0
    assert ground.requests() == ["1"]


def test_a_full_disk_at_the_commit(two_commits: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltalake import DeltaTable

    def full(*arguments: object, **options: object) -> None:
        raise OSError(
            "Generic LocalFileSystem error\n  \x1b[31m↳\x1b[0m Unable to copy\n  No space (os error 28)\n"
        )

    before = two_commits.content()
    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "create_write_transaction", full)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            two_commits.ingest()
    assert "\x1b" not in str(caught.value)
    assert two_commits.content() == before
    assert not orphans(two_commits)
    two_commits.ingest()
    assert len(two_commits.requests()) == 802


def test_a_file_that_cannot_be_finished(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last bytes of a file, its footer, find no room; the first of two files is whole by then."""
    finish_one = DataFileWriter.finish

    def full(writer: DataFileWriter) -> DataFile:
        monkeypatch.setattr(DataFileWriter, "finish", fails)
        return finish_one(writer)

    def fails(writer: DataFileWriter) -> DataFile:
        raise StorageError("No space left on device")

    ground.write("a", [record("1"), record("2", timestamp="2026-06-02T00:00:00Z")])
    monkeypatch.setattr(DataFileWriter, "finish", full)
    with pytest.raises(StorageError):
        ground.ingest()
    assert not list(ground.store.glob("invocations/date=*/*"))


@pytest.mark.parametrize("closed", ["invocations/_delta_log", "invocations", "."])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_store_that_cannot_be_written(two_commits: Ground, closed: str, workers: int) -> None:
    folder = two_commits.store / closed
    before = two_commits.content()
    folder.chmod(0o500)
    if closed == "invocations":
        two_commits.write("d", [record("d", timestamp="2026-07-01T00:00:00Z")])
    if closed == ".":
        two_commits.write("d", [b"broken"])
    try:
        code, _, stderr = finish(two_commits.start(workers=workers, preexec_fn=without_privileges))
    finally:
        folder.chmod(0o700)
    assert code == 3, stderr
    assert_clear(stderr, "no permission")
    assert two_commits.content() == before
    assert finish(two_commits.start())[0] == 0
    check_invariants(two_commits)


def test_a_store_that_cannot_be_read(two_commits: Ground) -> None:
    folder = two_commits.store / "invocations" / "_delta_log"
    folder.chmod(0)
    try:
        code, _, stderr = finish(two_commits.start(preexec_fn=without_privileges))
    finally:
        folder.chmod(0o700)
    assert code == 3, stderr
    assert_clear(stderr, "no permission")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_log_object_that_cannot_be_read(ground: Ground, workers: int) -> None:
    for number in range(6):
        ground.write(str(number), [record(str(number))])
    (ground.logs / "3.json.gz").chmod(0)
    code, _, stderr = finish(ground.start(workers=workers, preexec_fn=without_privileges))
    assert code == 3, stderr
    assert_clear(stderr, "1 log object could not be opened")
    assert ground.requests() == ["0", "1", "2", "4", "5"]
    (ground.logs / "3.json.gz").chmod(0o600)
    assert finish(ground.start(workers=workers))[0] == 0
    assert len(ground.requests()) == 6
    check_invariants(ground)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_store_that_is_deleted_in_the_middle(ground: Ground, many_logs: Path, workers: int) -> None:
    process = ground.start(many_logs, workers=workers)
    wait_until(lambda: committed(ground) >= 3, "two commits")
    ground.store.rename(ground.folder / "away")
    code, _, stderr = finish(process)
    assert code == 4, stderr
    assert_clear(stderr)
    assert not ground.store.exists()
    shutil.move(ground.folder / "away", ground.store)
    check_invariants(ground)
    assert finish(ground.start(many_logs, round_objects=40))[0] == 0
    check_invariants(ground)
    assert len(ground.positions()) == 2000


def test_a_store_that_is_made_anew_in_the_middle(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.write("a", [record("1")])
    harvest_done = driver.commit_files

    def deleted(*arguments: object, **options: object) -> set[str]:
        shutil.rmtree(ground.store)
        create_table(ground.storage, ())
        return harvest_done(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(driver, "commit_files", deleted)
    with pytest.raises(LogminerError) as caught:
        ground.ingest()
    assert caught.value.exit_code == 4
    assert ground.positions() == []


def test_a_handle_notices_that_its_table_is_gone(ground: Ground) -> None:
    create_table(ground.storage, ())
    table = open_table(ground.storage)
    shutil.rmtree(ground.store)
    with pytest.raises(StorageError, match="gone"):
        table.refresh()
    with pytest.raises(StorageError, match="gone"):
        table.commit(INGEST, about={})
    assert not ground.store.exists()


def test_a_handle_notices_another_table(ground: Ground) -> None:
    create_table(ground.storage, ())
    table = open_table(ground.storage)
    shutil.rmtree(ground.store)
    create_table(ground.storage, ())
    with pytest.raises(StoreChangedError, match="made anew"):
        table.refresh()


def test_a_file_of_the_store_that_is_missing(two_commits: Ground) -> None:
    path = two_commits.store / "invocations" / two_commits.snapshot().files[0].name
    path.unlink()
    with pytest.raises(StorageError, match="cannot read the store"):
        two_commits.ingest()


def test_a_file_of_the_store_that_is_damaged(two_commits: Ground) -> None:
    path = two_commits.store / "invocations" / two_commits.snapshot().files[0].name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StorageError, match="cannot read the store"):
        two_commits.ingest()


@pytest.mark.parametrize("content", [b"{", b"no json", b'{"add": {"path": 1}}', b"\0" * 30])
def test_a_damaged_log_of_the_table(two_commits: Ground, content: bytes) -> None:
    (two_commits.store / "invocations" / "_delta_log" / f"{2:020}.json").write_bytes(content)
    with pytest.raises(StorageError, match="cannot open the store") as caught:
        two_commits.ingest()
    assert len(str(caught.value).splitlines()) == 2


def test_a_folder_that_is_no_store(ground: Ground) -> None:
    with pytest.raises(UsageError, match="no store here"):
        open_table(open_storage(str(ground.folder)))
    ground.store.write_bytes(b"a file")
    ground.write("a", [record("1")])
    with pytest.raises(StorageError, match=r"Not a directory|File exists"):
        ground.ingest()


def test_a_table_of_somebody_else(ground: Ground) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(str(ground.store / "invocations"), pa.table({"a": [1]}))
    ground.write("a", [record("1")])
    with pytest.raises(UsageError, match="not made by logminer"):
        ground.ingest()


def test_a_store_of_a_newer_format(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from logminer.store import table

    with monkeypatch.context() as patch:
        patch.setattr(table, "_PROPERTIES", {**table._PROPERTIES, "logminer.formatVersion": "99"})
        create_table(ground.storage, ())
    with pytest.raises(StoreChangedError, match="format 99") as caught:
        open_table(ground.storage)
    assert "pip install --upgrade" in str(caught.value)


@pytest.mark.parametrize("name", ["a*b", "a?b", "[a]", "{a}", "a%20b", "a\\b", "a\nb", "a\x7fb"])
def test_store_folders_that_would_be_misread(ground: Ground, name: str) -> None:
    with pytest.raises(UsageError, match="cannot hold"):
        open_storage(str(ground.folder / name))


@pytest.mark.parametrize("uri", ["", "file://", "ftp://host/folder", "https://example.com"])
def test_places_that_are_no_folder(uri: str) -> None:
    with pytest.raises(UsageError):
        open_storage(uri)


@pytest.mark.parametrize(
    "name", ["a b#c", "ü & é", "date=2024-01-01", "it's", 'a"b', "a;b,c", "😀", "~x", "status=pair"]
)
def test_store_folders_with_odd_names(ground: Ground, name: str) -> None:
    odd = Ground(ground.folder / name)
    odd.write("a", [record("1", {"k": "v"}), b"broken"])
    for _ in range(2):
        odd.ingest()
    assert odd.selected("request_id", "status", "date")[0]["status"] == "pair"
    assert odd.requests(filter="k=v", where="status = 'pair'") == ["1"]
    check_invariants(odd)


def test_no_permission_is_told_from_failure() -> None:
    from logminer.store.storage import storage_error

    kinds = {
        number: type(storage_error(OSError(number, os.strerror(number)), "x"))
        for number in (1, 13, 30, 28, 5)
    }
    assert kinds == {
        1: ConfigurationError,
        13: ConfigurationError,
        30: ConfigurationError,
        28: StorageError,
        5: StorageError,
    }
