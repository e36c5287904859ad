"""Log records and log objects for the tests of reading."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from logminer.conversations import record_decoder
from logminer.framing import Quarantined
from logminer.ingestion.reader import read_log
from logminer.sources import LogObject, list_source
from logminer.sources.local import open_local
from logminer.store.quarantine import QUARANTINE_REASONS
from logminer.store.rows import Row

SAMPLES = Path(__file__).resolve().parents[2] / "sample_logs" / "AWSLogs"
HOUR = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-west-2/2026/06/03/08"
LOG_NAME = "20260603T080004784Z_451069268fb9f876.json.gz"


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A good record; its request id and its texts tell its number."""
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"2026-06-03T08:{number // 60 % 60:02}:{number % 60:02}Z",
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:iam::111122223333:role/app"},
        "region": "us-west-2",
        "requestId": f"request-{number}",
        "operation": "Converse",
        "modelId": "meta.llama3-1-405b-instruct-v1:0",
        "requestMetadata": {"project": "CustomerService"},
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": f"Where is {number}?"}]}]},
            "inputTokenCount": 7,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {
                "output": {"message": {"role": "assistant", "content": [{"text": f"Here, {{{number}}}."}]}},
                "stopReason": "end_turn",
            },
            "outputTokenCount": 5,
        },
        **changes,
    }


def lines(*values: Any) -> bytes:
    return b"".join(line(value) + b"\n" for value in values)


def line(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def read(data: bytes, name: str = f"{HOUR}/{LOG_NAME}") -> list[Row | Quarantined]:
    """What an object of this content gives, without a file."""
    log = LogObject(f"file:///logs/{name}", "file:///logs", len(data), "1")
    return checked(read_log(log, io.BytesIO(data), record_decoder()))


def read_source(source: Path) -> list[Row | Quarantined]:
    """What the log objects of a folder or file give."""
    found: list[Row | Quarantined] = []
    for log in list_source(str(source)).objects:
        with open_local(log) as stream:
            found.extend(checked(read_log(log, stream, record_decoder())))
    return found


def read_file(folder: Path, data: bytes, name: str = LOG_NAME) -> list[Row | Quarantined]:
    """What a real file of this content gives."""
    path = folder / HOUR / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return read_source(path)


def checked(values: Iterable[Row | Quarantined]) -> list[Row | Quarantined]:
    """The values, which must have the ordinals as positions, and known reasons."""
    found = list(values)
    assert [value.position for value in found] == list(range(len(found)))
    for value in found:
        if isinstance(value, Quarantined):
            assert value.reason in QUARANTINE_REASONS
            assert len(value.raw) <= 64 << 10
    return found


def outcomes(values: Iterable[Row | Quarantined]) -> list[str | None]:
    """The request ids of records, and the reasons of the rest, in order."""
    return [value.reason if isinstance(value, Quarantined) else value.record.request_id for value in values]


def details(value: Row | Quarantined) -> list[str]:
    assert isinstance(value, Row)
    return (value.conversation.status_detail or "").split()


def only_row(values: list[Row | Quarantined]) -> Row:
    assert len(values) == 1
    assert isinstance(values[0], Row)
    return values[0]


def said(row: Row) -> tuple[str, str | None]:
    """The text of the only turn, and the response."""
    (message,) = json.loads(row.conversation.messages or "")
    (block,) = message["content"]
    return block["text"], row.conversation.response


def assert_untouched(row: Row | Quarantined, number: int) -> None:
    """That a record made by `record(number)` was read with all that is in it."""
    assert isinstance(row, Row)
    assert row.record.request_id == f"request-{number}"
    assert row.record.request_metadata == {"project": "CustomerService"}
    assert said(row) == (f"Where is {number}?", f"Here, {{{number}}}.")
    assert (row.conversation.status, row.conversation.status_detail) == ("pair", None)
    assert (row.conversation.input_tokens, row.conversation.output_tokens) == (7, 5)


def reading(data: bytes, size: int) -> io.BufferedIOBase:
    """A stream that never gives more than `size` bytes at once."""
    return _Dribble(data, size)


class _Dribble(io.BytesIO):
    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


def sample_lines() -> Iterator[bytes]:
    """Every line of the sample logs."""
    for path in sorted(SAMPLES.rglob("*.json.gz")):
        if path.parent.name != "data":
            yield from gzip.decompress(path.read_bytes()).splitlines()
