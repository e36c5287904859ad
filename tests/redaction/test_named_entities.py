"""Names by a model: the seam, with a small pipeline in the place of a trained one, and what is said without one."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from logminer.errors import UsageError
from logminer.redaction import ENTITY_KINDS, Redactor, built_in_detectors
from tests.redaction.pairs import pair_with, user_says

LABELS = {
    "PERSON": re.compile(r"(?:Mr\. )?(?:Maria )?Keller(?:'s)?|John O'Neil|PERSON_[0-9]"),
    "GPE": re.compile(r"\bHamburg\b"),
    "ORG": re.compile(r"Northwind Traders Ltd|DHL"),
    "DATE": re.compile(r"Monday"),
}


class Pipeline:
    """Finds a few names, by rules, and says so as spaCy does."""

    pipe_names = ("ner",)

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> SimpleNamespace:
        self.texts.append(text)
        return SimpleNamespace(ents=sorted(self._entities(text), key=lambda entity: entity.start_char))

    def _entities(self, text: str) -> Iterator[SimpleNamespace]:
        for label, pattern in LABELS.items():
            for found in pattern.finditer(text):
                yield SimpleNamespace(label_=label, start_char=found.start(), end_char=found.end())


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A spaCy that knows one pipeline."""
    pipeline, spacy = Pipeline(), ModuleType("spacy")

    def load(name: str, exclude: list[str]) -> Any:
        if name != "names":
            raise OSError(f"[E050] Can't find model {name!r}")
        return SimpleNamespace(pipe_names=["tok2vec"]) if "ner" in exclude else pipeline

    spacy.load = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    return pipeline


LETTER = "Dear Maria Keller, DHL brings Mr. Keller's parcel to Hamburg on Monday.\nJohn O'Neil (john@acme.co), Northwind Traders Ltd"


def test_placeholders(pipeline: Pipeline) -> None:
    redacted, found = Redactor([*ENTITY_KINDS, "email"], model="names").redact(pair_with(response=LETTER))
    assert redacted.response == (
        "Dear [PERSON_1], [ORGANIZATION_1] brings [PERSON_2]'s parcel to [PLACE_1] on Monday.\n"
        "[PERSON_3] ([EMAIL_1]), [ORGANIZATION_2]"
    )
    assert found == {"person": 3, "organization": 2, "place": 1, "email": 1}


def test_stand_ins_relate_as_the_names_do(pipeline: Pipeline) -> None:
    redactor = Redactor(ENTITY_KINDS, "surrogate", b"s", model="names")
    text = str(redactor.redact(pair_with(response=LETTER))[0].response)
    names = re.fullmatch(
        r"Dear ([A-Z][a-z]+) ([A-Z][a-z]+), [A-Z]{3} brings Mr\. ([A-Z][a-z]+)'s parcel to [A-Z][a-z]{6} on Monday\.\n"
        r"[A-Z][a-z]+ [A-Z][a-z]+ \(john@acme\.co\), [A-Z][a-z]{8} [A-Z][a-z]{6} Ltd",
        text,
    )
    assert names
    assert names[2] == names[3] != "Keller"
    assert (
        str(redactor.redact(pair_with(system="Ask Maria Keller"))[0].system) == f"Ask {names[1]} {names[2]}"
    )


def test_only_the_kinds_asked_for(pipeline: Pipeline) -> None:
    redacted, found = Redactor(["place"], model="names").redact(pair_with(response=LETTER))
    assert found == {"place": 1}
    assert str(redacted.response).startswith("Dear Maria Keller, DHL")


def test_a_text_is_read_once_for_all_kinds(pipeline: Pipeline) -> None:
    Redactor(ENTITY_KINDS, "surrogate", model="names").redact(
        pair_with(response="Dear Maria Keller of Hamburg")
    )
    assert pipeline.texts == ["Dear Maria Keller of Hamburg"]


def test_long_texts_are_read_in_pieces(pipeline: Pipeline) -> None:
    text = "Dear Maria Keller of Hamburg, " * 3000
    redacted, found = Redactor(["person"], "surrogate", model="names").redact(pair_with(response=text))
    assert found == {"person": 3000}
    assert "Keller" not in str(redacted.response)
    assert max(map(len, pipeline.texts)) <= 20_000
    assert "".join(pipeline.texts) == text


def test_ids_and_placeholders_are_no_names(pipeline: Pipeline) -> None:
    messages = user_says("[PERSON_1] and Keller").replace('"user"', '"Keller"')
    assert Redactor(["person"], model="names").redact(pair_with(messages=messages))[
        0
    ].messages == messages.replace("and Keller", "and [PERSON_2]").replace('"Keller"', '"[PERSON_2]"')


def test_a_name_without_anything_to_replace_stays(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LABELS, "PERSON", re.compile("Mr"))
    assert (
        Redactor(["person"], "surrogate", model="names").redact(pair_with(response="Dear Mr X"))[0].response
        == "Dear Mr X"
    )


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(UsageError) as refused:
        Redactor(*arguments, **options)
    return str(refused.value)


def test_without_spacy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    assert refusal(["email", "person", "place"]) == (
        "--redact-kinds: to find persons and places, redaction needs spaCy, which is not installed\n"
        "  Run: pip install 'logminer[ner]' && python -m spacy download en_core_web_sm"
    )
    assert Redactor(built_in_detectors()).kinds


def test_without_the_model(pipeline: Pipeline) -> None:
    assert refusal(["person"], model="xx_none") == (
        "--redact-model: spaCy cannot load the model 'xx_none'\n"
        "  Give the folder of a pipeline, or run: python -m spacy download xx_none"
    )


def test_a_model_without_names(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pipeline, "pipe_names", ("tok2vec", "textcat"))
    assert refusal(["person"], model="names").startswith(
        "--redact-model: the spaCy model 'names' does not look for names"
    )


def test_importing_redaction_does_not_import_spacy() -> None:
    importlib.import_module("logminer.redaction")
    assert "spacy" not in sys.modules
