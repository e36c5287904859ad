"""The stages that look at texts: each takes a draft and gives the next one, and tells the funnel what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from logminer.curation.history import fold_history, same_turns, shorter_histories, split_turns
from logminer.curation.rule import Dropped, Pairs
from logminer.datasets.funnel import Funnel, Stage, counted, reject
from logminer.datasets.grouping import conversation_key
from logminer.datasets.settings import DatasetSettings
from logminer.datasets.spool import PairSet, Spool
from logminer.exports.format import ExportFormat
from logminer.pairs import PromptResponsePair
from logminer.redaction import RedactionReport, Redactor

Find = Callable[[Pairs], Iterator[Dropped]]
Change = Callable[[PromptResponsePair], list[PromptResponsePair]]
_EXACT = "exact_duplicates"


@dataclass(frozen=True)
class Draft:
    """The pairs that are left, and for each place of their spool the conversation that the record belongs to."""

    pairs: PairSet
    conversations: list[bytes | None]

    def changed(self, folder: str, change: Change) -> Draft:
        """What `change` makes of each pair, in a spool of its own; the old one is gone."""
        conversations: list[bytes | None] = []

        def made() -> Iterator[PromptResponsePair]:
            for place, pair in self.pairs.numbered():
                for new in change(pair):
                    conversations.append(self.conversations[place])
                    yield new

        spool = Spool(folder, made())
        self.pairs.spool.delete()
        return Draft(PairSet(spool), conversations)

    def without(self, places: Iterable[int]) -> Draft:
        """The draft without some pairs."""
        return Draft(self.pairs.without(frozenset(places)), self.conversations)


def first_draft(folder: str, pairs: Iterable[PromptResponsePair]) -> Draft:
    """The pairs on disk."""
    conversations: list[bytes | None] = []

    def noted() -> Iterator[PromptResponsePair]:
        for pair in pairs:
            conversations.append(conversation_key(pair))
            yield pair

    return Draft(PairSet(Spool(folder, noted())), conversations)


@dataclass(frozen=True)
class Curator:
    """Runs the stages, in a folder for their files.

    `system` is the text that takes the place of all system prompts.
    """

    folder: str
    funnel: Funnel
    settings: DatasetSettings
    system: str | None = None
    redactor: Redactor | None = None
    redaction: RedactionReport = field(default_factory=RedactionReport)

    def run(self, draft: Draft) -> Draft:
        """All stages that the settings ask for, in their order."""
        draft = self._system(self._history(draft))
        for use in self.settings.rules:
            draft = self.drop(draft, use.name, use.find, report_only=use.report_only)
        return self._format(self._redact(draft))

    def drop(
        self, draft: Draft, stage: str, find: Find, *, report_only: bool = False, made: int = 0
    ) -> Draft:
        """Leave out, or only report, what `find` finds; `made` pairs of the draft are new in this stage."""
        found: dict[int, Dropped] = {}
        for fault in find(lambda: draft.pairs):
            found.setdefault(draft.pairs.spool.place_of(fault.key), fault)
        action = "reported" if report_only else "dropped"
        places = sorted(found)
        for place, pair in zip(places, draft.pairs.spool.read(places), strict=True):
            rejected = reject(pair, stage, found[place].reason, found[place].evidence)
            self.funnel.put(msgspec.structs.replace(rejected, action=action))
        left = draft if report_only else draft.without(found)
        reasons = counted(Counter(fault.reason for fault in found.values()))
        dropped, reported = ({}, reasons) if report_only else (reasons, {})
        entered = len(draft.pairs) - made
        self.funnel.add(Stage(stage, entered, len(left.pairs), dropped, reported, made))
        return left

    def _history(self, draft: Draft) -> Draft:
        mode = self.settings.history
        if mode is None or mode == "last":
            return draft
        if mode == "longest":
            return self.drop(draft, "history", shorter_histories)
        entered = len(draft.pairs)
        draft = draft.changed(self.folder, split_turns if mode == "split" else fold_history)
        return self.drop(draft, "history", same_turns, made=len(draft.pairs) - entered)

    def _system(self, draft: Draft) -> Draft:
        if self.settings.system is None:
            return draft
        number = 0

        def change(pair: PromptResponsePair) -> list[PromptResponsePair]:
            nonlocal number
            number += pair.system != self.system
            return [msgspec.structs.replace(pair, system=self.system)]

        changed = draft.changed(self.folder, change)
        self._changed("system", changed, {"system": number})
        return changed

    def _redact(self, draft: Draft) -> Draft:
        if self.redactor is None:
            return draft
        redactor = self.redactor

        def change(pair: PromptResponsePair) -> list[PromptResponsePair]:
            return list(redactor.redact_all([pair], self.redaction))

        changed = draft.changed(self.folder, change)
        self._changed("redaction", changed, counted(self.redaction.values))
        return self._alike_by_now(changed)

    def _alike_by_now(self, draft: Draft) -> Draft:
        """Pairs that differed in what was redacted alone are the same now."""
        again = [use for use in self.settings.rules if use.name == _EXACT and not use.report_only]
        for use in again:
            draft = self.drop(draft, f"{use.name}_again", use.find)
        return draft

    def _format(self, draft: Draft) -> Draft:
        return self.drop(draft, "format", misfits(self.settings.format))

    def _changed(self, stage: str, draft: Draft, kinds: dict[str, int]) -> None:
        number = len(draft.pairs)
        self.funnel.add(Stage(stage, number, number, changed={kind: n for kind, n in kinds.items() if n}))


def misfits(form: ExportFormat) -> Find:
    """What finds the pairs that have no place in a format."""

    def find(pairs: Pairs) -> Iterator[Dropped]:
        for pair in pairs():
            problem = form.misfit(pair)
            if problem is not None:
                yield Dropped(pair.key, "does_not_fit", f"{form.name}: {problem}")

    return find
