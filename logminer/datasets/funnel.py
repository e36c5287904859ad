"""What became of every pair on the way into a dataset: counts by stage and reason, and a list of those left out."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from logminer.curation.history import TURN_MARK
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair


class Stage(msgspec.Struct, frozen=True):
    """One stage of the funnel. `entered` is `left` of the one before.

    `dropped` counts by reason what went no further, `reported` what a rule that only reports would have dropped.
    `made` counts pairs that the stage made out of others, `changed` those whose texts it changed, by kind.
    `left` is `entered` less the dropped ones and with the made ones.
    """

    stage: str
    entered: int
    left: int
    dropped: dict[str, int] = {}
    reported: dict[str, int] = {}
    made: int = 0
    changed: dict[str, int] = {}


class Reject(msgspec.Struct, frozen=True, omit_defaults=True):
    """One pair that a stage dropped, or that a rule reported. It holds no prompt and no response."""

    request_id: str | None
    source_uri: str
    source_position: int
    rule: str
    reason: str
    evidence: str
    turn: int | None = None
    action: str = "dropped"


def origin_of(source_uri: str) -> tuple[str, int | None]:
    """The address of the log object, and the turn for a pair that is one turn of a record."""
    uri, mark, turn = source_uri.rpartition(TURN_MARK)
    return (uri, int(turn)) if mark and turn.isdecimal() else (source_uri, None)


def reject(pair: PromptResponsePair, rule: str, reason: str, evidence: str) -> Reject:
    """The reject that says why a pair goes no further."""
    uri, turn = origin_of(pair.source_uri)
    return Reject(pair.request_id, uri, pair.source_position, rule, reason, evidence, turn)


class Funnel:
    """Collects the stages as they run, and the rejects on disk."""

    def __init__(self, folder: str) -> None:
        self.stages: list[Stage] = []
        self._path = os.path.join(folder, "rejects.jsonl")
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._stream = os.fdopen(descriptor, "wb")
        self.rejects = 0

    def add(self, stage: Stage) -> None:
        """A stage that has run."""
        assert stage.left == stage.entered - sum(stage.dropped.values()) + stage.made, stage
        self.stages.append(stage)

    def put(self, rejected: Reject) -> None:
        """A pair that a stage left out or reported."""
        self._stream.write(encode_json(rejected) + b"\n")
        self.rejects += 1

    def copy_to(self, stream: BinaryIO) -> None:
        """Write the list of rejects, a JSON object a line, in the order of the stages."""
        self._stream.flush()
        with open(self._path, "rb") as written:
            shutil.copyfileobj(written, stream)

    def rejects_of(self, request_id: str) -> Iterator[Reject]:
        """The rejects of one request."""
        self._stream.flush()
        with open(self._path, "rb") as written:
            for line in written:
                found = msgspec.json.decode(line, type=Reject)
                if found.request_id == request_id:
                    yield found

    def close(self) -> None:
        """Close the list."""
        self._stream.close()


def counted(reasons: Counter[str]) -> dict[str, int]:
    """Counts by reason, in the order of the alphabet."""
    return dict(sorted(reasons.items()))
