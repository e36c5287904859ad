"""What a format writes passes the validation profile that it names."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.exports import export_formats
from logminer.exports.format import ExportFormat
from logminer.pairs import PromptResponsePair
from logminer.reserved_words import has_reserved_word

from .pairs import TEACHER, text_pairs, written

CHECKED = [form for form in export_formats().values() if form.profile is not None]


def test_only_tables_have_no_profile() -> None:
    assert {form.name for form in export_formats().values()} - {form.name for form in CHECKED} == {"parquet"}


@pytest.mark.parametrize("form", CHECKED, ids=lambda form: form.name)
@settings(max_examples=25, deadline=None)
@given(drawn=st.lists(text_pairs(), min_size=1, max_size=5), without_answers=st.booleans())
def test_every_line_passes(
    form: ExportFormat, drawn: list[PromptResponsePair], without_answers: bool
) -> None:
    if without_answers and form.prompts:
        drawn = [msgspec.structs.replace(pair, response=None, response_blocks=None) for pair in drawn]
    distinct = {(pair.prompt_hash, pair.response): pair for pair in drawn}
    # Reserved words are a fault of the pair for a Nova teacher, which another stage drops.
    pairs = [
        pair
        for pair in distinct.values()
        if form.misfit(pair) is None and not has_reserved_word(msgspec.json.encode(pair))
    ]
    if not pairs:
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in written(form, pairs).items():
            path = folder / (file or "train.jsonl")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        checked = folder if form.ending == "/" else folder / "train.jsonl"
        assert form.profile is not None
        report = pipeline.validate(str(checked), profile=form.profile, teacher=TEACHER, allow_few=True)
    assert report.ok, [fault for fault in report.faults if fault.severity == "error"]
