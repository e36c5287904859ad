"""Pairs for the tests of formats, made from the few fields that matter."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec
from hypothesis import strategies as st

from logminer.exports.format import ExportFormat
from logminer.json_text import encode_canonical_json
from logminer.pairs import PromptResponsePair, pair_hashes

TEACHER = "amazon.nova-pro-v1:0"
NOON_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z
_JSON = ("messages", "response_blocks", "tools", "params")


def make_pair(**fields: Any) -> PromptResponsePair:
    """A pair. JSON columns are given as what they say; `prompt` stands for messages of a single text."""
    prompt = fields.pop("prompt", "Where is my order?")
    base = {
        "source_uri": "file:///logs/a.json.gz",
        "source_position": 0,
        "request_id": "r-1",
        "time_us": NOON_US,
        "account_id": "111122223333",
        "region": "us-east-1",
        "operation": "InvokeModel",
        "identity_arn": "arn:aws:iam::111122223333:role/secret",
        "model_id": f"us.{TEACHER}",
        "model": TEACHER,
        "request_metadata": {},
        "system": None,
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "response": "It arrives on Friday.",
        "response_blocks": None,
        "reasoning": None,
        "tools": None,
        "params": None,
        "stop_reason": "end_turn",
        "input_tokens": 10,
        "output_tokens": 20,
        "prompt_hash": "0" * 32,
        "pair_hash": "1" * 32,
    } | fields
    base.setdefault("turns", [message["role"] for message in base["messages"]].count("user"))
    if base["response"] is not None and base["response_blocks"] is None:
        base["response_blocks"] = [{"text": base["response"]}]
    for name in _JSON:
        if base[name] is not None:
            base[name] = msgspec.json.encode(base[name]).decode()
    return msgspec.convert(base, PromptResponsePair)


def written(form: ExportFormat, pairs: Iterable[PromptResponsePair]) -> dict[str, bytes]:
    """The files that a format makes of pairs, by name; lines are those of one file without a name."""
    if form.write_line is not None:
        return {"": b"".join(form.write_line(pair) for pair in pairs)}
    files: dict[str, bytes] = {}

    @contextlib.contextmanager
    def open_file(name: str) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        yield stream
        assert name not in files
        files[name] = stream.getvalue()

    assert form.write_files is not None
    form.write_files(pairs, open_file)
    return files


def log_records(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The records of log objects, object by object."""
    return [json.loads(line) for name in files for line in gzip.decompress(files[name]).splitlines()]


HOSTILE = '\x00\x1b[31m\u2028"\\\ud83d\ude00\ufeff<image>\r\n'.encode("utf-16", "surrogatepass").decode(
    "utf-16"
)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: bool(text.strip())
) | st.sampled_from([HOSTILE, "x\ny", " y ", "\u00a0z"])
_roles = ("user", "assistant")


@st.composite
def text_pairs(draw: st.DrawFn, *, most_turns: int = 3) -> PromptResponsePair:
    """Pairs of text alone, with and without a system prompt."""
    count = 2 * draw(st.integers(1, most_turns)) - 1
    messages = [{"role": _roles[n % 2], "content": [{"text": draw(texts)}]} for n in range(count)]
    system, response = draw(st.none() | texts), draw(texts)
    canonical = encode_canonical_json(messages)
    prompt_hash, pair_hash = pair_hashes(system, canonical, encode_canonical_json(response))
    return make_pair(
        messages=messages,
        system=system,
        response=response,
        prompt_hash=prompt_hash,
        pair_hash=pair_hash,
        request_id=draw(st.none() | st.uuids().map(str)),
        time_us=draw(st.integers(NOON_US, NOON_US + 10**11)),
        request_metadata=draw(st.dictionaries(st.sampled_from(["project", "Project", "a/b", ""]), texts)),
    )
