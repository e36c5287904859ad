"""The processes of the test bed, and how tests speak with them: an S3 server, and a proxy before it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .faults import CONTROL, Request, Rule

HERE = Path(__file__).parent
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


class Proxy:
    """The proxy's controls."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def start(self, *rules: Rule, seed: int = 0) -> None:
        """Begin a new log, under these rules."""
        self._ask("PUT", {"seed": seed, "rules": [asdict(rule) for rule in rules]})

    def log(self) -> list[Request]:
        """All requests since then."""
        return [Request(**each) for each in self._ask("GET", None)]

    def faults(self) -> Counter[str]:
        """How often each kind of fault struck."""
        return Counter(request.fault for request in self.log() if request.fault)

    def _ask(self, method: str, plan: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, CONTROL, json.dumps(plan) if plan is not None else None)
            answer = connection.getresponse().read()
        finally:
            connection.close()
        return json.loads(answer) if answer else None


class Bucket:
    """One bucket, written and looked at past the proxy."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        client.create_bucket(Bucket=name)

    def uri(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, data: bytes, **options: Any) -> str:
        """Write an object; its URI."""
        self._client.put_object(Bucket=self.name, Key=key, Body=data, **options)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def head(self, key: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.head_object(Bucket=self.name, Key=key)
        return answer

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        """All keys below a prefix, sorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def copy_to(self, other: Bucket) -> None:
        """Copy all objects into another bucket."""
        for key in self.keys():
            source = {"Bucket": self.name, "Key": key}
            self._client.copy_object(Bucket=other.name, Key=key, CopySource=source)

    def uploads(self) -> list[str]:
        """The keys of uploads in parts that nobody ended."""
        answer = self._client.list_multipart_uploads(Bucket=self.name)
        return [each["Key"] for each in answer.get("Uploads", ())]

    def upload(self, folder: Path, prefix: str = "") -> None:
        """Copy a folder's files, in their folders."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(prefix + path.relative_to(folder).as_posix(), path.read_bytes())


@contextmanager
def serving(script: str, *arguments: str) -> Iterator[int]:
    """A script of this folder as a process; its port. It ends when this does, however this does."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"{script} does not start"
        yield int(line)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
