"""The driver of an ingest: what is new is cut into batches, read by workers, and committed round by round."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from logminer.ingestion.choice import Reread as Reread
from logminer.ingestion.choice import choose
from logminer.ingestion.commit import commit_files
from logminer.ingestion.compact import compact_small_files
from logminer.ingestion.crew import Crew, Stop, open_crew
from logminer.ingestion.pool import Start
from logminer.ingestion.progress import NoProgress, Progress
from logminer.ingestion.text_scope import TextScope
from logminer.ingestion.worker import Harvest, Tally
from logminer.model import IngestRun
from logminer.s3.encryption import write_encryption
from logminer.source_rules import SourceRule
from logminer.sources.objects import LogObject
from logminer.store.ledger import objects_since
from logminer.store.registry import add_model_ids
from logminer.store.rewrite import delete_files
from logminer.store.storage import Storage
from logminer.store.table import Snapshot, Table, create_table, open_table, table_exists


@dataclass(frozen=True, slots=True)
class Portions:
    """How an ingest is cut. Sizes are stored (compressed) bytes."""

    # A batch keeps a worker busy for a fraction of a second; with enough batches, all workers end together.
    batch_bytes: int = 4 << 20
    batch_objects: int = 1_000
    batches_per_round: int = 48
    # A round ends in one commit; a run that is killed loses at most one.
    round_bytes: int = 512 << 20
    round_objects: int = 200_000
    # Below this, starting processes takes longer than reading.
    one_process_bytes: int = 6 << 20


@dataclass
class IngestReport:
    """What an ingest did.

    `changed` are known objects whose content differs now; they were not read again. `reread` counts those that
    were. `gone` are objects to be read again that the sources do not have (any more); their rows
    stay as they are. `taken` counts objects that another run committed first, `expired` records of
    dates that the store no longer takes, `forgotten` those that are tombstones now. `begun_at` says from which hour (UTC)
    on a Region's folder of a bucket was listed, where not from its beginning. `given_up` is why the run ended early, where
    nothing more could be opened: credentials that expired.
    """

    ingest_id: str
    table_id: str = ""
    listed: int = 0
    passed_over: int = 0
    skipped: int = 0
    tally: Tally = field(default_factory=Tally)
    taken: int = 0
    expired: int = 0
    forgotten: int = 0
    changed: list[str] = field(default_factory=list)
    reread: int = 0
    gone: list[str] = field(default_factory=list)
    version: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    begun_at: dict[str, datetime] = field(default_factory=dict)
    given_up: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything was looked at that there is."""
        return not self.interrupted and self.given_up is None

    def add(self, other: IngestReport) -> None:
        """Count in what another part of the same ingest did, after this one."""
        self.ingest_id, self.table_id = other.ingest_id, other.table_id
        self.listed += other.listed
        self.passed_over += other.passed_over
        self.skipped += other.skipped
        self.tally.add(other.tally)
        self.taken += other.taken
        self.expired += other.expired
        self.forgotten += other.forgotten
        self.changed += other.changed
        self.reread += other.reread
        self.gone += other.gone
        self.version = other.version
        self.seconds += other.seconds
        self.interrupted = other.interrupted
        self.begun_at |= other.begun_at
        self.given_up = other.given_up


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
    objects: Iterable[LogObject],
    *,
    workers: int,
    reread: Reread | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    passed_over: int = 0,
    portions: Portions | None = None,
    rules: Sequence[SourceRule] = (),
    text_scope: TextScope | None = None,
) -> IngestReport:
    """Read every object that the store does not have, and commit its rows, each object exactly once.

    Once `stop` is set, what is under way is finished and committed, and the report says `interrupted`.
    `passed_over` counts files of the source that are no logs; it goes into the report. `rules` say how S3 is
    reached, `text_scope` whose text is kept. Raises StorageError and ConfigurationError; what was committed until then stays.
    """
    started = time.monotonic()
    run = new_run()
    table = open_or_create(storage)
    snapshot = table.snapshot()
    choice = choose(storage, snapshot, objects, reread or Reread())
    report = IngestReport(
        run.ingest_id,
        table_id=table.id,
        listed=len(choice.listed),
        passed_over=passed_over,
        skipped=len(choice.listed) - len(choice.new),
        changed=choice.changed,
        gone=choice.gone,
    )
    if choice.new:
        portions = portions or Portions()
        crew_size = workers if sum(log.size_bytes for log in choice.new) > portions.one_process_bytes else 1
        start = Start(storage.uri, run, list(rules), text_scope, write_encryption())
        with open_crew(storage, start, crew_size) as crew:
            rounds = _Rounds(storage, table, snapshot, run, choice.again, crew, report, portions)
            rounds.read(choice.new, progress or NoProgress(), Stop(stop or threading.Event()))
        if report.is_whole:
            compact_small_files(storage, table)
    report.version = table.version
    report.seconds = time.monotonic() - started
    return report


