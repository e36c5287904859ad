"""Log records and log objects for buckets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import Any

from .servers import Bucket


def layout(hour: str = "2026/06/01/10", *, account: str = "111122223333", region: str = "us-west-2") -> str:
    """The key of an hour folder, with a slash at its end."""
    return f"AWSLogs/{account}/BedrockModelInvocationLogs/{region}/{hour}/"


def question(request_id: str) -> dict[str, Any]:
    """The body of a Converse request."""
    return {"messages": [{"role": "user", "content": [{"text": f"Where is {request_id}?"}]}]}


def answer(request_id: str) -> dict[str, Any]:
    """The body of a Converse response."""
    message = {"role": "assistant", "content": [{"text": f"Here is {request_id}."}]}
    return {"output": {"message": message}, "stopReason": "end_turn"}


def record(
    request_id: str,
    *,
    metadata: dict[str, str] | None = None,
    hour: str = "2026/06/01/10",
    input_path: str | None = None,
    output_path: str | None = None,
) -> dict[str, Any]:
    """A good Converse record; a body with a path lies there."""
    day, time = hour.replace("/", "-", 2).split("/")
    sent = (
        {"inputBodyS3Path": input_path} if input_path is not None else {"inputBodyJson": question(request_id)}
    )
    received = (
        {"outputBodyS3Path": output_path}
        if output_path is not None
        else {"outputBodyJson": answer(request_id)}
    )
    return {
        "timestamp": f"{day}T{time}:30:00Z",
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:iam::111122223333:role/app"},
        "region": "us-west-2",
        "requestId": request_id,
        "operation": "Converse",
        "modelId": "meta.llama3-1-405b-instruct-v1:0",
        "requestMetadata": {"project": "Support", **(metadata or {})},
        "input": {"inputContentType": "application/json", "inputTokenCount": 7, **sent},
        "output": {"outputContentType": "application/json", "outputTokenCount": 5, **received},
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }


def packed(values: Iterable[Any]) -> bytes:
    """Records as a log object."""
    return gzip.compress(b"\n".join(json.dumps(value).encode() for value in values), mtime=0)


def object_name(number: int = 0, hour: str = "2026/06/01/10") -> str:
    """A log object's name as Bedrock gives it."""
    day, time = hour.replace("/", "", 2).split("/")
    return f"{day}T{time}31{number % 60:02}000Z_{number:016x}.json.gz"


def put_logs(
    bucket: Bucket, prefix: str, objects: int, records: int, hour: str = "2026/06/01/10"
) -> list[str]:
    """Log objects in one hour folder; the request ids in them, sorted.

    Every object has a metadata key of its own, and every tenth record an answer that lies under `data/`.
    """
    folder = prefix + layout(hour)
    requests = []
    for number in range(objects):
        values = []
        for each in range(records):
            name = f"{hour.replace('/', '')}-{number}-{each}"
            offloaded = None
            if each % 10 == 3:
                offloaded = bucket.put(
                    f"{folder}data/{name}_output.json.gz", gzip.compress(json.dumps(answer(name)).encode())
                )
            values.append(
                record(name, metadata={f"key{number}": str(each)}, hour=hour, output_path=offloaded)
            )
            requests.append(name)
        bucket.put(folder + object_name(number, hour), packed(values))
    return sorted(requests)
