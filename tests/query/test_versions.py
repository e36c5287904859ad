"""Old versions of a store, and stores with files that are gone."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from logminer import pipeline
from logminer.errors import StorageError, UsageError

from .logs import ids, make_store, record


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Seven ingests: one small file each, which the last one writes together."""
    return make_store(tmp_path, *([record(f"{number}", prompt=f"{number}")] for number in range(7)))


def versions(store: str) -> list[int]:
    return [commit.version for commit in pipeline.store_history(store)]


def test_a_version_reads_the_old_state(store: str) -> None:
    found = {version: ids(store, version=version) for version in versions(store)}
    assert found[0] == []
    assert [len(found[version]) for version in sorted(found)] == sorted(len(each) for each in found.values())
    assert set(map(len, found.values())) == set(range(8))
    assert pipeline.stats(store, version=0).rows == 0
    assert ids(store, version=versions(store)[0]) == ids(store)


def vacuum(store: str) -> list[str]:
    time.sleep(0.01)  # files as old as the vacuum itself stay
    return DeltaTable(f"{store}/invocations").vacuum(0, dry_run=False, enforce_retention_duration=False)


def test_a_version_whose_files_were_vacuumed_says_which_is_the_oldest_one_left(store: str) -> None:
    newest = versions(store)[0]
    assert vacuum(store) != []
    said = (
        r"version 1 can no longer be read: \d+ of its files are gone; the last vacuum was at "
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n.*--version " + f"{newest}"
    )
    assert len(ids(store)) == len(ids(store, version=newest)) == 7
    with pytest.raises(UsageError) as caught:
        ids(store, version=first_with_files(store))
    message = str(caught.value)
    assert re.search(said.replace("version 1", f"version {first_with_files(store)}"), message)


def first_with_files(store: str) -> int:
    """The oldest version that has a file."""
    return min(v for v in versions(store) if DeltaTable(f"{store}/invocations", version=v).file_uris())


def test_a_version_that_is_not_there(store: str) -> None:
    with pytest.raises(UsageError, match="the store has no version 99; its newest is"):
        ids(store, version=99)


ASKS: list[Any] = [
    lambda store: ids(store),
    lambda store: pipeline.count(store, filter="project=A"),
    lambda store: pipeline.count(store, where="turns = 1"),
    lambda store: pipeline.stats(store),
    lambda store: pipeline.keys(store),
    lambda store: pipeline.explain("1", store),
    lambda store: pipeline.export(f"{store}/../train.jsonl", store, allow_few=True),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("damage", ["gone", "cut", "garbage", "empty"])
def test_a_file_that_is_gone_or_damaged_is_named(tmp_path: Path, ask: Any, damage: str) -> None:
    store = make_store(tmp_path, [record("1"), record("2", prompt="2")])
    (path,) = Path(store).glob("invocations/date=*/*.parquet")
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": content[:-100], "garbage": b"\0" * len(content), "empty": b""}[damage])
    with pytest.raises(StorageError) as caught:
        ask(store)
    assert path.name in str(caught.value)
    assert "--version N" in str(caught.value)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["logs", "store"]


def test_no_store(tmp_path: Path) -> None:
    for ask in ASKS:
        with pytest.raises(UsageError, match="there is no store here"):
            ask(str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="there is no store here"):
        pipeline.quarantine(str(tmp_path / "nothing"))


def test_a_store_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    store = make_store(tmp_path, [record("1")])
    for name in ("it's", 'quo"te', "status=x", "a b", "é"):
        moved = shutil.copytree(store, tmp_path / name / "store")
        assert ids(str(moved), where="status = 'pair'") == ["1"]
        assert pipeline.keys(str(moved)).untagged == 1
