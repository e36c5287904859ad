"""The driver of an ingest: what is new is cut into batches, read by workers, and committed round by round."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from logminer.ingest.commit import commit_files, known_objects
from logminer.ingest.compact import compact_small_files
from logminer.ingest.pool import Done, Handed, HandOver, Read, Start, WorkerProcess, answers
from logminer.ingest.worker import Harvest, IngestWorker, Tally
from logminer.model import IngestRun
from logminer.sources import LogObject
from logminer.store.quarantine import write_quarantine
from logminer.store.registry import add_model_ids
from logminer.store.storage import Storage, storage_error
from logminer.store.table import Snapshot, Table, create_table, open_table, table_exists

# Stored log objects by URI, with etag and size in bytes.
Known = dict[str, tuple[str, int]]

# A batch keeps a worker busy for a fraction of a second, so that all end together.
_BATCH_BYTES = 4 << 20
_BATCH_OBJECTS = 1_000
# A round ends in one commit; a run that is killed loses at most one. Sizes are stored (compressed) ones.
_ROUND_BYTES = 512 << 20
_ROUND_OBJECTS = 200_000
# Below this, starting processes takes longer than reading.
_ONE_PROCESS_BYTES = 6 << 20


@dataclass
class IngestReport:
    """What an ingest did. `changed` are known objects whose content differs now; they were not read again."""

    ingest_id: str
    listed: int = 0
    passed_over: int = 0
    skipped: int = 0
    tally: Tally = field(default_factory=Tally)
    taken: int = 0
    changed: list[str] = field(default_factory=list)
    version: int = 0
    seconds: float = 0.0
    interrupted: bool = False


class Progress(Protocol):
    """Told how far an ingest is. Sizes are stored bytes."""

    def begin(self, objects: int, size_bytes: int) -> None:
        """Reading begins, with this much to do."""

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """So much more is read."""


class NoProgress:
    """Tells nobody."""

    def begin(self, objects: int, size_bytes: int) -> None:
        """Nothing."""

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """Nothing."""


def new_run() -> IngestRun:
    """A run that begins now. Ids sort by time."""
    now = datetime.now(UTC)
    return IngestRun(f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", int(now.timestamp() * 1_000_000))


def open_or_create(storage: Storage) -> Table:
    """The table, made where there is none."""
    if not table_exists(storage):
        create_table(storage, ())
    return open_table(storage)


def ingest_objects(
    storage: Storage,
    objects: Sequence[LogObject],
    *,
    workers: int,
    reread: Callable[[Snapshot, Known], Collection[str]] | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    passed_over: int = 0,
) -> IngestReport:
    """Read every object that the store does not have, and commit its rows, each object exactly once.

    `reread` may name stored objects, out of those given, whose rows are to be replaced. Once `stop` is set,
    what is under way is finished and committed, and the report says `interrupted`. `passed_over` counts files
    of the source that are no logs; it goes into the report.
    """
    started = time.monotonic()
    run = new_run()
    table = open_or_create(storage)
    snapshot = table.snapshot()
    known = known_objects(storage, snapshot)
    again = frozenset(reread(snapshot, known)) if reread is not None else frozenset()
    report = IngestReport(run.ingest_id, listed=len(objects), passed_over=passed_over)
    new = [log for log in objects if log.uri not in known or log.uri in again]
    report.changed = [
        log.uri for log in objects if log.uri not in again and _is_changed(log, known.get(log.uri))
    ]
    report.skipped = len(objects) - len(new)
    if new:
        crew_size = workers if sum(log.size_bytes for log in new) > _ONE_PROCESS_BYTES else 1
        with _crew(storage, run, table, crew_size) as crew:
            rounds = _Rounds(storage, table, run, again, crew, report)
            rounds.read(new, progress or NoProgress(), stop or threading.Event())
        compact_small_files(storage, table)
    report.version = table.version
    report.seconds = time.monotonic() - started
    return report


def _is_changed(log: LogObject, known: tuple[str, int] | None) -> bool:
    # A file that was only copied again has another time and so another etag, but the same size.
    return known is not None and known[0] != log.etag and known[1] != log.size_bytes


class _Rounds:
    """Reads new objects round by round; every round ends in a commit."""

    def __init__(
        self,
        storage: Storage,
        table: Table,
        run: IngestRun,
        replaced: Collection[str],
        crew: _Crew,
        report: IngestReport,
    ) -> None:
        self._storage, self._table, self._run = storage, table, run
        self._replaced = replaced
        self._crew = crew
        self._report = report

    def read(self, logs: Sequence[LogObject], progress: Progress, stop: threading.Event) -> None:
        progress.begin(len(logs), sum(log.size_bytes for log in logs))
        for round_logs in _cut(logs, _ROUND_BYTES, _ROUND_OBJECTS):
            base = self._table.snapshot()
            read: set[str] = set()
            for batch, tally in self._crew.read(_cut(round_logs, _BATCH_BYTES, _BATCH_OBJECTS), stop):
                self._report.tally.add(tally)
                read.update(log.uri for log in batch)
                progress.advance(tally.objects, tally.read_bytes, tally.records)
            self._commit(base, self._crew.harvest(), read)
            if stop.is_set():
                self._report.interrupted = True
                return

    def _commit(self, base: Snapshot, harvests: Sequence[Harvest], read: Collection[str]) -> None:
        """Quarantine first, then model ids, then the table: a kill in between leaves nothing that misleads."""
        files = [file for harvest in harvests for file in harvest.files]
        quarantined = [value for harvest in harvests for value in harvest.quarantined]
        write_quarantine(self._storage, self._run, quarantined)
        add_model_ids(self._storage, {model for harvest in harvests for model in harvest.model_ids})
        about = {"ingest_id": self._run.ingest_id, "objects": len(read), "quarantined": len(quarantined)}
        replaced = [uri for uri in self._replaced if uri in read]
        taken = commit_files(self._storage, self._table, base, files, about, replaced=replaced)
        self._report.taken += len(taken)


def _cut(logs: Iterable[LogObject], max_bytes: int, max_objects: int) -> Iterator[list[LogObject]]:
    """The objects in order, in pieces of about this size."""
    piece: list[LogObject] = []
    size = 0
    for log in logs:
        piece.append(log)
        size += log.size_bytes
        if size >= max_bytes or len(piece) >= max_objects:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


class _Crew(Protocol):
    """Whoever reads batches: this process, or several."""

    def read(
        self, batches: Iterator[list[LogObject]], stop: threading.Event
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        """Read batches until `stop` is set; what was read comes as it is done."""

    def harvest(self) -> list[Harvest]:
        """Whole files of everything that was read since the last time."""

    def close(self, *, failed: bool) -> None:
        """End; after a failure what is not harvested is given up."""


@contextlib.contextmanager
def _crew(storage: Storage, run: IngestRun, table: Table, workers: int) -> Iterator[_Crew]:
    fields = list(table.snapshot().metadata_fields)
    crew = _Processes(storage, run, fields, workers) if workers > 1 else _OwnProcess(storage, run, fields)
    try:
        yield crew
    except BaseException:
        crew.close(failed=True)
        raise
    crew.close(failed=False)


class _OwnProcess:
    """Reads in this process, object by object."""

    def __init__(self, storage: Storage, run: IngestRun, fields: list[str]) -> None:
        self._worker = IngestWorker(storage, run, fields)

    def read(
        self, batches: Iterator[list[LogObject]], stop: threading.Event
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        for batch in batches:
            for log in batch:
                if stop.is_set():
                    return
                try:
                    tally = self._worker.read([log])
                except OSError as error:
                    raise storage_error(error, log.uri) from error
                yield [log], tally

    def harvest(self) -> list[Harvest]:
        return [self._worker.harvest()]

    def close(self, *, failed: bool) -> None:
        if failed:
            self._worker.abandon()


class _Processes:
    """Reads in worker processes; each has two batches, so that none waits for the driver."""

    _AHEAD = 2

    def __init__(self, storage: Storage, run: IngestRun, fields: list[str], workers: int) -> None:
        start = Start(storage.uri, run, fields)
        self._workers = [WorkerProcess(start) for _ in range(workers)]

    def read(
        self, batches: Iterator[list[LogObject]], stop: threading.Event
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        under_way: dict[WorkerProcess, deque[list[LogObject]]] = {worker: deque() for worker in self._workers}
        for _ in range(self._AHEAD):
            for worker in self._workers:
                self._give(worker, batches, under_way, stop)
        for worker, answer in answers(self._workers):
            assert isinstance(answer, Done)
            batch = under_way[worker].popleft()
            self._give(worker, batches, under_way, stop)
            yield batch, answer.tally

    def _give(
        self,
        worker: WorkerProcess,
        batches: Iterator[list[LogObject]],
        under_way: dict[WorkerProcess, deque[list[LogObject]]],
        stop: threading.Event,
    ) -> None:
        batch = None if stop.is_set() else next(batches, None)
        if batch is not None:
            under_way[worker].append(batch)
            worker.ask(Read(batch))

    def harvest(self) -> list[Harvest]:
        for worker in self._workers:
            worker.ask(HandOver())
        harvests = []
        for _, answer in answers(self._workers):
            assert isinstance(answer, Handed)
            harvests.append(answer.harvest)
        return harvests

    def close(self, *, failed: bool) -> None:
        for worker in self._workers:
            worker.close()
