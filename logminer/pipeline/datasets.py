"""Training files: made, looked at, checked and converted."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, cast

from logminer.config import DEFAULT_STORE
from logminer.errors import UsageError
from logminer.models import parse_model_id
from logminer.pipeline.options import ExportOptions, SelectionOptions, make_selection, open_view

if TYPE_CHECKING:
    from typing import Unpack

    from logminer.datasets.comparing import DatasetDiff
    from logminer.datasets.explaining import Verdict
    from logminer.datasets.manifest import Manifest
    from logminer.datasets.plan import ExportReport
    from logminer.datasets.verifying import Verification
    from logminer.exports.conversion import ConversionReport
    from logminer.source_rules import SourceRule
    from logminer.validation import Report


def export(
    path: str | None = None,
    store: str | None = None,
    *,
    recipe: str | None = None,
    save_recipe: str | None = None,
    from_manifest: str | None = None,
    default_store: str = DEFAULT_STORE,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[ExportOptions],
) -> ExportReport:
    """Write the selected pairs of one teacher, each once, as a training file; whole or not at all.

    What is given goes over what the `recipe` (a TOML file) says; `save_recipe` writes the two as one. Without `store`
    and without one in the recipe it is `default_store`. `from_manifest` makes the dataset of a manifest again, byte
    for byte, or raises CheckFailed with nothing written. Beside the file go `PATH.manifest.json` and
    `PATH.pairs.jsonl`.
    """
    from logminer.datasets.building import build_dataset
    from logminer.datasets.recipe import save_recipe as write_recipe
    from logminer.datasets.request import make_request

    request = make_request({**options, "path": path, "store": store}, recipe, from_manifest)
    names = SelectionOptions.__annotations__
    if "status" in request.options:
        raise UsageError(
            "an export has pairs alone", where="--status", fix="Leave it out, or use --prompts-only."
        )
    if "path" not in request.options:
        raise UsageError("missing option '--output' / '-o'", fix="See: logminer export --help")
    selection = make_selection(**cast(SelectionOptions, request.selection_options(names)))
    settings = request.settings(names)
    with ExitStack() as stack:
        with request.needing_its_version():
            place = request.options.get("store", default_store)
            view = stack.enter_context(open_view(place, aliases, selection.version))
        report = build_dataset(view, request.plan(selection, settings, view.storage, save_recipe))
    if save_recipe is not None:
        write_recipe(save_recipe, request.as_recipe(names))
    return report


def check_export_path(path: str, to: str | None = None) -> None:
    """Whether an export in a format can be written to a path. Raises UsageError, ConfigurationError."""
    from logminer.datasets.outputs import check_place
    from logminer.datasets.settings import make_settings

    check_place(make_settings(to=to).format, path)


def explain_export(
    request_id: str,
    store: str | None = None,
    *,
    recipe: str | None = None,
    default_store: str = DEFAULT_STORE,
    aliases: Mapping[str, str] | None = None,
    **options: Unpack[ExportOptions],
) -> tuple[Verdict, ...]:
    """What each stage of an export with these options says about one request; nothing is written."""
    from logminer.datasets.explaining import explain_stages
    from logminer.datasets.request import make_request

    request = make_request({**options, "store": store}, recipe)
    names = SelectionOptions.__annotations__
    selection = make_selection(**cast(SelectionOptions, request.selection_options(names)))
    settings = request.settings(names)
    with open_view(request.options.get("store", default_store), aliases, selection.version) as view:
        return explain_stages(view, request.plan(selection, settings, view.storage), request_id)


def dataset_manifest(path: str) -> Manifest:
    """What the dataset at a path is made of. Raises UsageError where it has no manifest."""
    from logminer.datasets.manifest import read_manifest

    return read_manifest(path)


def verify_dataset(path: str) -> Verification:
    """Whether every file and line of a dataset is still as it was written."""
    from logminer.datasets.verifying import verify_dataset as verify

    return verify(path)


def diff_datasets(before: str, after: str) -> DatasetDiff:
    """Which lines of two datasets came, went and changed."""
    from logminer.datasets.comparing import compare_datasets

    return compare_datasets(before, after)


def validate(
    path: str,
    *,
    profile: str = "distillation",
    teacher: str | None = None,
    model: str | None = None,
    held_out: bool = False,
    allow_few: bool = False,
    fix_to: str | None = None,
    aliases: Mapping[str, str] | None = None,
    rules: Sequence[SourceRule] = (),
) -> Report:
    """Check a dataset against a profile's rules, all of them; with `invocation-logs`, log objects.

    `path` is a file, an S3 object or `-` for standard input; of logs a folder, glob or S3 prefix as well. `model`
    is the one to be trained, where a profile has rules for several; `held_out` asks for the bounds of a validation
    set. What can be mended is written to `fix_to`, and the report is about that. Raises UsageError,
    ConfigurationError or StorageError.
    """
    from logminer.validation import INVOCATION_LOGS, Allowance, resolve_profile
    from logminer.validation.running import fix_source, validate_source

    if profile == INVOCATION_LOGS:
        from logminer.validation.logs import validate_logs

        for option, value in (("--model", model), ("--held-out", held_out), ("--fix", fix_to)):
            if value:
                raise UsageError(f"does not go with {INVOCATION_LOGS}", where=option, fix="Leave it out.")
        return validate_logs(path, teacher=teacher, aliases=aliases, rules=rules, allow_few=allow_few)
    chosen = resolve_profile(profile, teacher, model)
    allowance = Allowance(allow_few=allow_few, held_out=held_out)
    if fix_to is not None:
        return fix_source(path, fix_to, chosen, allowance, rules)
    return validate_source(path, chosen, allowance, rules)


def convert(
    source: str,
    output: str | BinaryIO,
    *,
    to: str,
    system: str | None = None,
    teacher: str | None = None,
    skip_bad: bool = False,
) -> ConversionReport:
    """Turn an existing training file into another format; whole or not at all, but for an open stream.

    `source` is a path, an S3 address, or `-` for standard input. `system` is for lines that have no system prompt,
    `teacher` names the model that answered. Raises CheckFailed for a line that cannot be converted, unless
    `skip_bad` leaves it out and counts it.
    """
    from logminer.exports import export_format
    from logminer.exports.conversion import ConversionPlan, check_destination, convert_lines
    from logminer.exports.line_input import open_input

    plan = ConversionPlan(export_format(to), system, _named_model(teacher), skip_bad)
    destination = check_destination(plan, source, output)
    with open_input(source, sys.stdin.buffer) as stream:
        return convert_lines(stream, "stdin" if source == "-" else source, plan, destination)


def _named_model(teacher: str | None) -> str | None:
    if teacher is None:
        return None
    model = parse_model_id(teacher).model
    if model is None:
        raise UsageError(
            "names no model", where=f"--teacher {teacher}", fix="Give the id of a foundation model."
        )
    return model
