"""Small facts beside the table: the model ids that occur in it, and the exports that were made from it.

`models/` names every model id as logged, so that a teacher can be resolved without reading the table. It is
written before the commit it belongs to; an id too many does no harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from logminer.errors import StorageError
from logminer.json_text import encode_json
from logminer.store.storage import Storage

_T = TypeVar("_T")

MODELS_FOLDER = "models"
EXPORTS_FOLDER = "exports"
# With more files than this, adding to `models/` writes them together.
_MAX_MODEL_FILES = 16
_LOOKS = 20


class _ModelFile(msgspec.Struct):
    model_ids: list[str]


class ExportEntry(msgspec.Struct, frozen=True):
    """One export: what was written where, from which version and selection, and which requests are in it."""

    export_id: str
    exported_at: datetime
    format: str
    path: str
    sha256: str
    size_bytes: int
    lines: int
    store_version: int
    model: str | None
    selection: dict[str, Any]
    request_ids: list[str]


def read_model_ids(storage: Storage) -> set[str]:
    """Every model id, as logged, that may occur in the table."""
    return _model_ids(_read_folder(storage, MODELS_FOLDER, _ModelFile))


def _model_ids(files: dict[str, _ModelFile]) -> set[str]:
    return {model_id for file in files.values() for model_id in file.model_ids}


def add_model_ids(storage: Storage, model_ids: Iterable[str]) -> None:
    """Remember model ids; those known already change nothing."""
    files = _read_folder(storage, MODELS_FOLDER, _ModelFile)
    known = _model_ids(files)
    new = set(model_ids) - known
    if not new:
        return
    together = len(files) >= _MAX_MODEL_FILES
    content = _ModelFile(sorted(new | known if together else new))
    with storage.open_output(f"{MODELS_FOLDER}/{uuid.uuid4().hex}.json") as stream:
        stream.write(encode_json(content))
    if together:
        for name in files:
            storage.delete(name)


def add_export(storage: Storage, entry: ExportEntry) -> None:
    """Register an export."""
    with storage.open_output(f"{EXPORTS_FOLDER}/{entry.export_id}.json") as stream:
        stream.write(encode_json(entry))


def read_exports(storage: Storage) -> list[ExportEntry]:
    """All registered exports, oldest first."""
    entries = _read_folder(storage, EXPORTS_FOLDER, ExportEntry).values()
    return sorted(entries, key=lambda entry: (entry.exported_at, entry.export_id))


def _read_folder(storage: Storage, folder: str, kind: type[_T]) -> dict[str, _T]:
    """The files of a folder by name.

    One that vanishes before it is read was just written together with others into a new one: look again.
    """
    for _ in range(_LOOKS):
        names = [name for name in storage.list_names(folder) if name.endswith(".json")]
        contents = {name: storage.read_bytes(name) for name in names}
        present = {name: content for name, content in contents.items() if content is not None}
        if len(present) == len(names):
            return {name: _decode(storage, name, content, kind) for name, content in present.items()}
    raise StorageError("its files change all the time", where=storage.path(folder), fix="Run again later.")


def _decode(storage: Storage, name: str, content: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(
            f"the file is damaged: {error}",
            where=storage.path(name),
            fix="Restore it from a backup, or delete it.",
        ) from error
