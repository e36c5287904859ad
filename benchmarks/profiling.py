"""Where the microseconds of a record go: a flat profile of ingest in one process, by part and by function.

    python -m benchmarks.profiling --records 60000 --body-bytes 3500

A timer looks where the program is after every few milliseconds of processor time. What is called in C counts for the
function of logminer that calls it: the decoding of JSON for `records`, the compression for the writing of Parquet.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmarks.corpora import corpus
from benchmarks.figures import Setting
from benchmarks.harness import ROOT
from benchmarks.report import PAGE, renew_part

_INTERVAL_SECONDS = 0.001
_SHOWN = 25
_PACKAGE = str(ROOT / "logminer") + "/"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the work: modules by their path in the package, and functions of them where not all are meant."""

    name: str
    modules: tuple[str, ...]
    functions: frozenset[str] = frozenset()

    def has(self, module: str, function: str) -> bool:
        """Whether a function belongs to it."""
        return module.startswith(self.modules) and (not self.functions or function in self.functions)


PARTS = (
    Part("unpack gzip", ("inflating.py",)),
    Part("cut into values", ("framing.py", "log_events.py")),
    Part("decode records", ("records.py", "lenient.py", "conversations/shapes.py")),
    Part("hash and encode JSON", ("json_text.py", "pairs.py")),
    Part("conversations", ("conversations/",)),
    Part("write Parquet", ("store/rows.py",), frozenset({"write", "finish", "_open_writer", "__init__"})),
    Part("rows to Arrow", ("store/rows.py",)),
    Part("loop over records", ("ingestion/reader.py", "ingestion/worker.py", "sources/")),
    Part("commit: ledger, re-deliveries, table", ("ingestion/", "store/")),
    Part("start and the rest", ("",)),
)


def part_of(module: str, function: str) -> str:
    """The part that a function belongs to; `module` is its path in the package."""
    return next(part.name for part in PARTS if part.has(module, function))


class Sampler:
    """Counts the innermost function of logminer, at intervals of processor time of the main thread and those it starts."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count until the context ends."""
        before = signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _take(self, number: int, frame: FrameType | None) -> None:
        while frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
            frame = frame.f_back
        if frame is None:
            self.counts["", "outside"] += 1
        else:
            self.counts[frame.f_code.co_filename.removeprefix(_PACKAGE), frame.f_code.co_name] += 1


def profile(folder: Path) -> tuple[Counter[tuple[str, str]], float]:
    """Samples of an ingest into a new store, and the processor seconds that it took."""
    import logminer

    sampler = Sampler()
    with tempfile.TemporaryDirectory() as scratch:
        begun = time.process_time()
        with sampler.running():
            logminer.ingest(str(folder), store=f"{scratch}/store", workers=1)
        return sampler.counts, time.process_time() - begun


def parts_table(counts: Counter[tuple[str, str]], seconds: float, records: int) -> str:
    """The parts in the order of the work, with microseconds of a record and shares."""
    parts: Counter[str] = Counter()
    for (module, function), count in counts.items():
        parts[part_of(module, function)] += count
    each = seconds / counts.total() / records * 1e6
    rows = [(part.name, parts[part.name]) for part in PARTS]
    head = f"{seconds / records * 1e6:.1f} µs of processor time a record, {counts.total()} samples\n\n"
    return head + _rows(rows, each, counts.total())


def functions_table(counts: Counter[tuple[str, str]], seconds: float, records: int) -> str:
    """The dearest functions, with the same."""
    rows = [(f"{module}:{function}", count) for (module, function), count in counts.most_common(_SHOWN)]
    return _rows(rows, seconds / counts.total() / records * 1e6, counts.total())


def _rows(rows: Sequence[tuple[str, int]], each: float, total: int) -> str:
    return "".join(f"{count * each:6.1f} µs  {count / total:6.1%}  {name}\n" for name, count in rows)


def main(given: Sequence[str] | None = None) -> None:
    """Profile and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profiling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--records", type=int, default=60_000, help="size of the corpus")
    add("--body-bytes", type=int, default=3_500, help="mean bytes of raw JSON of a record")
    add("--folder", type=Path, default=ROOT / "build" / "bench", help="where data is kept")
    add("--page", action="store_true", help="also put the parts into docs/performance.md")
    options = parser.parse_args(given)
    setting = Setting(options.records, 1, options.folder.resolve())
    logs = corpus(setting, options.records, options.body_bytes)
    found = (*profile(logs.folder), logs.records)
    parts = parts_table(*found)
    print(f"{parts}\n{functions_table(*found)}", end="")
    if options.page:
        command = (
            f"python -m benchmarks.profiling --records {options.records} --body-bytes {options.body_bytes}"
        )
        renew_part(PAGE, f"profile {options.body_bytes}", f"```\n$ {command}\n{parts}```\n")


if __name__ == "__main__":
    main()
