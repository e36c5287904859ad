"""What an export is asked for: options that were given, over a recipe, or fixed by a manifest; and the plan of them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logminer.datasets.again import check_inputs, manifest_options
from logminer.datasets.manifest import Manifest, manifest_path, read_manifest
from logminer.datasets.outputs import check_place
from logminer.datasets.plan import DatasetPlan
from logminer.datasets.recipe import read_recipe
from logminer.datasets.rule_choice import parse_rule
from logminer.datasets.salt import store_salt
from logminer.datasets.settings import DatasetSettings, make_settings, words
from logminer.datasets.user_files import UserFile, read_user_file
from logminer.errors import CheckFailed, UsageError
from logminer.query.selection import Selection
from logminer.query.versions import VersionGoneError
from logminer.store.storage import Storage

# The names that recipes (and flags) have for what Python calls otherwise.
_PYTHON_NAMES = {"max": "max_lines", "output": "path"}
_RECIPE_NAMES = {python: name for name, python in _PYTHON_NAMES.items()}
_TOGETHER = (frozenset({"filter", "filter_json"}), frozenset({"path", "held_out_path", "rejects"}))
_LISTS = frozenset({"redact_kinds", "stratify"})
_PLACES = ("path", "store", "held_out_path", "rejects")


@dataclass(frozen=True)
class Request:
    """Options by the names of Python, all that were left open left out; `manifest` where one is to be made again."""

    options: Mapping[str, Any]
    manifest: Manifest | None = None

    def selection_options(self, names: Collection[str]) -> dict[str, Any]:
        """Those of the selection, which has these names."""
        return {name: value for name, value in self.options.items() if name in names}

    def as_recipe(self, selection_names: Collection[str]) -> dict[str, Any]:
        """The options of a recipe that asks for the same; texts and values as they were given."""
        own = {name: value for name, value in self.options.items() if name not in selection_names}
        recipe = {_RECIPE_NAMES.get(name, name): value for name, value in own.items()}
        for name in _LISTS & recipe.keys():
            recipe[name] = words(recipe[name])
        return recipe | {"selection": self.selection_options(selection_names)}

    @contextlib.contextmanager
    def needing_its_version(self) -> Iterator[None]:
        """Around the opening of a store: where a version is gone, so is the dataset that was made of it."""
        try:
            yield
        except VersionGoneError as error:
            if self.manifest is None:
                raise
            raise CheckFailed(
                error.problem,
                where=error.where,
                fix="So this dataset cannot be made again. For a new one, give the options that "
                "`logminer dataset show` tells, without a version.",
            ) from error

    def plan(
        self,
        selection: Selection,
        settings: DatasetSettings,
        storage: Storage,
        recipe_path: str | None = None,
    ) -> DatasetPlan:
        """What is to be written; the caller writes `recipe_path`. Raises UsageError, ConfigurationError, StorageError."""
        inputs = _read_inputs(settings, storage)
        if self.manifest is not None:
            check_inputs(self.manifest, inputs)
        return DatasetPlan(
            selection=selection,
            settings=settings,
            path=self.options.get("path", ""),
            held_out_path=self.options.get("held_out_path"),
            rejects=self.options.get("rejects"),
            inputs=inputs,
            manifest=self.manifest,
            recipe_path=recipe_path,
        )

    def settings(self, selection_names: Collection[str]) -> DatasetSettings:
        """How the dataset is made; its path is looked at too, where there is one. Raises UsageError, ConfigurationError.

        Nothing needs a store for that, so mistakes come out before one is opened.
        """
        settings = make_settings(
            **{
                name: value
                for name, value in self.options.items()
                if name not in selection_names and name not in _PLACES
            }
        )
        if "held_out_path" in self.options and settings.held_out is None:
            raise UsageError(
                "there is no held-out set", where="--held-out-path", fix="Say how large: --held-out 0.1"
            )
        if "path" in self.options:
            check_place(settings.format, self.options["path"])
        return settings


def make_request(given: Mapping[str, Any], recipe: str | None = None, manifest: str | None = None) -> Request:
    """Options that were given, over those of the recipe at a path, or those of a manifest. Raises UsageError.

    A rule that is given takes the place of the recipe's rule of that name. The forms of a filter go together, and so
    do the paths that are written to: where one is given, the recipe's others do not count, lest a file that belongs to
    another dataset be overwritten.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    if "rules" in asked:
        asked["rules"] = _by_name(asked["rules"])
    if manifest is not None:
        return _again(asked, recipe, manifest)
    if recipe is None:
        return Request(asked)
    said = _in_python(read_recipe(recipe))
    for names in _TOGETHER:
        if not names.isdisjoint(asked):
            said = {name: value for name, value in said.items() if name not in names}
    rules = {**said.get("rules", {}), **asked.get("rules", {})}
    return Request(said | asked | ({"rules": rules} if rules else {}))


def _again(given: Mapping[str, Any], recipe: str | None, path: str) -> Request:
    place = manifest_path(path)
    others = [name for name in given if name not in _PLACES] + (["recipe"] if recipe is not None else [])
    if others:
        raise UsageError(
            "the manifest says how the dataset is made",
            where=f"--{_RECIPE_NAMES.get(others[0], others[0]).replace('_', '-')}",
            fix="Leave it out, or leave --from-manifest out.",
        )
    manifest = read_manifest(path)
    return Request({**_in_python(manifest_options(manifest, place)), **given}, manifest)


def _in_python(recipe: Mapping[str, Any]) -> dict[str, Any]:
    own = {_PYTHON_NAMES.get(name, name): value for name, value in recipe.items() if name != "selection"}
    selection: dict[str, Any] = recipe.get("selection", {})
    return own | selection


def _by_name(rules: Mapping[str, Mapping[str, Any]] | Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rules with their options: given so, or as texts `NAME:option=value,...`."""
    if isinstance(rules, Mapping):
        return {name: dict(options) for name, options in rules.items()}
    return dict(parse_rule(text, "--rule") for text in ([rules] if isinstance(rules, str) else rules))


def _read_inputs(settings: DatasetSettings, storage: Storage) -> dict[str, UserFile]:
    """The files that settings name by option, and the store's salt where stand-ins are drawn with it."""
    named = {"gold": settings.gold, "system": settings.system if settings.system != "drop" else None}
    files = {name: read_user_file(path, f"--{name}") for name, path in named.items() if path is not None}
    if settings.redact == "surrogate":
        files["salt"] = UserFile(storage.uri, "--store", store_salt(storage))
    return files
