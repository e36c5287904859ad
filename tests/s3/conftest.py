"""A real S3 server behind a proxy that can make it fail, buckets in it, and the command line with its address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import SAMPLE_LOGS, CommandLine, Ran

from logminer import pipeline

from .faults import Request
from .servers import KEYS, Bucket, Proxy, serving

SAMPLE_BUCKET = "example-bedrock-logs"
"""The bucket that the sample logs name for their bodies."""


class BucketCommandLine(CommandLine):
    """Runs logminer with the test server as its AWS, and a home of its own without any AWS settings."""

    def __init__(self, folder: Path, proxy: Proxy) -> None:
        super().__init__(folder)
        self.proxy = proxy

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The small environment, with access to the server; a variable given as empty is left out."""
        variables = {
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }
        return super().environment({name: value for name, value in variables.items() if value})

    def rows(self, store: str, *columns: str, **environment: str) -> list[dict[str, Any]]:
        """What `select` gives, of any status; a local store is asked in this process, which is quicker."""
        if not store.startswith("s3://"):
            place = str(self.folder / store)
            return list(pipeline.select(place, columns=columns or None, status="all"))
        chosen = ["--columns", ",".join(columns)] if columns else []
        ran = self("select", "--store", store, "--status", "all", "--format", "jsonl", *chosen, **environment)
        assert ran.code == 0, ran.stderr
        return [json.loads(line) for line in ran.lines]

    def requests(self, store: str, **environment: str) -> list[str]:
        """The request ids of all records, sorted; one that is delivered twice and counted twice comes twice."""
        return sorted(row["request_id"] for row in self.rows(store, "request_id", **environment))

    def count_rows(self, store: str) -> int:
        """How many rows a store has, those of re-deliveries too."""
        if not store.startswith("s3://"):
            return pipeline.store_info(str(self.folder / store)).rows
        rows: int = self.facts("store", "info", "--store", store)["rows"]
        return rows

    def facts(self, *arguments: str | Path, **environment: str) -> Any:
        """What a command that must do well says with `--json`."""
        ran = self(*arguments, "--json", **environment)
        assert ran.code == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture(scope="session")
def proxy_and_client() -> Iterator[tuple[Proxy, Any]]:
    """The test bed: two processes, and a client that reaches the server past the proxy."""
    with serving("moto_process.py") as port, serving("faults.py", str(port)) as proxy_port:
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **KEYS)
        yield Proxy(proxy_port), client
        client.close()


@pytest.fixture
def proxy(proxy_and_client: tuple[Proxy, Any]) -> Proxy:
    """The proxy, with an empty log and no faults."""
    proxy = proxy_and_client[0]
    proxy.start()
    return proxy


@pytest.fixture
def bucket(proxy_and_client: tuple[Proxy, Any], request: pytest.FixtureRequest) -> Bucket:
    """An empty bucket."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    return Bucket(proxy_and_client[1], f"test-{name}")


@pytest.fixture
def other_bucket(bucket: Bucket, proxy_and_client: tuple[Proxy, Any]) -> Bucket:
    """A second empty bucket."""
    return Bucket(proxy_and_client[1], f"other-{bucket.name}")


@pytest.fixture
def s3run(tmp_path: Path, proxy: Proxy) -> BucketCommandLine:
    """The command line in a new folder."""
    return BucketCommandLine(tmp_path, proxy)


@dataclass(frozen=True)
class Ingested:
    """An ingest that tests look at from several sides."""

    store: str
    ran: Ran
    log: list[Request]


@pytest.fixture(scope="session")
def sample_bucket(proxy_and_client: tuple[Proxy, Any]) -> Bucket:
    """The sample logs, at the place that they speak of. To be read only."""
    bucket = Bucket(proxy_and_client[1], SAMPLE_BUCKET)
    bucket.upload(SAMPLE_LOGS / "AWSLogs", "AWSLogs/")
    return bucket


@pytest.fixture(scope="session")
def from_bucket(
    sample_bucket: Bucket, proxy_and_client: tuple[Proxy, Any], tmp_path_factory: pytest.TempPathFactory
) -> Ingested:
    """A local store of the sample logs in their bucket. To be read only."""
    run = BucketCommandLine(tmp_path_factory.mktemp("from-bucket"), proxy_and_client[0])
    store = str(run.folder / "store")
    run.proxy.start()
    ran = run("ingest", sample_bucket.uri(), "--store", store, "--json")
    return Ingested(store, ran, run.proxy.log())


@pytest.fixture(scope="session")
def store_bucket(proxy_and_client: tuple[Proxy, Any]) -> Bucket:
    """Where the store of `in_bucket` lies. To be read only."""
    return Bucket(proxy_and_client[1], "sample-store")


@pytest.fixture(scope="session")
def in_bucket(
    store_bucket: Bucket, proxy_and_client: tuple[Proxy, Any], tmp_path_factory: pytest.TempPathFactory
) -> Ingested:
    """A store in a bucket, of the sample logs in their folder. To be read only."""
    run = BucketCommandLine(tmp_path_factory.mktemp("in-bucket"), proxy_and_client[0])
    store = store_bucket.uri("team a/store")
    run.proxy.start()
    ran = run("ingest", SAMPLE_LOGS, "--store", store, "--json")
    return Ingested(store, ran, run.proxy.log())


@pytest.fixture(scope="session")
def in_bucket_answers(in_bucket: Ingested, sample_store: Path) -> dict[str, str]:
    """What some questions have as their answer, by the store of the same logs in a folder."""
    commands = ("count --status all --by region", "select --columns request_id,response --format jsonl")
    run = CommandLine(sample_store.parent)
    return {command: run(*command.split(), "--store", sample_store).stdout for command in commands}
