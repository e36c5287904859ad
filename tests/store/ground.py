"""Folders of logs and the stores made from them, in this process and in processes of their own."""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logminer import pipeline
from logminer.ingestion.driver import IngestReport, Portions, Reread, ingest_objects
from logminer.schema import MAX_PROMOTED_KEYS
from logminer.sources import list_source
from logminer.store.duck import fetch_rows, scan_files
from logminer.store.rewrite import fields_of_file
from logminer.store.storage import Storage, open_storage
from logminer.store.table import Snapshot, open_table

SECONDS = 60
"""No process of a test takes longer."""

# Linux's, for prctl(2).
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2

# The command line as it is, but with small rounds and batches, and with workers whatever the size.
PROGRAM = """
import functools, sys
from logminer.ingestion import driver
driver.Portions = functools.partial(
    driver.Portions, one_process_bytes=0, batch_objects=2, round_objects={round_objects}
)
from logminer.cli import main
main()
"""


def record(request_id: str | None, metadata: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A good Converse record of 2026-06-01."""
    fields = {
        "timestamp": "2026-06-01T10:00:00Z",
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:iam::111122223333:role/app"},
        "region": "us-west-2",
        "requestId": request_id,
        "operation": "Converse",
        "modelId": "meta.llama3-1-405b-instruct-v1:0",
        "requestMetadata": metadata,
        "input": {
            "inputBodyJson": {
                "messages": [{"role": "user", "content": [{"text": f"Where is {request_id}?"}]}]
            },
            "inputTokenCount": 7,
        },
        "output": {
            "outputBodyJson": {
                "output": {"message": {"role": "assistant", "content": [{"text": f"Here is {request_id}."}]}},
                "stopReason": "end_turn",
            },
            "outputTokenCount": 5,
        },
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class Ground:
    """A folder of logs beside a store."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def storage(self) -> Storage:
        return open_storage(str(self.store))

    def write(self, name: str, values: Iterable[Any], folder: str = "logs") -> Path:
        """A log object of records, or of lines as they are."""
        path = self.folder / folder / f"{name}.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
        path.write_bytes(gzip.compress(b"\n".join(lines), mtime=0))
        return path

    def ingest(
        self,
        *sources: Path,
        workers: int = 1,
        reread: Reread | None = None,
        portions: Portions | None = None,
        stop: Any = None,
    ) -> IngestReport:
        """Ingest in this process."""
        objects = [log for source in sources or (self.logs,) for log in list_source(str(source)).objects]
        return ingest_objects(
            self.storage, objects, workers=workers, reread=reread, portions=portions, stop=stop
        )

    def start(
        self, *arguments: str | Path, round_objects: int = 4, workers: int = 2, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start the command line's ingest, of the logs if nothing else is said."""
        command = [sys.executable, "-W", "error", "-c", PROGRAM.format(round_objects=round_objects), "ingest"]
        command += [*map(str, arguments or (self.logs,)), "--store", str(self.store)]
        return subprocess.Popen(
            [*command, "--workers", str(workers), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            **options,
        )

    def start_program(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a program of Python that is given the store, and these."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, str(self.store), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def snapshot(self, version: int | None = None) -> Snapshot:
        return open_table(self.storage, version).snapshot()

    def rows(self, *columns: str, version: int | None = None) -> list[tuple[Any, ...]]:
        """Columns of all rows, re-delivered ones too, by source and position."""
        files = self.snapshot(version).files
        if not files:
            return []
        names = ", ".join(columns)
        return fetch_rows(
            self.storage,
            f"SELECT {names} FROM {scan_files(self.storage, files)} ORDER BY source_uri, source_position",
        )

    def content(self, version: int | None = None) -> list[tuple[str | None, ...]]:
        """Everything in all rows, as text."""
        return self.rows("COLUMNS(*)::VARCHAR", version=version)

    def positions(self) -> list[tuple[str, int]]:
        """The identity of all rows."""
        return [(uri, position) for uri, position in self.rows("source_uri", "source_position")]

    def selected(self, *columns: str, **options: Any) -> list[dict[str, Any]]:
        """What `select` gives, of any status."""
        return list(pipeline.select(str(self.store), columns=columns or None, **{"status": "all", **options}))

    def requests(self, **options: Any) -> list[str]:
        """The request ids that queries see."""
        return sorted(row["request_id"] for row in self.selected("request_id", **options))


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a process at its end."""
    stdout, stderr = process.communicate(timeout=SECONDS)
    return process.returncode, stdout.decode(), stderr.decode()


def without_privileges() -> None:
    """Make file permissions count for root as well: it may otherwise read and write everything."""
    if os.geteuid() == 0 and sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def wait_until(condition: Any, what: str) -> None:
    """Wait for something that must happen soon."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


def children_of(process_id: int) -> list[int]:
    """The processes that a process started."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listing.stdout.splitlines()]
    return [int(pid) for pid, parent in pairs if int(parent) == process_id]


def alive(process_id: int) -> bool:
    """Whether a process runs; one that is dead and not waited for does not."""
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return bool(listing.stdout.strip()) and not listing.stdout.strip().startswith("Z")


def committed(ground: Ground) -> int:
    """How many versions a store has, as far as its files tell."""
    return len(list((ground.store / "invocations" / "_delta_log").glob("*[0-9].json")))


def orphans(ground: Ground) -> set[str]:
    """Data files that no version names."""
    newest = ground.snapshot().version
    named = {file.name for version in range(newest + 1) for file in ground.snapshot(version).files}
    table = ground.store / "invocations"
    return {str(path.relative_to(table)) for path in table.glob("date=*/*")} - named


def check_invariants(ground: Ground, expected: Sequence[tuple[str, int]] | None = None) -> None:
    """What holds of every store at any time; `expected` are the identities of all rows."""
    positions = ground.positions()
    assert not [place for place, count in Counter(positions).items() if count > 1]
    if expected is not None:
        assert positions == sorted(expected)
    snapshot = ground.snapshot()
    for file in snapshot.files:
        assert (ground.store / "invocations" / file.name).stat().st_size == file.size_bytes
        assert set(fields_of_file(ground.storage, file)) <= set(snapshot.metadata_fields)
    assert len(snapshot.metadata_fields) <= MAX_PROMOTED_KEYS
    counted = Counter(
        (request, stamp)
        for request, stamp, redelivered in ground.rows(
            "request_id", "timestamp::DATE::VARCHAR", "redelivered"
        )
        if request is not None and not redelivered
    )
    delivered = {(request, day) for request, day in ground.rows("request_id", "timestamp::DATE::VARCHAR")}
    assert {key for key in delivered if key[0] is not None} == set(counted)
    assert set(counted.values()) <= {1}
