"""Chats that grow: the same conversation is logged again at each turn, with all that was said before.

What to do about it depends on what is trained:

    last      each record as it is; a student learns its answer, with the turns before as its prompt
    longest   a conversation once, as it was logged last, for formats that train all its answers (`shorter_histories`)
    split     each user turn with its answer as a pair of its own, without what was said before (`split_turns`)
    fold      each record as a single user turn that tells what was said before (`fold_history`)

What several records have become the same by a split or a fold is kept once (`same_turns`).

Two records are one conversation when the messages of one, and its answer, are how the messages of the other begin,
under the same system prompt. White space is not compared, since clients trim answers before they send them back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Literal, get_args

import msgspec

from logminer.curation.digests import digest_of
from logminer.curation.places import Place, key_at, name_at, place_of
from logminer.curation.rule import Dropped, Pairs
from logminer.curation.turns import Turn, canonical_turns, read_blocks, read_turns, text_blocks, write_turns
from logminer.json_text import encode_canonical_json, encode_json
from logminer.pairs import PromptResponsePair, pair_hashes

HistoryMode = Literal["last", "longest", "split", "fold"]
HISTORY_MODES: tuple[HistoryMode, ...] = get_args(HistoryMode)

TURN_MARK = "#turn="
"""Stands in `source_uri` between a log object's address and the 0-based number of a user turn that was split off."""

_TOOLS = {"toolUse", "toolResult"}


# --- longest ------------------------------------------------------------------------------------------------


def shorter_histories(pairs: Pairs) -> Iterator[Dropped]:
    """The pairs whose whole conversation another one holds as its beginning; the longest of those is named.

    Goes through the pairs twice; holds a digest and a place for each answer that a prompt holds.
    """
    longest: dict[bytes, tuple[int, Place]] = {}
    for pair in pairs():
        beginnings = list(_beginnings(pair))
        # The most turns first, then the earliest record: a smaller number is longer.
        rank = (-len(beginnings), place_of(pair))
        for digest in beginnings:
            longest[digest] = min(longest.get(digest, rank), rank)
    for pair in pairs():
        found = longest.get(_whole(pair))
        if found is not None:
            yield Dropped(pair.key, "shorter_history", f"goes on in {name_at(found[1])}")


def _beginnings(pair: PromptResponsePair) -> Iterator[bytes]:
    """A digest of what the prompt holds up to each of its assistant turns."""
    digest = _opened(pair)
    for turn in read_turns(pair.messages):
        digest.update(_turn_digest(turn.role, turn.content))
        if turn.role == "assistant":
            yield digest.digest()


def _whole(pair: PromptResponsePair) -> bytes:
    """The digest of the prompt and its answer, as a prompt that goes on from there would hold them."""
    digest = _opened(pair)
    for turn in read_turns(pair.messages):
        digest.update(_turn_digest(turn.role, turn.content))
    digest.update(_answer_digest(pair))
    return digest.digest()


def _answer_digest(pair: PromptResponsePair) -> bytes:
    """The digest of the answer as a turn."""
    blocks = [block for block in read_blocks(pair.response_blocks) if "text" not in block]
    return _turn_digest("assistant", [{"text": pair.response or ""}, *blocks])


def _opened(pair: PromptResponsePair) -> blake2b:
    return blake2b(_dense(pair.system or ""), digest_size=16)


def _turn_digest(role: str, content: list[dict[str, Any]]) -> bytes:
    """The same for a turn and for its copy in a later prompt: texts without white space, no reasoning."""
    text = _dense("".join(text_blocks(content)))
    return digest_of(role.encode(), text, encode_canonical_json(Turn(role, content).other_blocks))


def _dense(text: str) -> bytes:
    return "".join(text.split()).encode()


# --- split and fold -----------------------------------------------------------------------------------------


def same_turns(pairs: Pairs) -> Iterator[Dropped]:
    """Of pairs with the same texts all but one: the one that was the record's own answer, else the earliest.

    Goes through the pairs twice; holds a digest and a place for each different pair.
    """
    staying: dict[bytes, tuple[bool, Place]] = {}
    for pair in pairs():
        rank = (TURN_MARK in pair.source_uri, place_of(pair))
        digest = _texts_digest(pair)
        staying[digest] = min(staying.get(digest, rank), rank)
    for pair in pairs():
        _, stays = staying[_texts_digest(pair)]
        if pair.key != key_at(stays):
            yield Dropped(pair.key, "same_turn", f"is in {name_at(stays)}")


