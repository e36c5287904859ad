"""Who reads the batches of an ingest: this process, or several workers beside it."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from logminer.ingestion.pool import Done, Handed, HandOver, Read, Start, WorkerProcess, answers
from logminer.ingestion.worker import Harvest, IngestWorker, Tally
from logminer.sources.objects import LogObject
from logminer.store.storage import Storage, storage_error


class Stop:
    """Set once somebody asks for it, or once nothing more can be opened; `given_up` then says why."""

    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked
        self.given_up: str | None = None

    def is_set(self) -> bool:
        """Whether no more is to be read."""
        return self._asked.is_set() or self.given_up is not None

    def look_at(self, tally: Tally) -> None:
        """See whether what was read says that nothing more can be opened."""
        self.given_up = self.given_up or next(
            (each.problem for each in tally.unreadable if each.no_others), None
        )


class Crew(Protocol):
    """Whoever reads batches: this process, or several."""

    def read(
        self, batches: Iterator[list[LogObject]], fields: Sequence[str], stop: Stop
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        """Read batches until `stop` is set; what was read comes as it is done.

        `fields` are the encoded metadata fields that the table has.
        """

    def harvest(self) -> list[Harvest]:
        """Whole files of everything that was read since the last time."""

    def close(self, *, failed: bool) -> None:
        """End; after a failure what is not harvested is given up."""


@contextlib.contextmanager
def open_crew(storage: Storage, start: Start, workers: int) -> Iterator[Crew]:
    """So many workers, of which one alone reads in this process. What they have not handed over goes when an error comes."""
    crew = _Processes(start, workers) if workers > 1 else _OwnProcess(storage, start)
    try:
        yield crew
    except BaseException:
        crew.close(failed=True)
        raise
    crew.close(failed=False)


class _OwnProcess:
    """Reads in this process, object by object; looks up between two."""

    def __init__(self, storage: Storage, start: Start) -> None:
        self._worker = IngestWorker(storage, start.run, start.rules, start.text_scope)

    def read(
        self, batches: Iterator[list[LogObject]], fields: Sequence[str], stop: Stop
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        # Small objects of a bucket are fetched side by side out of all that are asked for together.
        logs = [log for batch in batches for log in batch]
        if stop.is_set():
            return
        self._worker.promote(fields)
        for log, opened in self._worker.open_each(logs):
            try:
                tally = self._worker.read_opened(log, opened)
            except OSError as error:
                raise storage_error(error, log.uri) from error
            yield [log], tally
            if stop.is_set():
                return

    def harvest(self) -> list[Harvest]:
        return [self._worker.harvest()]

    def close(self, *, failed: bool) -> None:
        if failed:
            self._worker.abandon()


class _Processes:
    """Reads in worker processes; each has two batches, so that none waits for the driver."""

    _AHEAD = 2

    def __init__(self, start: Start, workers: int) -> None:
        self._workers: list[WorkerProcess] = []
        try:
            for _ in range(workers):
                self._workers.append(WorkerProcess(start))
        except BaseException:
            self.close(failed=True)
            raise
        # The commit needs DuckDB; loading it takes no time while this process waits for the workers.
        threading.Thread(target=importlib.import_module, args=("duckdb",), daemon=True).start()

    def read(
        self, batches: Iterator[list[LogObject]], fields: Sequence[str], stop: Stop
    ) -> Iterator[tuple[list[LogObject], Tally]]:
        under_way: dict[WorkerProcess, deque[list[LogObject]]] = {worker: deque() for worker in self._workers}
        for _ in range(self._AHEAD):
            for worker in self._workers:
                self._give(worker, batches, fields, under_way, stop)
        for worker, answer in answers(self._workers):
            assert isinstance(answer, Done)
            batch = under_way[worker].popleft()
            self._give(worker, batches, fields, under_way, stop)
            yield batch, answer.tally

    def _give(
        self,
        worker: WorkerProcess,
        batches: Iterator[list[LogObject]],
        fields: Sequence[str],
        under_way: dict[WorkerProcess, deque[list[LogObject]]],
        stop: Stop,
    ) -> None:
        batch = None if stop.is_set() else next(batches, None)
        if batch is not None:
            under_way[worker].append(batch)
            worker.ask(Read(batch, list(fields)))

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
            worker.dismiss()
        for worker in self._workers:
            worker.close()
