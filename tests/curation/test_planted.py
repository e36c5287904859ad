"""The benchmark's corpus in small: what compares pairs finds every fault that is planted for it, and nothing else."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from logminer.curation.history import shorter_histories
from logminer.curation.rule import Dropped

from .chats import drops, give

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("planted") / "corpus.pairs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        import planted

        planted.write(3000, 1, path)
        again = path.with_name("again.pairs")
        planted.write(3000, 1, again)
        assert again.read_bytes() == path.read_bytes()
        return {one.pair.key: one for one in planted.read(path)}


def faults(corpus, found: list[Dropped]) -> Counter[str | None]:
    return Counter(corpus[each.key].fault for each in found)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [("exact_duplicates", "exact_duplicate"), ("conflicting_answers", "conflicting_answer")],
)
def test_same_prompts(corpus, rule, fault):
    """Chats of a single sign are left to the rule for blank texts, and were logged with several answers."""
    pairs = [one.pair for one in corpus.values() if one.fault != "blank"]
    planted_count = sum(one.fault == fault for one in corpus.values())
    assert faults(corpus, drops(rule, pairs)) == {fault: planted_count}
    assert planted_count > 10


def test_growing_chats(corpus):
    found = faults(corpus, list(shorter_histories(give([one.pair for one in corpus.values()]))))
    assert found == {"shorter_history": sum(one.fault == "shorter_history" for one in corpus.values())}


def test_near_duplicates(corpus):
    found = {each.key for each in drops("near_duplicates", [one.pair for one in corpus.values()])}
    likeness = {key: one.likeness for key, one in corpus.items() if one.likeness is not None}
    alike = {key for key, index in likeness.items() if index >= 0.8}
    assert found & likeness.keys() == alike
    others = Counter(corpus[key].fault for key in found - alike)
    assert others.keys() <= {"exact_duplicate", "other_spaces", "blank", "refusal"}
    for fault in ("exact_duplicate", "other_spaces"):
        assert others[fault] == sum(one.fault == fault for one in corpus.values())
    assert len(alike) > 30
