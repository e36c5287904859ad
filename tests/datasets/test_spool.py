"""Pairs on disk: as they were, as often as asked, and no texts left behind."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from curation.chats import chat
from hypothesis import given
from hypothesis import strategies as st

from logminer.datasets.building import workshop
from logminer.datasets.spool import PairSet, Spool
from logminer.errors import StorageError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(texts, texts), max_size=12), st.data())
def test_pairs_come_back_as_they_were(said: list[tuple[str, str]], data: st.DataObject) -> None:
    pairs = [chat(number, prompt, answer=answer) for number, (prompt, answer) in enumerate(said)]
    with TemporaryDirectory() as folder:
        spool = Spool(folder, iter(pairs))
        both = PairSet(spool)
        assert (len(spool), list(both), list(both)) == (len(pairs), pairs, pairs)
        places = data.draw(st.sets(st.integers(0, max(len(pairs) - 1, 0)), max_size=len(pairs)))
        assert list(both.only(places)) == [pair for place, pair in enumerate(pairs) if place in places]
        assert list(both.without(places)) == [pair for place, pair in enumerate(pairs) if place not in places]
        assert [spool.place_of(pair.key) for pair in pairs] == list(range(len(pairs)))
        assert [list(pair) for pair in zip(both, both, strict=True)] == [[pair, pair] for pair in pairs]


def test_two_pairs_of_one_key_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two pairs have the key"):
        Spool(str(tmp_path), [chat(1, "a"), msgspec.structs.replace(chat(2, "b"), source_position=1)])


def test_texts_are_their_owners_alone_and_go_in_the_end() -> None:
    with workshop() as (folder, _):
        PairSet(Spool(folder, [chat(1, "a")]), array("I", [0]))
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert {os.stat(entry).st_mode & 0o777 for entry in os.scandir(folder)} == {0o600}
    assert not os.path.exists(folder)


def test_no_room_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="TMPDIR"):
        Spool(str(tmp_path / "gone"), [chat(1, "a")])
