"""Growing chats: what each mode leaves, for any conversations that begin alike."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.curation.history import fold_history, shorter_histories, split_turns
from logminer.curation.turns import read_turns
from logminer.pairs import PromptResponsePair
from logminer.reserved_words import find_reserved_word

from .chats import chat, drops, give, kept, with_history

said = st.lists(st.sampled_from(["Hello", "Why?", "No."]), min_size=2, max_size=7)
many_chats = st.lists(st.tuples(said, st.sampled_from([None, "Be brief."])), max_size=14).map(
    lambda rows: [
        chat(number, *texts[: len(texts) // 2 * 2 - 1], answer=texts[len(texts) // 2 * 2 - 1], system=system)
        for number, (texts, system) in enumerate(rows)
    ]
)


def whole(pair: PromptResponsePair) -> list[str | None]:
    """System prompt, all turns and the answer."""
    return [pair.system, *(turn.text for turn in read_turns(pair.messages)), pair.response]


@given(many_chats)
@settings(max_examples=150, deadline=None)
def test_longest_drops_what_another_begins_with(pairs):
    dropped = list(shorter_histories(give(pairs)))
    wanted = {
        pair.key
        for pair in pairs
        if any(
            len(whole(one)) > len(whole(pair)) and whole(one)[: len(whole(pair))] == whole(pair)
            for one in pairs
        )
    }
    assert [each.key for each in dropped] == [pair.key for pair in pairs if pair.key in wanted]
    stay = kept(pairs, dropped)
    by_id = {pair.request_id: pair for pair in pairs}
    for each in dropped:
        twin = by_id[each.evidence.split()[-1]]
        assert twin.request_id in stay
        assert whole(twin)[: len(whole(pairs[each.key[1]]))] == whole(pairs[each.key[1]])


@given(many_chats, st.sampled_from(["longest", "split", "fold"]), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_pairs_does_not_matter(pairs, mode, dice):
    mixed = list(pairs)
    dice.shuffle(mixed)
    (left, drops), (left_mixed, drops_mixed) = (with_history(each, mode) for each in (pairs, mixed))
    assert set(drops) == set(drops_mixed)
    assert sorted(left, key=lambda pair: pair.key) == sorted(left_mixed, key=lambda pair: pair.key)


@given(many_chats, st.sampled_from(["split", "fold"]))
@settings(max_examples=100, deadline=None)
def test_what_is_made_is_different_and_counted(pairs, mode):
    made, dropped = with_history(pairs, mode)
    keys = [pair.key for pair in made] + [each.key for each in dropped]
    assert len(keys) == len(set(keys))
    per_record = {pair.key: pair.turns if mode == "split" else 1 for pair in pairs}
    assert len(keys) == sum(per_record.values())
    assert len({(*whole(pair),) for pair in made}) == len(made)
    assert {pair.turns for pair in made} <= {1}


@given(many_chats)
@settings(max_examples=100, deadline=None)
def test_split_leaves_each_turn_once(pairs):
    left, _ = with_history(pairs, "split")
    wanted = set()
    for pair in pairs:
        system, *texts = whole(pair)
        wanted |= {(system, *texts[at : at + 2]) for at in range(0, len(texts), 2)}
    assert {(*whole(pair),) for pair in left} == wanted


def test_a_turn_is_taken_from_the_record_that_it_was_the_answer_of():
    later = chat(1, "Hello", "Hi there", "Why?", answer="So.")
    own = chat(2, "Hello", answer="Hi there\n", output_tokens=2)
    left, _ = with_history([later, own], "split")
    assert [(pair.key[1], pair.output_tokens) for pair in left] == [(1, 3), (2, 2)]


def test_folded_text_has_no_word_that_a_student_refuses():
    (folded,) = fold_history(chat(1, "Hello", "Hi", "Why?"))
    assert find_reserved_word(folded.messages.encode()) is None
    assert "Human" not in folded.messages


def test_hashes_are_those_of_the_new_texts():
    pair = chat(1, "Hello", "Hi", "Why?", answer="So.", system="Be brief.")
    first, last = split_turns(pair)
    assert (first.prompt_hash, first.pair_hash) == hashes(chat(5, "Hello", answer="Hi", system="Be brief."))
    assert (last.prompt_hash, last.pair_hash) == hashes(chat(5, "Why?", answer="So.", system="Be brief."))
    (folded,) = fold_history(pair)
    text = json.loads(folded.messages)[0]["content"][0]["text"]
    assert (folded.prompt_hash, folded.pair_hash) == hashes(chat(5, text, answer="So.", system="Be brief."))
    assert hashes(split_turns(chat(1, "Hello", answer=None))[0])[1] is None


def hashes(pair: PromptResponsePair) -> tuple[str, str | None]:
    return pair.prompt_hash, pair.pair_hash


def test_a_single_turn_stays_as_it_is():
    pair = chat(1, "Hello", blocks=[{"image": {"format": "png"}}])
    assert split_turns(pair) == fold_history(pair) == [pair]


def test_tool_calls_tell_answers_apart():
    call = '[{"toolUse":{"toolUseId":"t1","name":"track","input":{}}}]'
    asked = chat(1, "Where is it?", answer=None, response_blocks=call)
    going_on = chat(2, "Where is it?", "", "", answer="In Bonn.")
    turns = json.loads(going_on.messages)
    turns[1]["content"] = json.loads(call)
    turns[2]["content"] = [{"toolResult": {"toolUseId": "t1", "content": [{"text": "Bonn"}]}}]
    same = chat(3, "x", messages=json.dumps(turns))
    turns[1]["content"][0]["toolUse"]["name"] = "other"
    other = chat(4, "x", messages=json.dumps(turns))
    assert list(shorter_histories(give([asked, other]))) == []
    assert [each.key[1] for each in shorter_histories(give([asked, same, other]))] == [1]


@pytest.mark.parametrize(
    "messages", ["", "[", "{}", "[1]", '[{"role":1}]', "[" * 100_000, '[{"role":"user"}]']
)
def test_messages_that_are_none_pass(messages):
    pair = chat(1, "Hello", messages=messages)
    for mode in ("longest", "split", "fold"):
        assert with_history([pair], mode) == ([pair], [])
    for rule in ("exact_duplicates", "conflicting_answers", "near_duplicates"):
        assert len(drops(rule, [pair, chat(2, "Hello", messages=messages)])) == (
            rule != "conflicting_answers"
        )


def test_a_long_conversation_takes_time_in_proportion():
    """Ten thousand turns, each logged chat a little longer: every turn is hashed once for each record."""
    dice = random.Random("long")
    texts = [f"{dice.getrandbits(64):x}" for _ in range(10_001)]
    pairs = [
        chat(number, *texts[: 2 * number + 1], answer=texts[2 * number + 1]) for number in (1, 2000, 4999)
    ]
    assert len(list(shorter_histories(give(pairs)))) == 2
    assert len(split_turns(pairs[-1])) == 5000
