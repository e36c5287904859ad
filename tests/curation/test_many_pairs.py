"""What holds for any pairs: what a rule names stays, the order of the pairs does not matter, and growth changes little."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.curation import curation_rules
from logminer.curation.clusters import cluster_of
from logminer.curation.minhash import KEPT, SLOTS, Sketches, banding
from logminer.curation.places import name_at, place_of
from logminer.curation.shingles import MOST_HASHES, Shingling
from logminer.curation.turns import canonical_turns, read_turns
from logminer.errors import UsageError
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair, pair_hashes

from .chats import chat, drops, give, kept

WORDS = [f"word{number}" for number in range(400)]

few_words = st.lists(st.sampled_from(WORDS[:4]), max_size=3).map(" ".join)
spaced = st.sampled_from(["", " ", "\n"])
many_chats = st.lists(
    st.builds(
        lambda said, answer, system, space: (said + space, answer, system),
        few_words,
        st.one_of(few_words, st.none()),
        st.sampled_from([None, "", "Be brief."]),
        spaced,
    ),
    max_size=14,
).map(
    lambda rows: [
        chat(number, said, answer=answer, system=system) for number, (said, answer, system) in enumerate(rows)
    ]
)
uses = st.sampled_from(
    [
        ("exact_duplicates", {}),
        ("exact_duplicates", {"ignore_spaces": True}),
        ("conflicting_answers", {"keep": "newest"}),
        ("conflicting_answers", {"keep": "longest"}),
        ("near_duplicates", {"threshold": 0.5, "ngram": 1}),
        ("near_duplicates", {"threshold": 0.6, "ngram": 2, "unit": "characters", "compare": "prompt"}),
        ("near_duplicates", {"compare": "response"}),
    ]
)


def varied(dice: random.Random, texts: int, words: int = 80) -> list[str]:
    """Texts, most of them made of an earlier one with some words changed."""
    made: list[list[str]] = []
    for _ in range(texts):
        if made and dice.random() < 0.7:
            text = list(dice.choice(made))
            for _ in range(dice.randrange(6)):
                text[dice.randrange(len(text))] = dice.choice(WORDS)
        else:
            text = dice.choices(WORDS, k=words)
        made.append(text)
    return [" ".join(text) for text in made]


@functools.cache
def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Its runs of three words."""
    words = text.split()
    return frozenset(tuple(words[at : at + 3]) for at in range(len(words) - 2))


def jaccard(left: str, right: str) -> float:
    """The index of two texts by their sets of three words."""
    a, b = shingles(left), shingles(right)
    common = len(a & b)
    return common / (len(a) + len(b) - common)


@given(many_chats, uses)
@settings(max_examples=150, deadline=None)
def test_the_pair_that_is_named_stays(pairs, use):
    rule, options = use
    found = drops(rule, pairs, **options)
    names = {str(pair.request_id) for pair in pairs}
    stay = kept(pairs, found)
    for each in found:
        assert {word for word in each.evidence.split() if word in names} <= stay
        assert any(word in stay for word in each.evidence.split())
    assert len({each.key for each in found}) == len(found)


