"""An export that fails leaves nothing behind: no file, no temporary file, no entry in the register."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from query.logs import make_store, record

from logminer import pipeline
from logminer.datasets import writing
from logminer.datasets.building import build_dataset
from logminer.datasets.plan import DatasetPlan
from logminer.datasets.settings import DatasetSettings
from logminer.errors import StorageError, UsageError
from logminer.exports.format import ExportFormat
from logminer.pairs import PromptResponsePair


@pytest.fixture
def store(tmp_path: Path) -> str:
    return make_store(tmp_path, [record("a"), record("b", prompt="b")])


def left_behind(tmp_path: Path) -> set[str]:
    """All files but the store's table and the logs, hidden ones too."""
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith(("logs/", "store/invocations/", "store/models/"))}


def fail_at_the_second(error: BaseException) -> Callable[[PromptResponsePair], bytes]:
    lines = iter([b"first line\n"])

    def write_line(pair: PromptResponsePair) -> bytes:
        for line in lines:
            return line
        raise error

    return write_line


DISK_FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "raised"), [(DISK_FULL, StorageError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
@pytest.mark.parametrize("old", [None, b"an older export"])
def test_writing_fails(
    tmp_path: Path, store: str, error: BaseException, raised: type[BaseException], old: bytes | None
) -> None:
    path = tmp_path / "train.jsonl"
    if old is not None:
        path.write_bytes(old)
    before = left_behind(tmp_path)
    broken = ExportFormat("broken", "", "", write_line=fail_at_the_second(error))
    settings = DatasetSettings(format=broken, allow_few=True)
    plan = DatasetPlan(pipeline.make_selection(), settings, str(path))
    with pipeline.open_view(store, None, None) as view, pytest.raises(raised):
        build_dataset(view, plan)
    assert left_behind(tmp_path) == before
    assert (path.read_bytes() if old is not None else None) == old


@pytest.mark.parametrize("step", ["register", "rename"])
def test_the_end_fails(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"an older export")
    before = left_behind(tmp_path)

    def fail(*arguments: Any) -> None:
        raise DISK_FULL

    if step == "register":
        monkeypatch.setattr(writing, "add_export", fail)
    else:
        replace = os.replace
        monkeypatch.setattr(
            os, "replace", lambda old, new: fail() if str(new) == str(path) else replace(old, new)
        )
    with pytest.raises(StorageError, match="No space left"):
        pipeline.export(str(path), store, allow_few=True)
    assert left_behind(tmp_path) == before
    assert path.read_bytes() == b"an older export"


@pytest.mark.parametrize(
    "name", ["", "train.jsonl/", "logs", "-", "gs://bucket/train.jsonl", "a\0b", "store/x.jsonl"]
)
def test_places_where_no_export_can_be(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        pipeline.export(name, store, allow_few=True)
    assert left_behind(tmp_path) == set()


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path, store: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="no regular file"):
        pipeline.export(str(pipe), store, allow_few=True)
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["file/train.jsonl", "missing/train.jsonl"])
def test_a_folder_that_is_not_there(tmp_path: Path, store: str, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the folder does not exist"):
        pipeline.export(str(tmp_path / name), store, allow_few=True)
    assert left_behind(tmp_path) == {"file"}


def test_a_local_uri_is_a_path(tmp_path: Path, store: str) -> None:
    report = pipeline.export(f"file://{tmp_path}/train.jsonl", store, allow_few=True)
    assert report.entry.path == str(tmp_path / "train.jsonl")
    assert (tmp_path / "train.jsonl").exists()
