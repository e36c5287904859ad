"""Names found by a spaCy model, of the name or folder that is given; spaCy is played by a module of the test."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from logminer import pipeline
from logminer.errors import CheckFailed

from .corpus import prose, sound, store_with

_NAME = re.compile(r"Maria Keller")


def _read(text: str) -> SimpleNamespace:
    found = _NAME.finditer(text)
    return SimpleNamespace(
        ents=[SimpleNamespace(label_="PER", start_char=one.start(), end_char=one.end()) for one in found]
    )


class Pipeline:
    pipe_names = ("ner",)

    def __call__(self, text: str) -> SimpleNamespace:
        return _read(text)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that spaCy was asked for."""
    spacy, asked = ModuleType("spacy"), []

    def load(name: str, exclude: list[str]) -> Any:
        asked.append(name)
        return Pipeline()

    spacy.load, spacy.__version__ = load, "3.8.1"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    return asked


@pytest.fixture
def store(tmp_path: Path) -> str:
    text = f"I am Maria Keller, maria@corp-mail.org. {prose('names')}"
    return store_with(tmp_path, [sound(1, prompt=text)])


def test_a_model_finds_names_beside_all_other_kinds(store: str, tmp_path: Path, asked: list[str]) -> None:
    train = tmp_path / "train.jsonl"
    report = pipeline.export(str(train), store, redact="placeholder", redact_model="names", allow_few=True)
    assert "I am [PERSON_1], [EMAIL_1]." in train.read_text()
    assert asked == ["names"]
    assert report.redaction is not None
    assert dict(report.redaction.values) == {"email": 1, "person": 1}
    manifest = pipeline.dataset_manifest(str(train))
    assert manifest.recipe["redact_model"] == "names"
    assert manifest.engines["spacy"] == "3.8.1"


def test_kinds_choose_among_them(store: str, tmp_path: Path, asked: list[str]) -> None:
    train = tmp_path / "train.jsonl"
    options: dict[str, Any] = {"redact": "placeholder", "allow_few": True}
    pipeline.export(str(train), store, redact_kinds="person", redact_model="names", **options)
    assert "I am [PERSON_1], maria@corp-mail.org" in train.read_text()
    pipeline.export(str(train), store, **options)
    assert "I am Maria Keller, [EMAIL_1]" in train.read_text()
    assert asked == ["names"]
    assert "spacy" not in pipeline.dataset_manifest(str(train)).engines


def test_another_version_of_spacy_is_named(
    store: str, tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, again = tmp_path / "train.jsonl", tmp_path / "again.jsonl"
    pipeline.export(str(train), store, redact="placeholder", redact_model="names", allow_few=True)
    pipeline.export(str(again), store, from_manifest=str(train))
    assert again.read_bytes() == train.read_bytes()
    monkeypatch.setattr(sys.modules["spacy"], "__version__", "4.0.0", raising=False)
    monkeypatch.setattr(sys.modules[__name__], "_NAME", re.compile("Maria"))
    with pytest.raises(CheckFailed, match=r"spacy \(3\.8\.1 then, 4\.0\.0 now\)"):
        pipeline.export(str(again), store, from_manifest=str(train))
