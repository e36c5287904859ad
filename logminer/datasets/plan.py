"""What is asked of an export, and what it tells: the values that its stages share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from logminer.datasets.funnel import Stage
from logminer.datasets.manifest import MANIFEST_ENDING, Manifest, absolute, sidecar_path
from logminer.datasets.outputs import check_place
from logminer.datasets.settings import DatasetSettings
from logminer.datasets.user_files import UserFile
from logminer.errors import ConfigurationError, UsageError
from logminer.exports.choice import Choice
from logminer.exports.format import ExportFormat
from logminer.outputs import check_output
from logminer.pairs import PromptResponsePair
from logminer.query.selection import Selection
from logminer.redaction import RedactionReport
from logminer.s3.uris import is_s3
from logminer.store.registry import ExportEntry
from logminer.store.storage import Storage

TRAIN, HELD_OUT = "train", "held_out"
"""The roles of files with pairs."""


@dataclass(frozen=True)
class DatasetPlan:
    """What is to be written, and where. `rejects` is the path for a list of the pairs that are in no file.

    `inputs` are the files that the settings name, by option. Where a `manifest` is given, files are to be as it says:
    with other digests nothing is written. `recipe_path` is where the caller is going to write the recipe.
    """

    selection: Selection
    settings: DatasetSettings
    path: str
    held_out_path: str | None = None
    rejects: str | None = None
    inputs: Mapping[str, UserFile] = field(default_factory=dict)
    manifest: Manifest | None = None
    recipe_path: str | None = None


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
        with _named("--held-out-path", plan.held_out_path):
            held_out = check_place(form, plan.held_out_path or beside(train, form), storage)
    with _named("--rejects", plan.rejects):
        rejects = check_output(plan.rejects, storage) if plan.rejects is not None else None
    places = Places(train, train + MANIFEST_ENDING, held_out, rejects)
    for path in (places.manifest, sidecar_path(train), *([sidecar_path(held_out)] if held_out else [])):
        check_output(path, storage)
    _check_distinct(plan, places)
    return places


@contextlib.contextmanager
def _named(option: str, path: str | None) -> Iterator[None]:
    """Let an error about a path name the option that it was given with."""
    try:
        yield
    except (UsageError, ConfigurationError) as error:
        if path is None:
            raise
        raise type(error)(error.problem, where=f"{option} {path}", fix=error.fix) from error


def _check_distinct(plan: DatasetPlan, places: Places) -> None:
    """Refuse two files in one place: one of them would be lost, or what the user has there."""
    named = [
        ("-o", places.train),
        ("the manifest", places.manifest),
        ("the list of lines", sidecar_path(places.train)),
    ]
    if places.held_out is not None:
        named += [("--held-out-path", places.held_out), ("its list", sidecar_path(places.held_out))]
    if places.rejects is not None:
        named.append(("--rejects", places.rejects))
    if plan.recipe_path is not None:
        with _named("--save-recipe", plan.recipe_path):
            named.append(("--save-recipe", check_output(plan.recipe_path)))
    named += [
        (file.option, absolute(file.path))
        for file in plan.inputs.values()
        if file.option != "--store" and file.path != "-"
    ]
    taken: dict[str, str] = {}
    for option, path in named:
        other = taken.setdefault(path if is_s3(path) else os.path.realpath(path), option)
        if other != option:
            raise UsageError(f"is where {other} is, too", where=f"{option} {path}", fix="Give another path.")


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
class Curated:
    """What the stages before the files have left. `parts` can be gone through once; `warnings` are sentences."""

    choice: Choice
    parts: tuple[Part, ...]
    redaction: RedactionReport | None = None
    warnings: tuple[str, ...] = ()


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
