"""Stores for datasets: sound pairs that are not alike, with planted faults, over some days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from query.logs import Record, make_store, record

_NOUNS = """
amber basket candle dragon engine feather garden hammer island jacket kettle ladder magnet needle orange pencil
quartz ribbon saddle tunnel umbrella velvet window yellow zipper anchor bridge copper desert
"""
WORDS = _NOUNS.split()


def prose(seed: str, words: int = 14) -> str:
    """A sentence of its own for each seed."""
    digest = hashlib.sha512(seed.encode()).digest()
    chosen = [WORDS[digest[number] % len(WORDS)] for number in range(words)]
    return f"The {' '.join(chosen)} {seed}."


def sound(number: int, *, day: int = 1, **options: Any) -> Record:
    """A pair that no rule has anything against; each number says something else."""
    fields: dict[str, Any] = {
        "at": f"2026-06-{day:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "prompt": prose(f"question {number}"),
        "answer": prose(f"answer {number}"),
        "metadata": {"intent": ("refund", "refund", "delivery", "other")[number % 4], "s": f"s{number // 3}"},
    }
    return record(f"r{number:05}", **{**fields, **options})


def many(count: int, *, day: int = 1, start: int = 0) -> list[Record]:
    """Sound pairs of one day."""
    return [sound(start + number, day=day) for number in range(count)]


def faulty(day: int = 2) -> list[Record]:
    """One or more of each fault, with ids that begin with the rule that finds it."""
    question, answer = prose("twin question", 40), prose("twin answer", 40)
    at = f"2026-06-{day:02}T23:00:%02dZ"
    pairs = [
        ("sound-twin", question, answer),
        ("near_duplicates-1", question.replace("The ", "A "), answer),
        ("sound-newest", prose("conflict"), prose("second answer")),
        ("blank-1", "???", prose("to nothing")),
        ("template_tokens-1", prose("token"), f"{prose('answer to token')} <|eot_id|> [INST]"),
        ("repetition-1", prose("loop"), "I can do that for you now. " * 60),
        ("refusals-1", prose("refusal"), "I'm sorry, but I can't help with that request."),
        ("email-1", f"My address is ann.lee@corp-mail.org, {prose('mail')}", prose("mail answer")),
    ]
    records = [
        record(name, at=at % number, prompt=prompt, answer=answer, metadata={"intent": "refund"})
        for number, (name, prompt, answer) in enumerate(pairs)
    ]
    older = record("conflicting_answers-1", at=at % 0, prompt=prose("conflict"), answer=prose("first answer"))
    return [*records, older]


def store_with(folder: Path, *batches: Sequence[Record]) -> str:
    """A store below `folder`."""
    return make_store(folder, *batches)


def lines_of(path: Path | str) -> list[dict[str, Any]]:
    """The JSON lines of a file."""
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def requests_of(path: Path | str) -> list[str]:
    """The request ids of a dataset's lines, by its sidecar."""
    return [line["request_id"] for line in lines_of(f"{path}.pairs.jsonl")]
