"""Digests that are equal where prompts or answers are: what rules hold in memory in place of texts."""

from __future__ import annotations

from hashlib import blake2b

from logminer.curation.turns import Turn, canonical_turns, read_turns
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair

_BYTES = 16


def digest_of(*parts: bytes) -> bytes:
    """16 bytes, and others for any other parts, also where the same bytes are divided differently."""
    digest = blake2b(digest_size=_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def prompt_digest(pair: PromptResponsePair, *, ignore_spaces: bool = False) -> bytes:
    """The same for prompts of the same system prompt and turns, read from the texts as they now are.

    `ignore_spaces` takes any run of white space for a blank, and none at the ends of a text.
    """
    turns, system = read_turns(pair.messages), pair.system
    if ignore_spaces:
        turns = [_spaced(turn) for turn in turns]
        system = " ".join(system.split()) if system is not None else None
    return digest_of(encode_json(system), canonical_turns(turns))


def answer_digest(pair: PromptResponsePair, *, ignore_spaces: bool = False) -> bytes:
    """The same for the same answers: the text, or the blocks of an answer without one."""
    answer = pair.response
    if answer is None:
        return digest_of(b"blocks", (pair.response_blocks or "").encode())
    return digest_of(b"text", (" ".join(answer.split()) if ignore_spaces else answer).encode())


def _spaced(turn: Turn) -> Turn:
    blocks = [
        {**block, "text": " ".join(block["text"].split())} if isinstance(block.get("text"), str) else block
        for block in turn.content
    ]
    return Turn(turn.role, blocks)
