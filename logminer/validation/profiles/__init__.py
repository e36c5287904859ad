"""The validation profiles, one module each; a module's `PROFILE` is all it takes to add one."""

from __future__ import annotations

import difflib
from functools import cache

from logminer.entries import collect_entries
from logminer.errors import UsageError
from logminer.teachers import turn_rule
from logminer.validation.profile import Profile

DISTILLATION = "distillation"
"""An alias: the profile that fits the teacher, else the strictest one."""

INVOCATION_LOGS = "invocation-logs"
"""The one profile that is no dataset's: it looks at the log objects of a prefix; see `logs.py`."""

_BY_TURNS = {"single": "distill-single", "multi": "distill-nova"}


@cache
def all_profiles() -> dict[str, Profile]:
    """Every profile by name, sorted. Do not change the dictionary: it is made once."""
    return collect_entries(__name__, "PROFILE", Profile)


def profile_names() -> tuple[str, ...]:
    """The names of `--profile`: what `resolve_profile` takes, and the one for logs."""
    return tuple(sorted((*all_profiles(), DISTILLATION, INVOCATION_LOGS)))


def resolve_profile(name: str, teacher: str | None = None, model: str | None = None) -> Profile:
    """Find a profile by name; `distillation` picks by the teacher's model id, and single-turn without one.

    `model` is the one that is trained, where a profile has rules for several. Raises UsageError for an unknown
    name, an unknown model, and a model where the rules are the same for all.
    """
    if name == DISTILLATION:
        name = _BY_TURNS[turn_rule(teacher) if teacher else "single"]
    if name not in all_profiles():
        raise _unknown(name)
    profile = all_profiles()[name]
    if model is None:
        return profile
    if profile.for_model is None:
        with_models = [each.name for each in all_profiles().values() if each.for_model]
        raise UsageError(
            f"the rules of {name} are the same for all models",
            where="--model",
            fix=f"Leave it out; it goes with {', '.join(with_models)}.",
        )
    return profile.for_model(model)


def _unknown(name: str) -> UsageError:
    near = difflib.get_close_matches(name, profile_names(), n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return UsageError(
        f"there is no validation profile of the name {name!r}",
        where="--profile",
        fix=f"{guess}The profiles are: {', '.join(profile_names())}.",
    )
