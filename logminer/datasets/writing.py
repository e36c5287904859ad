"""The files of a dataset, its entries in the store's register, and its manifest: all of them, or none."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, BinaryIO, cast

from logminer.datasets.again import differences
from logminer.datasets.funnel import Funnel, Stage
from logminer.datasets.manifest import (
    DatasetFile,
    Manifest,
    Tokens,
    encode_manifest,
    engine_versions,
    relative_to,
    sidecar_path,
)
from logminer.datasets.outputs import Digesting, OutputSet, Written, write_pairs
from logminer.datasets.plan import HELD_OUT, TRAIN, Curated, DatasetPlan, ExportReport, Part, Places
from logminer.datasets.reading import Sources, read_sources
from logminer.datasets.recipe import settings_as_recipe
from logminer.errors import CheckFailed
from logminer.exports.format import ExportFormat
from logminer.exports.limits import route_warnings
from logminer.exports.routes import fitting_routes, other_routes
from logminer.printable import counted
from logminer.query.view import StoreView
from logminer.store.registry import EXPORTS_FOLDER, ExportEntry, add_export
from logminer.store.storage import Storage, open_storage
from logminer.teachers import MAX_PAIRS, MIN_PAIRS


class DatasetWriter:
    """Writes one dataset into an `OutputSet`."""

    def __init__(
        self,
        view: StoreView,
        plan: DatasetPlan,
        places: Places,
        curated: Curated,
        funnel: Funnel,
        outputs: OutputSet,
    ) -> None:
        self._view, self._plan, self._places = view, plan, places
        self._curated, self._funnel, self._outputs = curated, funnel, outputs
        self._choice, self._redaction = curated.choice, curated.redaction
        self._files: list[DatasetFile] = []
        self._written: dict[str, Written] = {}
        self._formats: dict[str, ExportFormat] = {}
        self._now = datetime.now(UTC)
        export_id = f"{self._now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._export_ids = {TRAIN: export_id, HELD_OUT: f"{export_id}-held-out"}

    def write(self) -> ExportReport:
        """Write everything. The set's files appear in the reverse order of opening: the training file first.

        An older manifest goes as soon as the new training file is there: it is not that file's.
        """
        storage, ids = self._view.storage, list(self._export_ids.values())
        self._outputs.on_failure(lambda: _unregister(storage, ids))
        sources = read_sources(self._view, self._plan.selection, self._choice)
        manifest = self._outputs.open(self._places.manifest)
        rejects = self._open_rejects()
        for part in reversed(self._curated.parts):
            self._write_part(part)
        self._write_rejects(rejects)
        self._check_expected(sources)
        entries = {role: self._register(role) for role in self._written}
        recipe = settings_as_recipe(self._plan.settings)
        content = Manifest(
            logminer_version=version("logminer"),
            engines=dict(engine_versions(recipe)),
            store_version=self._view.version,
            model=self._choice.model,
            selection=_selection(self._plan),
            recipe=recipe,
            inputs={name: file.facts for name, file in sorted(self._plan.inputs.items())},
            funnel=self._funnel.stages,
            counts=self._counts(),
            tokens=self._tokens(),
            redaction=self._redaction.as_json() if self._redaction is not None else None,
            sources=sources,
            digests={role: written.sha256 for role, written in sorted(self._written.items())},
            files=sorted(self._files, key=lambda file: (file.role != TRAIN, file.role, file.path)),
        )
        manifest.write(encode_manifest(content))
        return self._report(entries)

    # --- the pairs ------------------------------------------------------------------------------------------

    def _write_part(self, part: Part) -> None:
        path = self._path(part.role)
        with_sidecar = sidecar_path(path)
        sidecar = Digesting(self._outputs.open(with_sidecar))
        if part.role == TRAIN:
            self._outputs.on_success(lambda: delete_file(self._places.manifest))
        written = write_pairs(part.format, part.pairs, path, self._outputs, cast(BinaryIO, sidecar))
        self._written[part.role], self._formats[part.role] = written, part.format
        for name, (sha256, size_bytes) in sorted(written.files.items()):
            lines = written.lines if part.format.write_line is not None else None
            self._add_file(part.role, f"{path}/{name}" if name else path, sha256, size_bytes, lines)
        self._add_file(f"{part.role}_pairs", with_sidecar, sidecar.sha256, sidecar.size_bytes, written.lines)

    def _path(self, role: str) -> str:
        path = self._places.train if role == TRAIN else self._places.held_out
        assert path is not None
        return path

    def _add_file(self, role: str, path: str, sha256: str, size_bytes: int, lines: int | None) -> None:
        place = relative_to(self._places.manifest, path)
        self._files.append(DatasetFile(role, place, sha256, size_bytes, lines))

    # --- what was left out ----------------------------------------------------------------------------------

    def _open_rejects(self) -> Digesting | None:
        path = self._places.rejects
        return Digesting(self._outputs.open(path)) if path is not None else None

    def _write_rejects(self, rejects: Digesting | None) -> None:
        if rejects is not None:
            self._funnel.copy_to(cast(BinaryIO, rejects))
            assert self._places.rejects is not None
            number = self._funnel.rejects
            self._add_file("rejects", self._places.rejects, rejects.sha256, rejects.size_bytes, number)

    # --- the register ---------------------------------------------------------------------------------------

    def _register(self, role: str) -> ExportEntry:
        """Enter a file of pairs before it appears: an entry can be taken back, a file that was there cannot."""
        written = self._written[role]
        entry = ExportEntry(
            export_id=self._export_ids[role],
            exported_at=self._now,
            format=self._formats[role].name,
            path=self._path(role),
            sha256=written.sha256,
            size_bytes=written.size_bytes,
            lines=written.lines,
            store_version=self._view.version,
            model=self._choice.model,
            selection=_options(self._plan),
            request_ids=written.request_ids,
        )
        add_export(self._view.storage, entry)
        return entry

    # --- what is said about it ------------------------------------------------------------------------------

    def _check_expected(self, sources: Sources) -> None:
        """Refuse to write other bytes than those that were asked for."""
        manifest = self._plan.manifest
        if manifest is None:
            return
        for role, sha256 in manifest.digests.items():
            if self._written[role].sha256 != sha256:
                raise CheckFailed(
                    f"the {role.replace('_', '-')} set is not that of the manifest: "
                    f"SHA-256 {self._written[role].sha256}, not {sha256}",
                    where=self._path(role),
                    fix=f"Nothing was written. What differs: {differences(manifest, sources)}.",
                )

    def _counts(self) -> dict[str, int]:
        counts = {role: written.lines for role, written in sorted(self._written.items())}
        made = {stage.stage: stage.made for stage in self._funnel.stages if stage.stage == "gold"}
        return counts | made | ({"rejects": self._funnel.rejects} if self._places.rejects else {})

    def _tokens(self) -> Tokens:
        written = self._written.values()
        return Tokens(
            input=sum(each.input_tokens for each in written),
            output=sum(each.output_tokens for each in written),
            uncounted=sum(each.uncounted for each in written),
        )

    def _warnings(self) -> tuple[str, ...]:
        train = self._written[TRAIN]
        found = (
            *self._curated.warnings,
            *_warnings(self._formats[TRAIN], train.lines, train.size_bytes),
        )
        if HELD_OUT in self._written:
            held, routes = self._written[HELD_OUT], self._formats[HELD_OUT].routes
            if "evaluation" in routes:
                about = route_warnings(routes, records=held.lines, size_bytes=held.size_bytes)
                found += tuple(f"Held out: {text}" for text in about)
        return found

    def _report(self, entries: Mapping[str, ExportEntry]) -> ExportReport:
        settings, choice, written = self._plan.settings, self._choice, self._written[TRAIN]
        form = settings.format
        return ExportReport(
            entry=entries[TRAIN],
            model=choice.model,
            prompts_only=settings.prompts_only,
            input_tokens=written.input_tokens,
            output_tokens=written.output_tokens,
            multi_turn=choice.matching - choice.usable,
            duplicates=choice.usable - choice.distinct,
            over_max=_dropped(self._funnel.stages, "choice", "beyond_max"),
            lacking=choice.lacking,
            routes=fitting_routes(prompts_only=settings.prompts_only, routes=form.routes),
            other_routes=other_routes(prompts_only=settings.prompts_only, routes=form.routes),
            warnings=self._warnings(),
            manifest=self._places.manifest,
            funnel=tuple(self._funnel.stages),
            held_out=entries.get(HELD_OUT),
            rejects=self._funnel.rejects if self._places.rejects else None,
            rejects_path=self._places.rejects,
            profile=form.profile,
            redaction=self._redaction,
            is_plain=settings.is_plain,
        )


def _dropped(stages: Sequence[Stage], name: str, reason: str) -> int:
    return sum(stage.dropped.get(reason, 0) for stage in stages if stage.stage == name)


def _warnings(form: ExportFormat, lines: int, size_bytes: int) -> tuple[str, ...]:
    """What the job that a training file is for would say to it."""
    if {"distillation", "logs"}.isdisjoint(form.routes):
        return route_warnings(form.routes, records=lines, size_bytes=size_bytes)
    if lines < MIN_PAIRS:
        return (f"Only {counted(lines, 'line')}: a distillation job needs {MIN_PAIRS}.",)
    if lines > MAX_PAIRS:
        too_many = f"{lines:,} lines are more than the {MAX_PAIRS:,} that a distillation job takes."
        return (f"{too_many} Choose with --max {MAX_PAIRS}, or narrow --since or --filter.",)
    return ()


def _selection(plan: DatasetPlan) -> dict[str, Any]:
    options = plan.selection.as_options()
    del options["status"]  # an export has none
    return options


def _options(plan: DatasetPlan) -> dict[str, Any]:
    """What was asked for, by the names of the flags."""
    recipe = settings_as_recipe(plan.settings)
    return _selection(plan) | {name: value for name, value in recipe.items() if name not in _NOT_REGISTERED}


# An entry names its format itself, and was allowed to be what it is.
_NOT_REGISTERED = frozenset({"to", "allow_few"})


def _unregister(storage: Storage, export_ids: Iterable[str]) -> None:
    for export_id in export_ids:
        storage.delete(f"{EXPORTS_FOLDER}/{export_id}.json")


def delete_file(path: str) -> None:
    """Remove a file or an S3 object; that there is none is no error."""
    folder, _, name = path.rpartition("/")
    open_storage(folder or "/").delete(name)
