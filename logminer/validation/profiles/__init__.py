"""The validation profiles, one module each; a module's `PROFILE` is all it takes to add one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from logminer.errors import UsageError
from logminer.teachers import turn_rule
from logminer.validation.profile import Profile

DISTILLATION = "distillation"
"""An alias: the profile that fits the teacher, else the strictest one."""

_BY_TURNS = {"single": "distill-single", "multi": "distill-nova"}


@cache
def all_profiles() -> dict[str, Profile]:
    """Every profile by name, sorted. Do not change the dictionary: it is made once."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return by_name(module.PROFILE for module in modules)


def by_name(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Arrange profiles by name, sorted. Two of one name are a mistake in the program (ValueError)."""
    arranged: dict[str, Profile] = {}
    for profile in sorted(profiles, key=lambda profile: profile.name):
        if profile.name in arranged or profile.name == DISTILLATION:
            raise ValueError(f"two validation profiles are called {profile.name}")
        arranged[profile.name] = profile
    return arranged


def profile_names() -> tuple[str, ...]:
    """The names that `resolve_profile` takes, the alias included."""
    return tuple(sorted((*all_profiles(), DISTILLATION)))


def resolve_profile(name: str, teacher: str | None = None) -> Profile:
    """Find a profile by name; `distillation` picks by the teacher's model id, and single-turn without one.

    Raises UsageError for an unknown name.
    """
    if name == DISTILLATION:
        name = _BY_TURNS[turn_rule(teacher) if teacher else "single"]
    if name in all_profiles():
        return all_profiles()[name]
    near = difflib.get_close_matches(name, profile_names(), n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"there is no validation profile of the name {name!r}",
        where="--profile",
        fix=f"{guess}The profiles are: {', '.join(profile_names())}.",
    )
