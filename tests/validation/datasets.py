"""Lines and files that the tests of the validation are made of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from logminer.validation import Allowance, Profile, Report, check_line, validate_stream

VERSION = "bedrock-conversation-2024"


def conversation(*texts: str, **extra: Any) -> dict[str, Any]:
    """A conversation of turns that alternate, user first."""
    turns = [
        {"role": "assistant" if index % 2 else "user", "content": [{"text": text}]}
        for index, text in enumerate(texts)
    ]
    return {"schemaVersion": VERSION, **extra, "messages": turns}


def lines_of(count: int) -> list[bytes]:
    """So many different lines without fault, each with an answer."""
    return [json.dumps(conversation(f"Question {number}?", "Yes.")).encode() for number in range(count)]


def validate(
    data: bytes | Iterable[bytes], profile: Profile, *, name: str = "set.jsonl", **options: Any
) -> Report:
    """Validate bytes, or lines, as a file of that name; no fewest number of lines unless given."""
    content = data if isinstance(data, bytes) else b"".join(line + b"\n" for line in data)
    options.setdefault("min_lines", 0)
    return validate_stream(io.BufferedReader(io.BytesIO(content)), name, profile, Allowance(**options))


def broken_rules(line: bytes | dict[str, Any], profile: Profile) -> list[tuple[str, str]]:
    """The (rule, path) of every fault of one line."""
    content = line if isinstance(line, bytes) else json.dumps(line).encode()
    return [(fault.rule, fault.path) for fault in check_line(content, profile)]
