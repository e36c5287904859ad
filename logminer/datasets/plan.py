"""What is asked of an export, and what it tells: the values that its stages share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from logminer.datasets.funnel import Stage
from logminer.datasets.manifest import MANIFEST_ENDING, Manifest, sidecar_path
from logminer.datasets.outputs import check_place
from logminer.datasets.settings import DatasetSettings
from logminer.datasets.user_files import UserFile
from logminer.exports.format import ExportFormat
from logminer.outputs import check_output
from logminer.pairs import PromptResponsePair
from logminer.query.selection import Selection
from logminer.redaction import RedactionReport
from logminer.store.registry import ExportEntry
from logminer.store.storage import Storage

TRAIN, HELD_OUT = "train", "held_out"
"""The roles of files with pairs."""


@dataclass(frozen=True)
class DatasetPlan:
    """What is to be written, and where. `rejects` is the path for a list of the pairs that are in no file.

    `inputs` are the files that the settings name, by option. Where a `manifest` is given, files are to be as it says:
    with other digests nothing is written.
    """

    selection: Selection
    settings: DatasetSettings
    path: str
    held_out_path: str | None = None
    rejects: str | None = None
    inputs: Mapping[str, UserFile] = field(default_factory=dict)
    manifest: Manifest | None = None


@dataclass(frozen=True)
class Places:
    """Where files go, as `check_output` gives it; what is not written has no place."""

    train: str
    manifest: str
    held_out: str | None
    rejects: str | None


def check_places(plan: DatasetPlan, storage: Storage) -> Places:
    """All places, checked before any work is done for them. Raises UsageError, ConfigurationError."""
    settings = plan.settings
    train = check_place(settings.format, plan.path, storage)
    held_out = None
    if settings.held_out is not None:
        form = settings.held_out_format or settings.format
        held_out = check_place(form, plan.held_out_path or beside(train, form), storage)
    places = Places(
        train=train,
        manifest=train + MANIFEST_ENDING,
        held_out=held_out,
        rejects=check_output(plan.rejects, storage) if plan.rejects is not None else None,
    )
    for path in (places.manifest, sidecar_path(train), *([sidecar_path(held_out)] if held_out else [])):
        check_output(path, storage)
    return places


def beside(train: str, form: ExportFormat) -> str:
    """Where the held-out file goes unless it is said: `train.held-out.jsonl` for `train.jsonl`."""
    folder, slash, name = train.rpartition("/")
    stem = os.path.splitext(name)[0]
    return f"{folder}{slash}{stem}.held-out{form.ending.removesuffix('/')}"


@dataclass(frozen=True)
class Part:
    """The pairs of one file."""

    role: str
    format: ExportFormat
    pairs: Iterable[PromptResponsePair]


@dataclass(frozen=True)
class ExportReport:
    """What was written, what was left out, and what the file is for.

    `model` is None for prompts of no particular teacher. `multi_turn` counts conversations that the teacher does
    not take, `duplicates` records that say the same as one that is written, `over_max` those that `max_lines`
    cut off. `lacking` is as in `Count`, of all pairs or prompts of the selection. `other_routes` are those that
    the file does not fit, and why. `manifest` and `rejects_path` are paths; `rejects` counts the lines of that list.
    `is_plain` says that no text was looked at.
    """

    entry: ExportEntry
    model: str | None
    prompts_only: bool
    input_tokens: int
    output_tokens: int
    multi_turn: int
    duplicates: int
    over_max: int
    lacking: dict[str, int]
    routes: tuple[str, ...]
    other_routes: tuple[str, ...]
    warnings: tuple[str, ...]
    manifest: str
    funnel: tuple[Stage, ...]
    held_out: ExportEntry | None
    rejects: int | None
    rejects_path: str | None
    profile: str | None
    redaction: RedactionReport | None
    is_plain: bool
