"""The manifest and the sidecars beside a dataset: what it was made of, how, and which line came from which request.

`PATH.manifest.json` is written last, so where it is, the dataset is whole. It holds nothing that differs from run to
run: when an export ran stands in the store's register. `PATH.pairs.jsonl` has a line for each line of the dataset.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import msgspec

from logminer.datasets.funnel import Stage
from logminer.datasets.reading import Sources
from logminer.errors import UsageError
from logminer.exports.line_input import open_input
from logminer.redaction import ENTITY_KINDS, spacy_version
from logminer.s3.uris import is_s3
from logminer.store.storage import open_storage

MANIFEST_VERSION = 1
MANIFEST_ENDING = ".manifest.json"
SIDECAR_ENDING = ".pairs.jsonl"


class DatasetFile(msgspec.Struct, frozen=True):
    """One file of a dataset. `path` is relative to the manifest's folder where it lies in or below it.

    `role` is train, held_out, train_pairs, held_out_pairs or rejects. `lines` is None for files without lines.
    """

    role: str
    path: str
    sha256: str
    size_bytes: int
    lines: int | None = None


class Tokens(msgspec.Struct, frozen=True):
    """Logged tokens of all lines; `uncounted` are the lines that the log has no counts of."""

    input: int
    output: int
    uncounted: int


class InputFile(msgspec.Struct, frozen=True):
    """A file of the user's own that a dataset was made with."""

    sha256: str
    size_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset is.

    `counts` are lines by role, and `gold` and `rejects` where there are any. `inputs` are files that it was made with,
    and the store's secret for stand-ins, by digest alone. `redaction` is what was replaced, by kind and field. `digests` are SHA-256 of each set of pairs by
    role: of its file or, for a folder, of the list of its files.
    """

    format_version: int = MANIFEST_VERSION
    logminer_version: str
    engines: dict[str, str]
    store_version: int
    model: str | None
    selection: dict[str, Any]
    recipe: dict[str, Any]
    inputs: dict[str, InputFile]
    funnel: list[Stage]
    counts: dict[str, int]
    tokens: Tokens
    redaction: dict[str, Any] | None
    sources: Sources
    digests: dict[str, str]
    files: list[DatasetFile]

    def file(self, role: str) -> DatasetFile | None:
        """The file of a role, or the first one of it."""
        return next((each for each in self.files if each.role == role), None)


class PairLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a sidecar: where the dataset's line of that number (from 1 on) comes from.

    `line_hash` is BLAKE2b-128 of the line without its line feed or, in formats without lines, of the pair's texts.
    """

    line: int
    request_id: str | None
    source_uri: str
    source_position: int
    prompt_hash: str
    pair_hash: str | None
    line_hash: str
    turn: int | None = None

    @property
    def key(self) -> tuple[str, int, int | None]:
        """What identifies the line's origin for ever."""
        return self.source_uri, self.source_position, self.turn


def manifest_path(path: str) -> str:
    """The manifest of the dataset at `path`, which may be the manifest itself."""
    return path if path.endswith(MANIFEST_ENDING) else path + MANIFEST_ENDING


def sidecar_path(path: str) -> str:
    """The sidecar of a dataset's file."""
    return path + SIDECAR_ENDING


def relative_to(manifest: str, path: str) -> str:
    """How a manifest names a file: relative where both can be moved together."""
    folder = manifest.rpartition("/")[0] + "/"
    return path.removeprefix(folder)


def resolved(manifest: str, path: str) -> str:
    """The file that a manifest names. Raises UsageError where it names one that no manifest can."""
    if is_s3(path) or os.path.isabs(path):
        return path
    if ".." in path.split("/"):
        raise UsageError("the manifest names a file outside of its folder", where=manifest)
    folder = manifest.rpartition("/")[0]
    return f"{folder}/{path}" if folder or manifest.startswith("/") else path


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest; the same for the same dataset."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"


def read_manifest(path: str) -> Manifest:
    """The manifest of a dataset. Raises UsageError where there is none, or none that this version reads."""
    place = manifest_path(path)
    content = read_file(place)
    if content is None:
        raise UsageError(
            "there is no manifest",
            where=place,
            fix="Give the path that `logminer export` wrote to; without a manifest its dataset is not whole.",
        )
    try:
        version = msgspec.json.decode(content, type=dict[str, msgspec.Raw]).get("format_version", b"0")
        number = msgspec.json.decode(version, type=int)
        if number > MANIFEST_VERSION:
            raise UsageError(
                f"has format {number}; this logminer reads up to {MANIFEST_VERSION}",
                where=place,
                fix="Upgrade with: pip install --upgrade logminer",
            )
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"is no manifest: {error}", where=place, fix="Make the dataset again.") from error


def read_file(path: str) -> bytes | None:
    """The content of a small local file or S3 object; None where there is none."""
    folder, _, name = absolute(path).rpartition("/")
    return open_storage(folder or "/").read_bytes(name)


def open_file(path: str) -> AbstractContextManager[BinaryIO]:
    """A file of a dataset to read. Raises UsageError, ConfigurationError or StorageError."""
    return open_input(absolute(path), io.BytesIO())  # "-" is no absolute path, so nothing is read from stdin


def absolute(path: str) -> str:
    """The path or address without what depends on the working folder."""
    return path if is_s3(path) else os.path.abspath(path.removeprefix("file://"))


def engine_versions(recipe: Mapping[str, Any]) -> Mapping[str, str]:
    """What the bytes of a recipe's dataset depend on beside logminer itself."""
    import platform
    from importlib.metadata import version

    finds_names = not {*recipe.get("redact_kinds", ())}.isdisjoint(ENTITY_KINDS) or "redact_model" in recipe
    engines = {"python": platform.python_version()}
    engines |= {name: version(name) for name in ("duckdb", "deltalake", "msgspec")}
    return engines | ({"spacy": spacy_version()} if finds_names else {})
