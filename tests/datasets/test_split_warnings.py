"""What an export says about a split or a spread that is not what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logminer import pipeline
from logminer.datasets.splitting import largest, split_warnings

from .corpus import many, prose, sound, store_with


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def test_one_large_cluster_is_named(tmp_path: Path, train: Path) -> None:
    template = prose("a long instruction", 60)
    alike = [sound(n, prompt=f"{template} {prose(f'case {n}', 4)}") for n in range(60)]
    store = store_with(tmp_path, [*alike, *many(40, start=100)])
    report = pipeline.export(str(train), store, held_out=0.1, allow_few=True)
    assert any(text.startswith("60 of 100 pairs hang together") for text in report.warnings)
    report = pipeline.export(str(train), store, max_lines=30, diverse=True, allow_few=True)
    assert any(text.startswith("60 of 100 prompts are one cluster") for text in report.warnings)
    report = pipeline.export(str(train), store, max_lines=30, allow_few=True)
    assert not any("cluster" in text or "hang together" in text for text in report.warnings)


def test_fewer_held_out_than_asked_for(tmp_path: Path, train: Path) -> None:
    store = store_with(tmp_path, many(100))
    report = pipeline.export(str(train), store, held_out=90, allow_few=True)
    held = report.held_out.lines if report.held_out is not None else 0
    assert 0 < held < 90
    assert f"Only {held} lines held out, not 90: that side has no more." in report.warnings
    report = pipeline.export(str(train), store, held_out=10, allow_few=True)
    assert not any("held out" in text for text in report.warnings)


def test_nothing_held_out(tmp_path: Path, train: Path) -> None:
    store = store_with(tmp_path, [sound(1)])
    report = pipeline.export(str(train), store, held_out=0.000001, allow_few=True)
    assert "Nothing is held out: no group of pairs lies on that side." in report.warnings


def test_a_share_far_from_what_was_asked() -> None:
    def said(side: int) -> list[str]:
        return list(split_warnings(range(1000), side, side, 0.1, None))

    assert said(100) == said(140) == said(60) == []
    assert said(40) == [
        "40 of 1,000 pairs (4.0%) are on the held-out side, not 10.0%: groups go there as a whole."
    ]
    assert len(said(180)) == 1


@given(st.lists(st.integers(0, 5), max_size=200))
def test_only_a_large_part_is_large(groups: list[int]) -> None:
    most = max(map(groups.count, groups), default=0)
    assert largest(groups) == (most if most > 20 and most > 0.2 * len(groups) else 0)
