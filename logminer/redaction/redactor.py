"""The redactor: takes a pair, gives the pair without the values of some kinds in any of its texts."""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec

from logminer.entries import collect_entries
from logminer.errors import UsageError
from logminer.pairs import PromptResponsePair
from logminer.redaction.detector import Detector
from logminer.redaction.echoes import Noting
from logminer.redaction.named_entities import DEFAULT_MODEL, ENTITY_KINDS, entity_detectors
from logminer.redaction.replacing import MODES, Mode, Placeholders, Replacing, StandIns
from logminer.redaction.report import RedactionReport
from logminer.redaction.texts import Replaced, redact_json, redact_text

# In the order in which placeholders are numbered. The values are JSON, or text.
_FIELDS = {
    "system": redact_text,
    "messages": redact_json,
    "tools": redact_json,
    "params": redact_json,
    "reasoning": redact_text,
    "response": redact_text,
    "response_blocks": redact_json,
}


@functools.cache
def built_in_detectors() -> dict[str, Detector]:
    """The built-in detectors by kind, sorted. Do not change the dictionary: it is made once."""
    return collect_entries("logminer.redaction.detectors", "DETECTOR", Detector)


def redaction_kinds() -> tuple[str, ...]:
    """All kinds: the built-in ones, then those that need the extra `logminer[ner]`."""
    return (*built_in_detectors(), *ENTITY_KINDS)


class Redactor:
    """Replaces values in pairs, one pair at a time; it remembers nothing of those before.

    `kinds` are names of `redaction_kinds`; none means all built-in ones. `mode` says what replaces a value: with
    `placeholder` a number within the pair (`[EMAIL_1]`), with `surrogate` a stand-in of the same shape that is the
    same for the same value in all pairs and in all runs with the same `salt`. Keep the salt out of the dataset:
    with it, guesses of a value can be checked. `model` is the spaCy pipeline for names; `more` are detectors
    beside those of `kinds`.

    Redacting again changes nothing with placeholders. Stand-ins are as good as values, so with `surrogate` a
    second pass gives others.

    Raises UsageError for unknown kinds or modes, and for names of persons and the like without the extra.
    """

    def __init__(
        self,
        kinds: Iterable[str] = (),
        mode: str = "placeholder",
        salt: bytes = b"",
        *,
        model: str = DEFAULT_MODEL,
        more: Sequence[Detector] = (),
    ) -> None:
        chosen = check_kinds(kinds) or tuple(built_in_detectors())
        self.mode = _known_mode(mode)
        names = [kind for kind in chosen if kind in ENTITY_KINDS]
        built_in = [built_in_detectors()[kind] for kind in chosen if kind in built_in_detectors()]
        found_by_model = entity_detectors(names, model) if names else ()
        self._detectors = sorted((*built_in, *found_by_model, *more), key=attrgetter("rank", "name"))
        self.kinds = tuple(detector.name for detector in self._detectors)
        self._stand_ins = StandIns(salt)

    def redact(self, pair: PromptResponsePair) -> tuple[PromptResponsePair, Counter[str]]:
        """The pair without the values, and how many places of each kind were replaced.

        Texts and the strings of JSON are changed; ids, metadata, identity and hashes are not. A pair without
        values comes back as it is.
        """
        redacted, places = self.redact_fields(pair)
        kinds: Counter[str] = Counter()
        for (kind, _), count in places.items():
            kinds[kind] += count
        return redacted, kinds

    def redact_fields(self, pair: PromptResponsePair) -> tuple[PromptResponsePair, Counter[tuple[str, str]]]:
        """The pair without the values, and how many places were replaced by (kind, field)."""
        texts = {name: text for name in _FIELDS if (text := getattr(pair, name)) is not None}
        noting = Noting(self._replacing(texts.values()))
        changed = _replaced(texts, self._detectors, noting)
        if echoes := list(noting.echoes()):
            changed = _replaced(texts, (*self._detectors, *echoes), self._replacing(texts.values()))
        places = Counter((kind, name) for name, new in changed.items() for kind in new.kinds)
        if not places:
            return pair, places
        return msgspec.structs.replace(pair, **{name: new.text for name, new in changed.items()}), places

    def _replacing(self, texts: Iterable[str]) -> Replacing:
        return Placeholders(texts) if self.mode == "placeholder" else self._stand_ins

    def redact_all(
        self, pairs: Iterable[PromptResponsePair], report: RedactionReport
    ) -> Iterator[PromptResponsePair]:
        """Every pair without the values, in order, as they are taken; `report` counts along."""
        for pair in pairs:
            redacted, places = self.redact_fields(pair)
            report.add(places)
            yield redacted


def _replaced(
    texts: Mapping[str, str], detectors: Sequence[Detector], replacing: Replacing
) -> dict[str, Replaced]:
    """The texts that change, by field."""
    new = {name: _FIELDS[name](text, detectors, replacing) for name, text in texts.items()}
    return {name: replaced for name, replaced in new.items() if replaced.kinds}


def check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds, each once. Raises UsageError for one that there is not."""
    chosen = tuple(dict.fromkeys(kinds))
    for kind in chosen:
        if kind not in redaction_kinds():
            raise _unknown("kind of value", kind, "--redact-kinds", redaction_kinds())
    return chosen


def _known_mode(mode: str) -> Mode:
    for known in MODES:
        if known == mode:
            return known
    raise _unknown("way to redact", mode, "--redact", MODES)


def _unknown(what: str, name: str, option: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return UsageError(
        f"there is no {what} of the name {name!r}", where=option, fix=f"{guess}Known: {', '.join(known)}."
    )
