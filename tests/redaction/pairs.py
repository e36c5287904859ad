"""Pairs to redact, and all texts that a pair consists of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from logminer.pairs import PromptResponsePair

FIELDS = ("system", "messages", "tools", "params", "reasoning", "response", "response_blocks")
JSON_FIELDS = ("messages", "tools", "params", "response_blocks")


def pair_with(**texts: str | None) -> PromptResponsePair:
    """A pair with these texts, and nothing in the others."""
    return PromptResponsePair(
        source_uri="file:///logs/a.json.gz",
        source_position=3,
        request_id="3b5c9f6e-0000-4000-8000-000000000001",
        time_us=1_700_000_000_000_000,
        account_id="111122223333",
        region="us-east-1",
        operation="Converse",
        identity_arn="arn:aws:sts::111122223333:assumed-role/support/ann@acme.co",
        model_id="amazon.nova-pro-v1:0",
        model="amazon.nova-pro-v1:0",
        request_metadata={"owner": "ann@acme.co"},
        stop_reason="end_turn",
        turns=1,
        input_tokens=10,
        output_tokens=5,
        prompt_hash="0" * 32,
        pair_hash="1" * 32,
        **{name: texts.get(name, "[]" if name == "messages" else None) for name in FIELDS},
    )


def user_says(text: str) -> str:
    """Messages of one user turn, as the store writes them."""
    return msgspec.json.encode([{"role": "user", "content": [{"text": text}]}]).decode()


def strings_of(pair: PromptResponsePair) -> Iterator[str]:
    """Every text of a pair, and of its JSON every string, key and number."""
    for name in FIELDS:
        text = getattr(pair, name)
        if text is not None:
            yield from _strings(json.loads(text)) if name in JSON_FIELDS else [text]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)
