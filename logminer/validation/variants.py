"""Profiles whose rules depend on the model that is trained: which variant a model id means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from logminer.errors import UsageError
from logminer.models import parse_model_id

T = TypeVar("T")


def variant_of(model: str, variants: Mapping[str, T], profile: str) -> T:
    """The variant whose key begins the model's bare id, the longest one first; a key alone is good as well.

    Raises UsageError where none does.
    """
    asked = parse_model_id(model).model or model
    fitting = [key for key in variants if asked.startswith(key) or key.rpartition(".")[2] == asked]
    if not fitting:
        raise UsageError(
            f"{profile} knows no model {model[:100]!r}",
            where="--model",
            fix=f"The models are: {', '.join(variants)}.",
        )
    return variants[max(fitting, key=len)]
