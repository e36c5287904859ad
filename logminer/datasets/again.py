"""A dataset made again from its manifest, or the reason why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from logminer.datasets.manifest import Manifest, engine_versions
from logminer.datasets.reading import Sources
from logminer.datasets.recipe import check_recipe
from logminer.datasets.user_files import UserFile
from logminer.errors import UsageError


def manifest_options(manifest: Manifest, path: str) -> dict[str, Any]:
    """The options of a recipe that make the dataset of a manifest again. Raises UsageError for an odd manifest."""
    options = check_recipe({**manifest.recipe, "selection": manifest.selection}, path)
    options["selection"]["version"] = manifest.store_version
    return options


def check_inputs(manifest: Manifest, inputs: Mapping[str, UserFile]) -> None:
    """Refuse files that are not those that the dataset was made with. Raises UsageError."""
    for name, file in inputs.items():
        known = manifest.inputs.get(name)
        if known is None or known.sha256 != file.sha256:
            raise UsageError(
                "is not the one that the dataset was made with",
                where=f"{file.option} {file.path}",
                fix="Bring back the file with "
                f"SHA-256 {known.sha256 if known is not None else 'of the manifest'}.",
            )


def differences(manifest: Manifest, sources: Sources) -> str:
    """What is different now from when the dataset was made, in words."""
    found = []
    if sources != manifest.sources:
        then, now = manifest.sources.count, sources.count
        found.append(f"the selection's log objects ({then:,} then, {now:,} now)")
    was = {"logminer": manifest.logminer_version, **manifest.engines}
    versions = {"logminer": version("logminer"), **engine_versions(manifest.recipe)}
    found += [
        f"{name} ({was[name]} then, {versions.get(name)} now)"
        for name in was
        if was[name] != versions.get(name)
    ]
    return "; ".join(found) or "neither log objects nor versions; were models given other aliases?"
