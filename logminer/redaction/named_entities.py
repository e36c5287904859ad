"""Names of persons, places and organizations, found by a spaCy pipeline. spaCy is an extra: `logminer[ner]`.

https://spacy.io/models lists the pipelines; they come from spaCy's own downloads (`python -m spacy download
en_core_web_lg`) or as a folder. Names are judged by a statistical model: unlike the built-in detectors it misses
some and takes some for names that are none, and its judgement may differ between versions of spaCy, models and
processors. All other detectors come first where they overlap.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from logminer.errors import UsageError
from logminer.redaction.detector import Detector, Span
from logminer.redaction.draws import Draws

DEFAULT_MODEL = "en_core_web_sm"

_LABELS = {
    # Labels of spaCy's English pipelines (OntoNotes 5), and of the others (WikiNER).
    "person": frozenset({"PERSON", "PER"}),
    "place": frozenset({"GPE", "LOC", "FAC"}),
    "organization": frozenset({"ORG"}),
}
ENTITY_KINDS = tuple(_LABELS)
ENTITY_ABOUT = {
    "person": "names of persons, by a spaCy model",
    "place": "names of countries, cities, mountains and buildings, by a spaCy model",
    "organization": "names of companies, agencies and institutions, by a spaCy model",
}
_PIECE = 20_000
"""Characters that the model is given at once; its memory grows with them."""

_LEGAL_FORMS = """
ab ag as bv co company corp corporation gmbh group inc kg limited llc llp ltd nv oy plc sa sarl se spa srl
the and of
"""
_TITLES = """
mr mrs ms miss dr prof sir lady herr frau mme de der den di du la le van von
"""
# All of them are used as given names and as surnames, so that each word of a name can be replaced by itself.
_NAMES = """
Alexander Allen Anthony Arnold Austin Barry Benjamin Blake Brooke Bruce Bryan Cameron Carroll Carter Casey
Chase Clark Cody Cole Cooper Craig Curtis Dale Daniel Dean Dennis Drew Dylan Elliot Ellis Francis Frank
Franklin Gabriel George Glenn Gordon Grant Gregory Harper Harris Harvey Henry Howard Hunter Jackson James
Jordan Joseph Kelly Kennedy Kent Lane Lawrence Lee Leslie Lewis Lloyd Logan Louis Luther Lynn Marshall
Martin Mason Maxwell Mitchell Morgan Murphy Neal Nelson Noel Owen Palmer Parker Patrick Paul Perry Quinn
Ralph Randall Raymond Reed Reese Riley Robin Roger Ross Russell Ryan Scott Shane Shelby Sidney Simon Spencer
Stanley Stephen Stewart Taylor Terry Thomas Todd Tracy Travis Troy Tyler Vernon Vincent Wade Walker Wallace
Walter Warren Wayne Wesley Whitney William Winston
"""
_KEPT_IN_PERSONS = frozenset(_TITLES.split())
_KEPT_ELSEWHERE = frozenset(_LEGAL_FORMS.split())
_CHOICES = tuple(_NAMES.split())
# Models take `PERSON_1` for a name.
_PLACEHOLDER = re.compile(r"[A-Z]_[0-9]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


class EntityReader:
    """Runs a pipeline over texts, and remembers what it found in the last one for all kinds."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._text, self._found = "", tuple[tuple[str, Span], ...]()

    def find(self, kind: str, text: str) -> list[Span]:
        """The places of one kind."""
        if text != self._text:
            self._text, self._found = text, tuple(self._entities(text))
        return [span for label, span in self._found if label in _LABELS[kind]]

    def _entities(self, text: str) -> Iterator[tuple[str, Span]]:
        """Labels and places. A text of one word says too little to tell a name from a key or an id."""
        if len(text.split(maxsplit=2)) < 2:
            return
        for start, end in _pieces(text):
            for entity in self._pipeline(text[start:end]).ents:
                span = _trimmed(text, start + entity.start_char, start + entity.end_char)
                if span:
                    yield entity.label_, span


