"""Which pairs are chosen and on which side they are: in proportion, spread, without a leak, and the same tomorrow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query.logs import NOVA, record

from logminer import pipeline
from logminer.curation.groups import Groups
from logminer.datasets.choosing import allocate, choose_places
from logminer.datasets.splitting import held_out_groups, held_out_lines

from .corpus import faulty, lines_of, many, prose, requests_of, sound, store_with

SIZES = st.dictionaries(st.tuples(st.text("abc", max_size=2)), st.integers(1, 60), min_size=1, max_size=8)
HASHES = st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), min_size=1, max_size=40)


@given(SIZES, st.data())
def test_strata_get_their_share_and_one_at_least(sizes: dict[Any, int], data: st.DataObject) -> None:
    total = sum(sizes.values())
    lines = data.draw(st.integers(1, total))
    shares = allocate(sizes, lines)
    assert sum(shares.values()) == lines
    assert all(0 <= shares[stratum] <= sizes[stratum] for stratum in sizes)
    if lines >= len(sizes):
        assert min(shares.values()) >= 1
    if lines >= total:
        assert shares == sizes
    assert shares == allocate(dict(reversed(sizes.items())), lines)


def test_shares_are_proportional() -> None:
    shares = allocate({("a",): 900, ("b",): 90, ("c",): 9, ("d",): 1}, 100)
    assert shares == {("a",): 89, ("b",): 9, ("c",): 1, ("d",): 1}


@given(HASHES, st.integers(1, 40), st.data())
def test_a_choice_stays_when_more_comes_that_hashes_higher(
    hashes: list[str], size: int, data: st.DataObject
) -> None:
    clusters = data.draw(st.none() | st.lists(st.integers(0, 4), min_size=len(hashes), max_size=len(hashes)))
    chosen = choose_places(hashes, size, clusters=clusters)
    assert len(chosen) == min(size, len(hashes))
    assert chosen == sorted(set(chosen))
    if clusters is None:
        later = [*hashes, "ffff", "ffff"]
        if len(hashes) >= size:
            assert choose_places(later, size) == chosen
        left = [hashes[number] for number in range(len(hashes)) if number not in chosen]
        assert all(hashes[number] <= other for number in chosen for other in left)


def test_a_diverse_choice_takes_from_each_cluster_before_a_second_from_any() -> None:
    hashes = [f"{number:04}" for number in range(12)]
    clusters = ["a"] * 9 + ["b", "c", "c"]
    assert choose_places(hashes, 3, clusters=clusters) == [0, 9, 10]
    assert choose_places(hashes, 5, clusters=clusters) == [0, 1, 9, 10, 11]
    assert choose_places(hashes, 3) == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_groups_are_connected_components(joins: list[tuple[int, int]]) -> None:
    groups = Groups(20)
    for one, other in joins:
        groups.join(one, other)
    members = [{number} for number in range(20)]
    for one, other in joins:
        union = members[one] | members[other]
        for number in union:
            members[number] = union
    assert [groups.find(number) for number in range(20)] == [min(each) for each in members]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60, unique=True), st.floats(0.05, 0.9))
def test_a_side_depends_on_nothing_but_the_group(numbers: list[int], share: float) -> None:
    hashes = [f"{number:032x}" for number in numbers]
    groups = list(range(len(hashes)))
    held = held_out_groups(groups, hashes, share)
    alone = {number for number in groups if held_out_groups([0], [hashes[number]], share)}
    assert held == alone


@settings(max_examples=30)
@given(st.integers(1, 40))
def test_a_number_of_lines_is_met_where_there_are_so_many(lines: int) -> None:
    hashes = [f"{number:032x}" for number in range(100)]
    held = held_out_groups(range(100), hashes, lines)
    assert lines <= len(held) <= 75
    assert held_out_lines(lines, 1000) == lines


def test_shares_of_a_limited_set() -> None:
    assert held_out_lines(0.1, 900) == 100
    assert held_out_lines(0.1, None) is None


# --- over a store ---------------------------------------------------------------------------------------------


def held(path: Path) -> Path:
    return path.with_name("train.held-out.jsonl")


def test_strata_over_metadata(tmp_path: Path) -> None:
    store = store_with(tmp_path, [*many(200), sound(999, metadata={"intent": "rare"})])
    train = tmp_path / "train.jsonl"
    pipeline.export(str(train), store, max_lines=21, stratify=["intent", "region"], allow_few=True)
    rows = pipeline.select(store, columns=["request_id", "request_metadata"])
    intents = {row["request_id"]: row["request_metadata"]["intent"] for row in rows}
    chosen = Counter(intents[request] for request in requests_of(train))
    assert chosen == {"refund": 10, "delivery": 5, "other": 5, "rare": 1}
    pipeline.export(str(train), store, max_lines=30, stratify="length,input_tokens", allow_few=True)
    assert len(lines_of(train)) == 30


def test_a_diverse_choice_over_near_duplicates(tmp_path: Path) -> None:
    alike = [sound(n, prompt=f"{prose('alike', 60)} {n}", answer=prose(f"answer {n}")) for n in range(60)]
    store = store_with(tmp_path, [*alike, *many(20, start=100)])
    train = tmp_path / "train.jsonl"
    pipeline.export(str(train), store, max_lines=21, diverse=True, allow_few=True)
    assert sum(request < "r00060" for request in requests_of(train)) == 1
    pipeline.export(str(train), store, max_lines=21, allow_few=True)
    assert sum(request < "r00060" for request in requests_of(train)) > 5


def chats(number: int) -> list[Any]:
    """Chats of one to three turns, logged again at each."""
    records = []
    for chat in range(number):
        texts = [prose(f"chat {chat}, {turn}") for turn in range(6)]
        records += [
            record(
                f"c{chat:03}-{turn}",
                at=f"2026-06-01T{chat // 60:02}:{chat % 60:02}:{turn:02}Z",
                model=NOVA,
                prompt=texts[: 2 * turn + 1],
                answer=texts[2 * turn + 1],
                metadata={"session": f"s{chat // 2}"},
            )
            for turn in range(chat % 3 + 1)
        ]
    return records


@pytest.mark.parametrize("history", [None, "fold", "split"])
def test_conversations_and_sessions_stay_on_one_side(tmp_path: Path, history: str | None) -> None:
    store = store_with(tmp_path, chats(60))
    train = tmp_path / "train.jsonl"
    pipeline.export(str(train), store, held_out=0.3, history=history, allow_few=True)
    sides = [{request[:4] for request in requests_of(path)} for path in (train, held(train))]
    assert all(sides)
    assert not sides[0] & sides[1], "a conversation on both sides"
    pipeline.export(str(train), store, held_out=0.3, history=history, session="session", allow_few=True)
    sides = [{int(request[1:4]) // 2 for request in requests_of(path)} for path in (train, held(train))]
    assert all(sides)
    assert not sides[0] & sides[1], "a session on both sides"


def test_near_duplicates_stay_on_one_side(tmp_path: Path) -> None:
    alike = [
        sound(10 * n + copy, prompt=f"{prose(f'base {n}', 40)} copy {copy}")
        for n in range(50)
        for copy in range(3)
    ]
    store = store_with(tmp_path, alike)
    train = tmp_path / "train.jsonl"
    pipeline.export(str(train), store, held_out=0.3, allow_few=True)
    sides = [{request[:5] for request in requests_of(path)} for path in (train, held(train))]
    assert all(sides)
    assert not sides[0] & sides[1]


def test_a_day_of_logs_changes_only_what_it_must(tmp_path: Path) -> None:
    """No side changes. Of the choice goes what hashes higher than something that came: about the day's share."""
    options: dict[str, Any] = {
        "curate": True, "max_lines": 300, "held_out": 0.2, "stratify": "intent", "allow_few": True,
    }  # fmt: skip
    train, today = tmp_path / "train.jsonl", tmp_path / "today" / "train.jsonl"
    today.parent.mkdir()
    store = store_with(tmp_path, [*many(900), *faulty(1)])
    pipeline.export(str(train), store, **options)
    store_with(tmp_path, [*many(100, day=3, start=900), *faulty(3)])
    pipeline.export(str(today), store, **options)
    diff = pipeline.diff_datasets(str(train), str(today))
    assert diff.crossed == ()
    for each in diff.sets:
        assert each.changed == ()
        assert each.share is not None
        assert each.share >= 0.85, f"{each.role}: {each.share:.1%} of yesterday's lines stay"
    assert set(diff.settings) == {"store_version", "log objects", "digest of log objects"}


def test_without_a_limit_all_of_yesterday_stays(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "curate": True, "redact": "surrogate", "held_out": 0.2, "allow_few": True,
    }  # fmt: skip
    train, today = tmp_path / "train.jsonl", tmp_path / "today" / "train.jsonl"
    today.parent.mkdir()
    store = store_with(tmp_path, [*many(300), *faulty(1)])
    pipeline.export(str(train), store, **options)
    store_with(tmp_path, many(100, day=3, start=300))
    pipeline.export(str(today), store, **options)
    diff = pipeline.diff_datasets(str(train), str(today))
    assert [(each.share, each.went, each.changed) for each in diff.sets] == [(1.0, (), ())] * 2
    assert diff.crossed == ()