@given(many_chats, uses, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_pairs_does_not_matter(pairs, use, dice):
    rule, options = use
    mixed = list(pairs)
    dice.shuffle(mixed)
    assert set(drops(rule, mixed, **options)) == set(drops(rule, pairs, **options))


@given(many_chats, uses, st.integers(0, 14))
@settings(max_examples=100, deadline=None)
def test_later_pairs_change_nothing_about_earlier_ones(pairs, use, count):
    rule, options = use
    if rule == "conflicting_answers":  # whose point is that the newest, or the longest, stays
        return
    before = drops(rule, pairs[:count], **options)
    now = [each for each in drops(rule, pairs, **options) if each.key[1] < count]
    assert sorted(now, key=str) == sorted(before, key=str)


@given(many_chats)
@settings(max_examples=60, deadline=None)
def test_what_is_left_has_one_answer_to_a_prompt(pairs):
    for keep in ("newest", "longest", "drop"):
        dropped = {each.key for each in drops("conflicting_answers", pairs, keep=keep)}
        answers: dict[tuple[str | None, str], set[str]] = {}
        for pair in pairs:
            if pair.key not in dropped and pair.response is not None:
                answers.setdefault((pair.system, pair.messages), set()).add(pair.response)
        assert all(len(each) == 1 for each in answers.values())


def prompts(texts: Sequence[str]) -> list[PromptResponsePair]:
    return [chat(number, text) for number, text in enumerate(texts)]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_near_duplicates_are_those_of_brute_force(threshold):
    texts = varied(random.Random(f"brute force {threshold}"), 300)
    wanted, stay = {}, []
    for number, text in enumerate(texts):
        twin = next((one for one in stay if jaccard(text, texts[one]) >= threshold), None)
        if twin is None:
            stay.append(number)
        else:
            wanted[number] = twin
    found = {
        each.key[1]: each.evidence
        for each in drops("near_duplicates", prompts(texts), threshold=threshold, compare="prompt")
    }
    assert 50 < len(wanted) < 290
    assert len(found.keys() & wanted.keys()) >= 0.98 * len(found.keys() | wanted.keys())
    for number, evidence in found.items():
        said, _, twin = evidence.split()
        true = jaccard(texts[number], texts[int(twin[1:])])
        assert true >= threshold
        assert said == f"{true:.2f}"


def test_both_sides_have_to_be_alike():
    texts = varied(random.Random("both sides"), 2)
    same, other = texts[0], " ".join(reversed(texts[0].split()))
    pairs = [chat(1, same, answer=same), chat(2, same, answer=other), chat(3, other, answer=same)]
    assert drops("near_duplicates", pairs) == []
    assert len(drops("near_duplicates", [*pairs, chat(4, same, answer=same)])) == 1


def test_a_template_around_every_prompt_does_not_make_it_slow_or_blind():
    """Hundreds of texts that share two thirds, none alike; each copy is found all the same."""
    dice = random.Random("template")
    template = " ".join(dice.choices(WORDS, k=120))
    texts = [f"{template} {' '.join(dice.choices(WORDS, k=60))}" for _ in range(300)]
    copies = [text + " thanks" for text in texts[::10]]
    found = drops("near_duplicates", prompts(texts + copies), compare="prompt", threshold=0.9)
    assert {each.key[1] for each in found} == set(range(300, 330))


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_clusters_are_what_hangs_together(threshold):
    texts = varied(random.Random(f"clusters {threshold}"), 200)
    pairs = prompts(texts)
    found = cluster_of(give(pairs), threshold)
    wanted = list(range(len(texts)))
    for right in range(len(texts)):
        for left in range(right):
            if wanted[left] != wanted[right] and jaccard(texts[left], texts[right]) >= threshold:
                old, new = sorted((wanted[left], wanted[right]), reverse=True)
                wanted = [new if each == old else each for each in wanted]
    by_hash = [pairs[number].prompt_hash for number in wanted]
    assert 5 < len(set(wanted)) < 150
    assert sum(found[pair.key] == one for pair, one in zip(pairs, by_hash, strict=True)) >= 0.97 * len(texts)


def test_clusters_only_grow_together():
    dice = random.Random("growth")
    pairs = prompts(varied(dice, 240))
    before, now = cluster_of(give(pairs[:160]), 0.6), cluster_of(give(pairs), 0.6)
    merged = {before[key]: now[key] for key in before}
    assert all(now[key] == merged[before[key]] for key in before)
    assert sum(old == new for old, new in merged.items()) > 0.8 * len(merged)
    dice.shuffle(pairs)
    assert cluster_of(give(pairs), 0.6) == now


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_find_what_is_at_the_threshold(threshold):
    rows, bands = banding(threshold)
    assert rows * bands <= SLOTS
    assert rows == 1 or 1 - (1 - threshold**rows) ** bands >= 0.995


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_long_texts_are_compared_by_samples(share):
    """Sets with far more shingles than are kept, of which a known share is common."""
    dice = random.Random(f"samples {share}")
    size = 20 * KEPT
    common = {dice.getrandbits(64) for _ in range(round(2 * size * share / (1 + share)))}
    own = [{dice.getrandbits(64) for _ in range(size - len(common))} for _ in range(2)]
    sketches = Sketches(0.5)
    for number, rest in enumerate(own):
        sketches.add(place_of(chat(number, "")), [common | rest])
    sketches.add(place_of(chat(2, "")), [set(sorted(common)[:9])])
    assert sketches.similarity(0, 1) == pytest.approx(share, abs=0.05)
    assert sketches.similarity(0, 2) <= 0.1


def test_signatures_are_those_of_this_version_for_ever():
    """Another version of the package with other signatures would find other twins in the same logs."""
    from rensa import RMinHash

    hashes = RMinHash.hash_token_sets([["a b c", "für uns alle", "我的包"]])
    assert hashes == [[8794111486251123431, 14901544140610153132, 13671948335247049654]]
    rows = RMinHash.digest_matrix_from_token_hash_sets([list(range(100))], 8, 20260604).to_rows()
    assert rows == [[100791375, 21535059, 20079769, 105285992, 7875143, 267722237, 68205254, 100299124]]


def test_very_long_texts_take_little_memory():
    dice = random.Random("long")
    words = [f"{dice.getrandbits(40):x}" for _ in range(200_000)]
    long = " ".join(words)
    changed = " ".join([*words[:100_000], "another", *words[100_001:]])
    assert len(Shingling(3).hashes(long)) == MOST_HASHES
    found = drops("near_duplicates", [chat(1, long), chat(2, changed), chat(3, long[: len(long) // 2])])
    assert [each.key[1] for each in found] == [2]


@given(st.text(), st.integers(1, 100), st.sampled_from(["words", "characters"]))
@settings(max_examples=200, deadline=None)
def test_any_text_has_shingles_unless_it_is_blank(text, ngram, unit):
    hashes = Shingling(ngram, unit).hashes(text)
    assert bool(hashes) == bool(text.split())
    assert hashes == Shingling(ngram, unit).hashes(f" {text}\n")


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("near_duplicates", {"threshold": 0}),
        ("near_duplicates", {"threshold": 1.01}),
        ("near_duplicates", {"threshold": True}),
        ("near_duplicates", {"threshold": "high"}),
        ("near_duplicates", {"ngram": 0}),
        ("near_duplicates", {"ngram": 101}),
        ("near_duplicates", {"ngram": 2.5}),
        ("near_duplicates", {"unit": "letters"}),
        ("near_duplicates", {"compare": "system"}),
        ("conflicting_answers", {"keep": "oldest"}),
        ("exact_duplicates", {"ignore_spaces": 3}),
    ],
)
def test_options_that_cannot_be_meant_are_refused(rule, options):
    with pytest.raises(UsageError, match=f"{next(iter(options))}"):
        drops(rule, [], **options)


def test_rules_that_compare_pairs_run_last():
    orders = {name: rule.order for name, rule in curation_rules().items()}
    names = ["exact_duplicates", "conflicting_answers", "near_duplicates"]
    assert sorted(orders, key=orders.__getitem__)[-3:] == names


def test_a_record_without_an_id_is_named_by_its_source():
    pairs = [chat(number, "Hello", request_id=None) for number in (7, 8)]
    (found,) = drops("exact_duplicates", pairs)
    assert found.evidence == "the same as file:///logs/a.json.gz:7"
    assert name_at(place_of(chat(1, "Hello", request_id="x" * 1000))) == "x" * 128


def test_every_process_finds_the_same():
    """Python's own hashes of texts differ from process to process."""
    code = (
        "import random\n"
        "from tests.curation.test_many_pairs import drops, prompts, varied\n"
        "print(drops('near_duplicates', prompts(varied(random.Random('seed'), 200)), threshold=0.5, compare='prompt'))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert len(said.pop()) > 1000


def test_hashes_are_those_of_the_store(sample_store):
    """Of every record with turns; only numbers that JSON can write in several ways may come out differently."""
    rows = duckdb.connect().execute(
        "SELECT system, messages, response, prompt_hash, pair_hash FROM read_parquet(?, union_by_name = true) "
        "WHERE messages IS NOT NULL",
        [f"{sample_store}/invocations/**/*.parquet"],
    )
    seen = 0
    for system, messages, response, prompt_hash, pair_hash in rows.fetchall():
        found = pair_hashes(system, canonical_turns(read_turns(messages)), encode_json(response))
        assert found[0] == prompt_hash
        assert pair_hash in (None, found[1])
        seen += 1
    assert seen > 300
