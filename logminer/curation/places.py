"""The order that pairs stand in, whatever order they are given in, and how a message names one of them."""

from __future__ import annotations

from logminer.pairs import PromptResponsePair

Place = tuple[int, bool, str, str, int]
"""Sorts like the store: time in µs, no request id, request id, source_uri, source_position."""

_MAX_ID = 128


def place_of(pair: PromptResponsePair) -> Place:
    """Where the pair stands. No two pairs stand at one place."""
    return pair.time_us, pair.request_id is None, pair.request_id or "", pair.source_uri, pair.source_position


def key_at(place: Place) -> tuple[str, int]:
    """The key of the pair at this place."""
    return place[3], place[4]


def name_at(place: Place) -> str:
    """The name of the pair at this place for people: its request id, else its source and position."""
    return place[2][:_MAX_ID] or f"{place[3]}:{place[4]}"
