"""Two datasets side by side: which lines came, went and changed, and what was asked for differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from logminer.datasets.manifest import (
    Manifest,
    PairLine,
    absolute,
    manifest_path,
    open_file,
    read_manifest,
    resolved,
)
from logminer.datasets.plan import HELD_OUT, TRAIN
from logminer.errors import StorageError

Key = tuple[str, int, int | None]
_INPUTS = {"gold": "--gold", "system": "--system", "salt": "the store's secret for stand-ins"}


@dataclass(frozen=True)
class LineName:
    """One line of either dataset: where it came from."""

    request_id: str | None
    source_uri: str
    source_position: int
    turn: int | None


@dataclass(frozen=True)
class SetDiff:
    """One role's lines in both. `stays` are lines of both with the same bytes, `changed` with other bytes."""

    role: str
    before: int
    after: int
    stays: int
    came: tuple[LineName, ...]
    went: tuple[LineName, ...]
    changed: tuple[LineName, ...]

    @property
    def share(self) -> float | None:
        """How many of the lines before are still there, the same; None where there were none."""
        return self.stays / self.before if self.before else None


@dataclass(frozen=True)
class DatasetDiff:
    """`settings` has what was asked for differently, by name: before and after. `crossed` are records that were on
    one side of the split before and are on the other now.
    """

    sets: tuple[SetDiff, ...]
    crossed: tuple[LineName, ...]
    settings: dict[str, tuple[Any, Any]]

    @property
    def same(self) -> bool:
        """Whether the lines are the same."""
        return all(each.before == each.after == each.stays for each in self.sets)


def compare_datasets(before: str, after: str) -> DatasetDiff:
    """Compare two datasets by their manifests and sidecars. Raises UsageError, StorageError.

    Memory: a few hundred bytes for each line.
    """
    places = [absolute(manifest_path(path)) for path in (before, after)]
    manifests = [read_manifest(place) for place in places]
    lines = [
        {role: _lines(manifest, place, role) for role in (TRAIN, HELD_OUT)}
        for manifest, place in zip(manifests, places, strict=True)
    ]
    roles = [role for role in (TRAIN, HELD_OUT) if role == TRAIN or lines[0][role] or lines[1][role]]
    return DatasetDiff(
        sets=tuple(_compare(role, lines[0][role], lines[1][role]) for role in roles),
        crossed=tuple(_crossed(lines[0], lines[1])),
        settings=_different(_asked(manifests[0]), _asked(manifests[1])),
    )


def _lines(manifest: Manifest, place: str, role: str) -> dict[Key, PairLine]:
    sidecar = manifest.file(f"{role}_pairs")
    if sidecar is None:
        return {}
    path = resolved(place, sidecar.path)
    decode = msgspec.json.Decoder(PairLine).decode
    with open_file(path) as stream:
        try:
            return {line.key: line for line in map(decode, stream)}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                "is damaged", where=path, fix="See what is wrong: logminer dataset verify"
            ) from error


def _compare(role: str, before: Mapping[Key, PairLine], after: Mapping[Key, PairLine]) -> SetDiff:
    both = [key for key in before if key in after]
    changed = [key for key in both if before[key].line_hash != after[key].line_hash]
    return SetDiff(
        role=role,
        before=len(before),
        after=len(after),
        stays=len(both) - len(changed),
        came=tuple(_name(line) for key, line in after.items() if key not in before),
        went=tuple(_name(line) for key, line in before.items() if key not in after),
        changed=tuple(_name(after[key]) for key in changed),
    )


def _crossed(
    before: Mapping[str, Mapping[Key, PairLine]], after: Mapping[str, Mapping[Key, PairLine]]
) -> Iterator[LineName]:
    for role, other in ((TRAIN, HELD_OUT), (HELD_OUT, TRAIN)):
        yield from (_name(line) for key, line in before[role].items() if key in after[other])


def _name(line: PairLine) -> LineName:
    return LineName(line.request_id, line.source_uri, line.source_position, line.turn)


def _asked(manifest: Manifest) -> dict[str, Any]:
    """Everything that may make a difference, one value for each name."""
    asked = {"store_version": manifest.store_version, "logminer": manifest.logminer_version}
    sources = {"log objects": manifest.sources.count, "digest of log objects": manifest.sources.digest}
    inputs = {_INPUTS.get(name, name): file.sha256 for name, file in manifest.inputs.items()}
    nested = {**manifest.selection, **manifest.recipe}
    return asked | manifest.engines | sources | inputs | flat(nested)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings of a recipe with those of its tables by dotted names."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*before, *after])
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