class _Rounds:
    """Reads new objects round by round; every round ends in a commit."""

    def __init__(
        self,
        storage: Storage,
        table: Table,
        base: Snapshot,
        run: IngestRun,
        replaced: frozenset[str],
        crew: Crew,
        report: IngestReport,
        portions: Portions,
    ) -> None:
        self._storage, self._table, self._run = storage, table, run
        self._replaced = replaced
        self._crew = crew
        self._report = report
        self._portions = portions
        # What is in the table up to here is accounted for.
        self._base = base

    def read(self, logs: Sequence[LogObject], progress: Progress, stop: Stop) -> None:
        progress.begin(len(logs), sum(log.size_bytes for log in logs))
        wanted = frozenset(log.uri for log in logs) - self._replaced
        left = len(logs)
        for round_logs in _cut(logs, self._portions.round_bytes, self._portions.round_objects):
            wanted -= self._taken_meanwhile(wanted)
            mine = [log for log in round_logs if log.uri in wanted or log.uri in self._replaced]
            self._report.taken += len(round_logs) - len(mine)
            left -= len(round_logs) - len(mine) + self._read_round(mine, progress, stop)
            if stop.is_set():
                self._report.given_up = stop.given_up
                self._report.interrupted = left > 0 and stop.given_up is None
                return

    def _taken_meanwhile(self, wanted: frozenset[str]) -> frozenset[str]:
        """Objects that came into the table since this run last looked; those of its own rounds too."""
        self._table.refresh()
        snapshot = self._table.snapshot()
        taken = wanted & objects_since(self._storage, self._base, snapshot)
        self._base = snapshot
        return taken

    def _read_round(self, logs: Sequence[LogObject], progress: Progress, stop: Stop) -> int:
        """Read objects and commit what they gave; how many were read or found unreadable."""
        tally = Tally()
        seen: set[str] = set()
        fields = self._base.metadata_fields
        for batch, found in self._crew.read(self._batches(logs), fields, stop):
            tally.add(found)
            stop.look_at(found)
            seen.update(log.uri for log in batch)
            progress.advance(found.objects, found.read_bytes, found.records)
        self._report.tally.add(tally)
        # Rows of an object that cannot be read now are all that there is of it: they stay.
        self._commit(self._crew.harvest(), seen - {each.uri for each in tally.unreadable}, tally)
        return len(seen)

    def _batches(self, logs: Sequence[LogObject]) -> Iterator[list[LogObject]]:
        size = sum(log.size_bytes for log in logs) // self._portions.batches_per_round
        return _cut(logs, min(self._portions.batch_bytes, size), self._portions.batch_objects)

    def _commit(self, harvests: Sequence[Harvest], read: Collection[str], tally: Tally) -> None:
        """Model ids, then the table; the quarantine is written. A kill in between leaves nothing that misleads."""
        files = [file for harvest in harvests for file in harvest.files]
        try:
            add_model_ids(self._storage, {model for harvest in harvests for model in harvest.model_ids})
        except BaseException:
            delete_files(self._storage, files)
            raise
        about = {"ingest_id": self._run.ingest_id, "objects": len(read), "quarantined": tally.quarantined}
        replaced = self._replaced & set(read)
        done = commit_files(self._storage, self._table, self._base, files, about, replaced=replaced)
        self._report.taken += len(done.taken)
        self._report.expired += done.expired
        self._report.forgotten += done.forgotten
        self._report.reread += len(replaced)


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