def _texts_digest(pair: PromptResponsePair) -> bytes:
    """Prompt and answer; the hashes are not asked, which may be those of other texts."""
    turns = [_turn_digest(turn.role, turn.content) for turn in read_turns(pair.messages)]
    return digest_of(_dense(pair.system or ""), *turns, _answer_digest(pair))


def split_turns(pair: PromptResponsePair) -> list[PromptResponsePair]:
    """Each user turn of the pair with the answer to it, under the same system prompt and without the turns before.

    The last one has the record's own answer and key. The others are named after the record with `TURN_MARK` and
    their turn; what the log does not say about them, such as tokens and the stop reason, is None. A turn that a tool
    was called for, or that gives a tool's result, does not stand alone and is left out.
    """
    turns = read_turns(pair.messages)
    asked = [number for number, turn in enumerate(turns) if turn.role == "user"]
    pairs = []
    for ordinal, number in enumerate(asked):
        question, answer = turns[number], turns[number + 1] if number + 1 < len(turns) else None
        if _has_tools(question) or (answer is not None and _has_tools(answer)):
            continue
        if answer is None:
            pairs.append(_alone(pair, question) if number else pair)
        elif answer.role == "assistant" and answer.text:
            pairs.append(_earlier(pair, ordinal, question, answer.text))
    return pairs


def _has_tools(turn: Turn) -> bool:
    return any(not _TOOLS.isdisjoint(block) for block in turn.content)


def _alone(pair: PromptResponsePair, question: Turn) -> PromptResponsePair:
    """The pair with this question alone; the logged prompt tokens are those of the whole conversation."""
    return _with_prompt(msgspec.structs.replace(pair, input_tokens=None), [question])


def _earlier(pair: PromptResponsePair, ordinal: int, question: Turn, answer: str) -> PromptResponsePair:
    """A pair of an earlier turn, of which the log has no more than its texts."""
    earlier = msgspec.structs.replace(
        pair,
        source_uri=f"{pair.source_uri}{TURN_MARK}{ordinal}",
        response=answer,
        response_blocks=encode_json([{"text": answer}]).decode(),
        reasoning=None,
        stop_reason=None,
        input_tokens=None,
        output_tokens=None,
    )
    return _with_prompt(earlier, [question])


def fold_history(pair: PromptResponsePair) -> list[PromptResponsePair]:
    """The pair with all its turns told in one: what was said before, then what the user says now.

        Our conversation so far:

        [user]
        Where is my order?

        [assistant]
        On its way.

        Now:

        When will it arrive?

    The labels are no words that Amazon Nova reserves and no template's. Blocks of earlier turns that are no text are
    told as JSON, those of the last stay blocks. A pair of a single turn stays as it is.
    """
    turns = read_turns(pair.messages)
    if len(turns) == 1:
        return [pair]
    *before, last = turns
    told = "\n\n".join(f"[{turn.role}]\n{_told(turn)}" for turn in before)
    text = f"Our conversation so far:\n\n{told}\n\nNow:\n\n{last.text}"
    return [_with_prompt(pair, [Turn("user", [{"text": text}, *last.other_blocks])])]


def _told(turn: Turn) -> str:
    blocks = [encode_canonical_json(block).decode() for block in turn.other_blocks]
    return "\n".join([*text_blocks(turn.content), *blocks])


def _with_prompt(pair: PromptResponsePair, turns: Sequence[Turn]) -> PromptResponsePair:
    """The pair with other turns, one of them the user's, and the hashes of what it then says."""
    answer = encode_json(pair.response)
    prompt_hash, pair_hash = pair_hashes(pair.system, canonical_turns(turns), answer)
    return msgspec.structs.replace(
        pair,
        messages=write_turns(turns),
        turns=1,
        prompt_hash=prompt_hash,
        pair_hash=pair_hash if pair.response else None,
    )
