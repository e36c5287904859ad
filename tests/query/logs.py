"""Log records as Bedrock writes them, and stores made of them by real ingests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from logminer import pipeline

LLAMA = "meta.llama3-1-405b-instruct-v1:0"
LLAMA_GEO = f"us.{LLAMA}"
LLAMA_ARN = f"arn:aws:bedrock:us-west-2:111122223333:inference-profile/{LLAMA_GEO}"
LLAMA_70B = "meta.llama3-1-70b-instruct-v1:0"
NOVA = "amazon.nova-pro-v1:0"
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
OPAQUE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcd1234efgh"

Record = dict[str, Any]


def record(
    request_id: str | None,
    *,
    at: str = "2026-06-03T08:00:00Z",
    model: str | None = LLAMA,
    metadata: dict[str, Any] | None = None,
    prompt: str | Sequence[str] = "Where is my order?",
    answer: str = "It arrives on Friday.",
    system: str | None = None,
    stop: str = "end_turn",
    error: str | None = None,
    tokens: tuple[int | None, int | None] = (10, 20),
    tools: bool = False,
    region: str = "us-east-1",
    account: str = "111122223333",
    operation: str = "Converse",
    identity: str | None = None,
) -> Record:
    """A Converse call. Several prompts are a conversation: user and assistant by turns, the user's last."""
    texts = [prompt] if isinstance(prompt, str) else list(prompt)
    roles = ["user" if number % 2 == 0 else "assistant" for number in range(len(texts))]
    body: Record = {
        "messages": [
            {"role": role, "content": [{"text": text}]} for role, text in zip(roles, texts, strict=True)
        ]
    }
    if system is not None:
        body["system"] = [{"text": system}]
    if tools:
        body["toolConfig"] = {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}]}
    reply = {
        "output": {"message": {"role": "assistant", "content": [{"text": answer}]}},
        "stopReason": stop,
        "metrics": {"latencyMs": 900},
    }
    fields = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": at,
        "accountId": account,
        "region": region,
        "requestId": request_id,
        "operation": operation,
        "modelId": model,
        "identity": {"arn": identity} if identity is not None else None,
        "errorCode": error,
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": body,
            "inputTokenCount": tokens[0],
        },
        "output": None
        if error is not None
        else {
            "outputContentType": "application/json",
            "outputBodyJson": reply,
            "outputTokenCount": tokens[1],
        },
        "requestMetadata": metadata,
    }
    return {name: value for name, value in fields.items() if value is not None}


def make_store(folder: Path, *batches: Sequence[Record], workers: int = 1) -> str:
    """A store below `folder`; each batch is a log object of its own, read by an ingest of its own."""
    store = str(folder / "store")
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for batch in batches:
        path = logs / f"{len(list(logs.iterdir())):03}.jsonl"
        # Lone surrogates are legal as JSON escapes alone.
        path.write_text("".join(json.dumps(each) + "\n" for each in batch), "ascii")
        pipeline.ingest(str(path), store=store, workers=workers)
    return store


@contextmanager
def store_of(*batches: Sequence[Record]) -> Iterator[str]:
    """A store for one example of a property."""
    with TemporaryDirectory() as folder:
        yield make_store(Path(folder), *batches)


def ids(store: str, **options: Any) -> list[str]:
    """The request ids that `select` gives, in its order."""
    return [row["request_id"] for row in pipeline.select(store, columns=["request_id"], **options)]
