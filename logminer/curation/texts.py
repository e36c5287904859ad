"""The texts of a pair, with the place of each, and its sampling parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from logminer.curation.turns import read_turns, text_blocks
from logminer.pairs import PromptResponsePair


class PlacedText(NamedTuple):
    """A text and what it is: `system`, `turn 1` (counted from the first, both roles), `response`, `reasoning`."""

    place: str
    text: str


_decode_params = msgspec.json.Decoder(dict[str, Any]).decode


def prompt_texts(pair: PromptResponsePair) -> Iterator[PlacedText]:
    """The texts of the prompt: system text and turns, in their order."""
    if pair.system is not None:
        yield PlacedText("system", pair.system)
    for number, turn in enumerate(read_turns(pair.messages), start=1):
        for text in text_blocks(turn.content):
            yield PlacedText(f"turn {number}", text)


def texts_of(pair: PromptResponsePair, *, reasoning: bool = False) -> Iterator[PlacedText]:
    """The texts of the prompt, then the response, then the model's reasoning if it is asked for."""
    yield from prompt_texts(pair)
    if pair.response is not None:
        yield PlacedText("response", pair.response)
    if reasoning and pair.reasoning is not None:
        yield PlacedText("reasoning", pair.reasoning)


def params_of(pair: PromptResponsePair) -> dict[str, Any]:
    """The sampling parameters; empty where the record has none that can be read."""
    try:
        return _decode_params(pair.params) if pair.params is not None else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