def _pieces(text: str) -> Iterator[Span]:
    """Where to cut a long text: after a line, else after a word, else after as many characters."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            end = 1 + max(text.rfind("\n", start, end), text.rfind(" ", end - 1000, end), end - 1001)
        yield start, min(end, len(text))
        start = end


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The name without what a model takes along: a genitive, quotes, line ends. None without a letter."""
    name = text[start:end].split("\n", maxsplit=1)[0]
    core = name.removesuffix("'s").removesuffix("\u2019s").strip(" \t\r\n.,;:!?'\"\u201c\u201d*_#()[]{}<>-")
    start = text.index(core, start)
    is_name = any(map(str.isalpha, core)) and not _PLACEHOLDER.search(core)
    return (start, start + len(core)) if is_name else None


def entity_detectors(kinds: Sequence[str], model: str = DEFAULT_MODEL) -> tuple[Detector, ...]:
    """Detectors for kinds of names, all reading with one pipeline.

    Raises UsageError if spaCy or the model is not installed, or the model has no names to give.
    """
    reader = EntityReader(_load(model, kinds))
    return tuple(_detector(kind, reader) for kind in kinds)


def _load(model: str, kinds: Sequence[str]) -> Any:
    try:
        # By name, since spaCy is no dependency and takes seconds to load.
        spacy = importlib.import_module("spacy")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"to find {_listed(kinds)}, redaction needs spaCy, which is not installed",
            where="--redact-kinds",
            fix=f"Run: pip install 'logminer[ner]' && python -m spacy download {model}",
        ) from error
    try:
        pipeline = spacy.load(model, exclude=["tagger", "parser", "lemmatizer", "attribute_ruler", "senter"])
    except (OSError, ValueError) as error:
        raise UsageError(
            f"spaCy cannot load the model {model!r}",
            where="--redact-model",
            fix=f"Give the folder of a pipeline, or run: python -m spacy download {model}",
        ) from error
    if not {"ner", "entity_ruler"} & set(pipeline.pipe_names):
        raise UsageError(
            f"the spaCy model {model!r} does not look for names",
            where="--redact-model",
            fix="Choose a pipeline with `ner`, such as en_core_web_lg: https://spacy.io/models",
        )
    return pipeline


def spacy_version() -> str:
    """The version of spaCy, where it finds names."""
    return str(importlib.import_module("spacy").__version__)


def _listed(kinds: Sequence[str]) -> str:
    return " and ".join(f"{kind}s" for kind in kinds)


def _detector(kind: str, reader: EntityReader) -> Detector:
    return Detector(
        name=kind,
        about=ENTITY_ABOUT[kind],
        rank=100 + ENTITY_KINDS.index(kind),
        find=lambda text: reader.find(kind, text),
        normal=_normal,
        stand_in=_person if kind == "person" else _other,
        repeats=True,
    )


def _normal(name: str) -> str:
    return " ".join(name.casefold().split())


def _person(name: str, draws: Draws) -> str:
    """Another name of as many words, each replaced by itself: `Ms Keller` stays the relative of `Ann Keller`."""
    return _WORD.sub(
        lambda word: word[0] if word[0].lower() in _KEPT_IN_PERSONS else _name_for(word[0], draws), name
    )


def _name_for(word: str, draws: Draws) -> str:
    draws = draws.of_part(word.casefold())
    if len(word) == 1:
        return draws.like(word)
    name = draws.pick(_CHOICES)
    return name.upper() if word.isupper() else name.lower() if word.islower() else name


def _other(name: str, draws: Draws) -> str:
    """An invented name of as many words, of the same lengths; legal forms such as `Ltd` stay."""
    return _WORD.sub(lambda word: _invented(word[0], draws), name)


def _invented(word: str, draws: Draws) -> str:
    return word if word.lower() in _KEPT_ELSEWHERE else draws.of_part(word.casefold()).word_like(word)
