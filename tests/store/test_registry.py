"""Model ids and exports beside the table: many writers, few files, and damage that is named."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from logminer.errors import StorageError
from logminer.store import registry
from logminer.store.registry import ExportEntry, add_export, add_model_ids, read_exports, read_model_ids
from logminer.store.storage import LocalStorage

from .ground import Ground, record

ADDER = """
import sys
from logminer.store.registry import add_model_ids, read_model_ids
from logminer.store.storage import open_storage
storage = open_storage(sys.argv[1])
for number in range(40):
    mine = {f"{sys.argv[2]}-{each}" for each in range(number + 1)}
    add_model_ids(storage, {f"{sys.argv[2]}-{number}", "shared"})
    assert mine <= read_model_ids(storage), number
"""


@pytest.fixture
def made(ground: Ground) -> Ground:
    ground.storage.prepare()
    return ground


def entry(export_id: str, minutes: int = 0) -> ExportEntry:
    return ExportEntry(
        export_id=export_id,
        exported_at=datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes),
        format="bedrock-conversation",
        path="train.jsonl",
        sha256="0" * 64,
        size_bytes=1,
        lines=1,
        store_version=1,
        model=None,
        selection={"status": "pair"},
        request_ids=["a", "é\0"],
    )


def test_model_ids_come_with_the_ingest(ground: Ground) -> None:
    ground.write("a", [record("1"), record("2", modelId="other:1\n\0é"), record("3", modelId=None)])
    ground.ingest()
    assert read_model_ids(ground.storage) == {"meta.llama3-1-405b-instruct-v1:0", "other:1\n\0é"}


def test_known_model_ids_change_nothing(made: Ground) -> None:
    add_model_ids(made.storage, ["a", "b"])
    names = made.storage.list_names("models")
    add_model_ids(made.storage, ["b"])
    add_model_ids(made.storage, [])
    assert made.storage.list_names("models") == names
    assert len(names) == 1


def test_few_files_however_often_ids_come(made: Ground) -> None:
    for number in range(100):
        add_model_ids(made.storage, [str(number)])
        assert len(made.storage.list_names("models")) <= registry._MAX_MODEL_FILES
    assert read_model_ids(made.storage) == {str(number) for number in range(100)}


def test_many_writers_lose_nothing(made: Ground) -> None:
    command = [sys.executable, "-W", "error", "-c", ADDER, str(made.store)]
    writers = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in "abc"]
    for writer in writers:
        _, stderr = writer.communicate(timeout=60)
        assert writer.returncode == 0, stderr.decode()
    expected = {f"{name}-{number}" for name in "abc" for number in range(40)}
    assert read_model_ids(made.storage) == {*expected, "shared"}


def test_a_folder_that_never_rests(made: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    add_model_ids(made.storage, ["a"])
    monkeypatch.setattr(LocalStorage, "read_bytes", lambda *_: None)
    with pytest.raises(StorageError, match="change all the time"):
        read_model_ids(made.storage)


def test_exports_come_back_oldest_first(made: Ground) -> None:
    entries = [entry("b", 2), entry("c", 1), entry("a", 2)]
    for each in entries:
        add_export(made.storage, each)
    assert read_exports(made.storage) == [entries[1], entries[2], entries[0]]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"model_ids": [1]}', b'{"model_ids": ["\xff"]}', b"\0"]
)
@pytest.mark.parametrize("folder", ["models", "exports"])
def test_a_damaged_file_is_named(made: Ground, folder: str, content: bytes) -> None:
    with made.storage.open_output(f"{folder}/broken.json") as stream:
        stream.write(content)
    read = read_model_ids if folder == "models" else read_exports
    with pytest.raises(StorageError, match="damaged") as caught:
        read(made.storage)
    assert "broken.json" in str(caught.value)


def test_a_file_that_failed_half_way_is_not_there(made: Ground) -> None:
    def fail() -> None:
        with made.storage.open_output("models/x.json") as stream:
            stream.write(b'{"model_ids": ["x"]}')
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list((made.store / "models").iterdir()) == []


def test_what_others_put_there_is_passed_over(made: Ground) -> None:
    add_model_ids(made.storage, ["a"])
    for name in (".DS_Store", "notes.txt", ".x.json.tmp"):
        (made.store / "models" / name).write_bytes(b"anything")
    assert read_model_ids(made.storage) == {"a"}
