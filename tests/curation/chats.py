"""Pairs that the tests of duplicates and histories are made of, in a short form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from logminer.curation import curation_rules
from logminer.curation.history import fold_history, same_turns, shorter_histories, split_turns
from logminer.curation.rule import Dropped, Pairs
from logminer.curation.turns import canonical_turns, read_turns
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair, pair_hashes


def chat(
    number: int,
    *said: str,
    answer: str | None = "Yes.",
    system: str | None = None,
    blocks: Sequence[Mapping[str, Any]] = (),
    **other: Any,
) -> PromptResponsePair:
    """A pair whose turns alternate, the user's first; `number` gives its place in time, its id and its position.

    `blocks` are blocks of the last turn that follow its text.
    """
    messages: list[dict[str, Any]] = [
        {"role": "assistant" if index % 2 else "user", "content": [{"text": text}]}
        for index, text in enumerate(said)
    ]
    messages[-1]["content"] += blocks
    text = json.dumps(messages)
    prompt_hash, pair_hash = pair_hashes(system, canonical_turns(read_turns(text)), encode_json(answer))
    fields: dict[str, Any] = {
        "source_uri": "file:///logs/a.json.gz",
        "source_position": number,
        "request_id": f"r{number}",
        "time_us": number * 1_000_000,
        "account_id": None,
        "region": None,
        "operation": None,
        "identity_arn": None,
        "model_id": None,
        "model": None,
        "request_metadata": {},
        "system": system,
        "messages": text,
        "response": answer,
        "response_blocks": json.dumps([{"text": answer}]) if answer is not None else None,
        "reasoning": None,
        "tools": None,
        "params": None,
        "stop_reason": "end_turn",
        "turns": (len(said) + 1) // 2,
        "input_tokens": 10,
        "output_tokens": 3,
        "prompt_hash": prompt_hash,
        "pair_hash": pair_hash if answer else None,
    }
    return PromptResponsePair(**fields | other)


def give(pairs: Sequence[PromptResponsePair]) -> Pairs:
    """Pairs as a rule takes them."""
    return lambda: pairs


def drops(rule: str, pairs: Sequence[PromptResponsePair], **options: Any) -> list[Dropped]:
    """What a rule drops of the pairs, with its defaults but for the options given."""
    found = curation_rules()[rule]
    return list(found.make({**found.options, **options})(give(pairs)))


def kept(pairs: Iterable[PromptResponsePair], dropped: Iterable[Dropped]) -> set[str]:
    """The ids of the pairs that are left."""
    keys = {each.key for each in dropped}
    return {str(pair.request_id) for pair in pairs if pair.key not in keys}


def with_history(
    pairs: Iterable[PromptResponsePair], mode: str
) -> tuple[list[PromptResponsePair], list[Dropped]]:
    """What a way to treat growing chats leaves, and what it drops."""
    made, find = list(pairs), shorter_histories
    if mode != "longest":
        transform, find = split_turns if mode == "split" else fold_history, same_turns
        made = [part for pair in made for part in transform(pair)]
    dropped = list(find(give(made)))
    keys = {each.key for each in dropped}
    return [pair for pair in made if pair.key not in keys], dropped
