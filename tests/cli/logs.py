"""Log objects that tests write themselves."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEACHER = "meta.llama3-1-70b-instruct-v1:0"


def record(number: int, *, prompt: str = "", answer: str = "", **fields: Any) -> dict[str, Any]:
    """A Converse call that is a pair, each with another prompt and answer."""
    messages = [{"role": "user", "content": [{"text": prompt or f"Question {number}?"}]}]
    message = {"role": "assistant", "content": [{"text": answer or f"Answer {number}."}]}
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"2026-03-14T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "accountId": "111122223333",
        "region": "us-west-2",
        "requestId": f"request-{number:06}",
        "operation": "Converse",
        "modelId": TEACHER,
        "input": {"inputBodyJson": {"messages": messages}, "inputTokenCount": 5},
        "output": {
            "outputBodyJson": {"output": {"message": message}, "stopReason": "end_turn"},
            "outputTokenCount": 3,
        },
        **fields,
    }


def write_log(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """A gzipped log object with one record a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(each) + "\n" for each in records)
    path.write_bytes(gzip.compress(lines.encode(), compresslevel=1))
    return path


def hour_folder(root: Path) -> Path:
    """Where Bedrock puts the logs of an hour."""
    return root / "AWSLogs/111122223333/BedrockModelInvocationLogs/us-west-2/2026/03/14/00"
