"""Whose text an ingest keeps. All other records keep their counts, metadata and hashes, and no text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from logminer.conversations import Conversation
from logminer.ingestion.choice import TEXT_NOT_KEPT
from logminer.model import AnyRecord
from logminer.models import ModelNames, match_teacher

# What people and models wrote, and what comes with it: tools and parameters can hold business words too.
TEXT_COLUMNS = ("system", "messages", "response", "response_blocks", "reasoning", "tools", "params")


class TextScope(msgspec.Struct, frozen=True):
    """The records whose text is kept: those that `filter` (an expression) and `teacher` (a model) both take.

    None takes all. `aliases` resolve opaque model ids.
    """

    filter: str | None = None
    teacher: str | None = None
    aliases: dict[str, str] = {}

    @property
    def is_limited(self) -> bool:
        """Whether any text is left out."""
        return self.filter is not None or self.teacher is not None


def text_rule(scope: TextScope) -> Callable[[AnyRecord], bool]:
    """Whether a record's text is kept. Raises FilterError."""
    from logminer.filters import parse_filter
    from logminer.filters.predicate import compile_predicate

    takes_metadata: Callable[[Mapping[str, str]], bool] = lambda metadata: True  # noqa: E731 - one of two
    if scope.filter is not None:
        takes_metadata = compile_predicate(parse_filter(scope.filter))
    takes_model = _model_rule(scope)
    return lambda record: takes_model(record.model_id) and takes_metadata(record.request_metadata or {})


def _model_rule(scope: TextScope) -> Callable[[str | None], bool]:
    if scope.teacher is None:
        return lambda model_id: True
    teacher, names = scope.teacher, ModelNames(scope.aliases)
    known: dict[str, bool] = {}

    def takes(model_id: str | None) -> bool:
        if model_id is None:
            return False
        if model_id not in known:
            if len(known) > _MAX_KNOWN:  # ids are callers' words
                known.clear()
            known[model_id] = bool(match_teacher(teacher, [model_id], names).candidates)
        return known[model_id]

    return takes


_MAX_KNOWN = 10_000


def leave_text_out(said: Conversation) -> bool:
    """Take the text out of a conversation, which then says so; whether there was any."""
    if all(getattr(said, name) is None for name in TEXT_COLUMNS):
        return False
    for name in TEXT_COLUMNS:
        setattr(said, name, None)
    said.status_detail = f"{said.status_detail} {TEXT_NOT_KEPT}" if said.status_detail else TEXT_NOT_KEPT
    return True
