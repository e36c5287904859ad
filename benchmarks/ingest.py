"""Ingest: beside DuckDB's copy of the raw records, beside the floor, with more workers, more input, and again."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.corpora import Corpus, corpus, fingerprint, share_of
from benchmarks.figures import (
    Bound,
    Line,
    Row,
    Setting,
    Timing,
    fitted_exponent,
    speed_line,
    time_line,
)
from benchmarks.harness import (
    LOGMINER,
    ROOT,
    Asked,
    Contender,
    Run,
    alternate,
    command_output,
    compare_asked,
    cores,
    timed_command,
    tree_peak,
)

# Mean bytes of raw JSON of a record: the generator's own mixture, prompts with passages and chat histories, documents.
_SMALL, _LARGE, _LARGEST = 3_500, 10_000, 30_000
_COLUMNS = (
    "schemaType: 'VARCHAR', schemaVersion: 'VARCHAR', timestamp: 'VARCHAR', accountId: 'VARCHAR', region: 'VARCHAR', "
    "requestId: 'VARCHAR', operation: 'VARCHAR', modelId: 'VARCHAR', errorCode: 'VARCHAR', "
    "inferenceRegion: 'VARCHAR', identity: 'JSON', requestMetadata: 'JSON', input: 'JSON', output: 'JSON'"
)
_LEFT_TO_IT, _GIVEN = "duckdb read_json", "duckdb read_json, columns given"
_SOURCES = {
    _LEFT_TO_IT: "read_json('{logs}')",
    _GIVEN: f"read_json('{{logs}}', format = 'newline_delimited', columns = {{{{{_COLUMNS}}}}})",
}
_COPY = (
    "import sys, duckdb; source, target, threads = sys.argv[1:]; "
    "duckdb.connect(config={'threads': int(threads)}).execute("
    "f\"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)\")"
)
_COUNT = (
    "import sys, duckdb; "
    "print(duckdb.connect().execute('SELECT count(*) FROM read_parquet(?)', sys.argv[1:]).fetchall()[0][0])"
)


def _corpora(setting: Setting) -> dict[str, Corpus]:
    """More than a gigabyte of each kind of record, at the standard size."""
    return {
        "3.5 KB": corpus(setting, setting.scaled(300_000, 800), _SMALL),
        "10 KB": corpus(setting, setting.scaled(110_000, 400), _LARGE),
    }


def _middling(setting: Setting) -> dict[str, Corpus]:
    """Some hundred megabytes of each."""
    whole = _corpora(setting)
    return {"3.5 KB": share_of(whole["3.5 KB"], setting, 5), "10 KB": share_of(whole["10 KB"], setting, 2)}


# --- contenders ---------------------------------------------------------------------------------------------


def _ingest_command(logs: Corpus, target: Path, workers: int | None) -> list[str]:
    more = ["--workers", str(workers)] if workers else []
    return [*LOGMINER, "ingest", str(logs.folder), "--store", str(target), *more]


def _ingest(logs: Corpus, scratch: Path, workers: int | None = None) -> Contender:
    """`logminer ingest` into a new store; the answer is what the store then holds."""

    def run() -> Run:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            seconds = timed_command(_ingest_command(logs, Path(folder) / "store", workers))
            told = command_output([*LOGMINER, "store", "info", "--store", f"{folder}/store", "--json"])
            return Run(seconds, json.loads(told)["rows"])

    return run


def _copy_command(logs: Corpus, target: Path, kind: str) -> list[str]:
    source = _SOURCES[kind].format(logs=logs.pattern)
    return [sys.executable, "-c", _COPY, source, str(target), str(cores())]


def _copy(logs: Corpus, scratch: Path, kind: str) -> Contender:
    """DuckDB's copy of the raw records, on all cores; the answer is what the copy holds."""

    def run() -> Run:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            target = Path(folder) / "copy.parquet"
            seconds = timed_command(_copy_command(logs, target, kind))
            return Run(seconds, int(command_output([sys.executable, "-c", _COUNT, str(target)])))

    return run


def _floor(logs: Corpus, scratch: Path) -> Contender:
    """The least that has to be done with these bytes, in one process and one thread."""

    def run() -> Run:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            target = Path(folder) / "lines.parquet"
            command = [sys.executable, "-m", "benchmarks.floor", str(logs.folder), str(target)]
            seconds = timed_command(command)
            return Run(seconds, int(command_output([sys.executable, "-c", _COUNT, str(target)])))

    return run


# --- rows ---------------------------------------------------------------------------------------------------


@contextmanager
def _scratch(setting: Setting) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        yield Path(folder)


def ingest_rows(setting: Setting) -> Iterable[Line]:
    """All cores against DuckDB on all cores, for three sizes of records."""
    corpora = {**_middling(setting), "30 KB": corpus(setting, setting.scaled(30_000, 100), _LARGEST)}
    for size, logs in corpora.items():
        with _scratch(setting) as scratch:
            contenders = {
                "logminer ingest": _ingest(logs, scratch),
                **{kind: _copy(logs, scratch, kind) for kind in _SOURCES},
            }
            timings = alternate(contenders, setting.rounds)
            ours = _with_peak(timings["logminer ingest"], _ingest_command(logs, scratch / "peak", None))
            for kind in _SOURCES:
                peer = _with_peak(timings[kind], _copy_command(logs, scratch / f"{kind}.parquet", kind))
                paces = (
                    f"{logs.megabytes_per_second(ours.median):.0f} against "
                    f"{logs.megabytes_per_second(peer.median):.0f} MB/s, {logs.records:,} records"
                )
                yield speed_line(
                    "ingest", f"records of {size}, {kind}", ours, peer, Bound("more", 1.4, 2.0), paces
                )


def _with_peak(timing: Timing, command: Sequence[str]) -> Timing:
    return Timing(timing.name, timing.seconds, tree_peak(command))


def floor_rows(setting: Setting) -> Iterable[Line]:
    """One process beside the floor."""
    for size, logs in _middling(setting).items():
        with _scratch(setting) as scratch:
            ours, peer = "logminer ingest --workers 1", "gunzip and Parquet alone"
            contenders = {ours: _ingest(logs, scratch, 1), peer: _floor(logs, scratch)}
            timings = alternate(contenders, setting.rounds)
        paces = (
            f"{logs.megabytes_per_second(timings[ours].median):.0f} against "
            f"{logs.megabytes_per_second(timings[peer].median):.0f} MB/s, "
            f"{timings[ours].median / logs.records * 1e6:.1f} µs a record"
        )
        line = speed_line("floor", f"one process, records of {size}", timings[ours], timings[peer],
                          Bound("more", 0.45, 0.6), paces)  # fmt: skip
        yield Line(
            line.row, line.what, line.value, "of the floor", line.bound, line.spread, line.timings, line.note
        )


def worker_rows(setting: Setting) -> Iterable[Line]:
    """Two workers against one."""
    for size, logs in _corpora(setting).items():
        with _scratch(setting) as scratch:
            two, one = "logminer ingest --workers 2", "logminer ingest --workers 1"
            contenders = {two: _ingest(logs, scratch, 2), one: _ingest(logs, scratch, 1)}
            timings = alternate(contenders, min(setting.rounds, 3))
        what = f"2 workers against 1, {logs.raw_bytes / 1e6:,.0f} MB in records of {size}"
        yield speed_line("workers", what, timings[two], timings[one], Bound("more", 1.65, 1.85))


def memory_rows(setting: Setting) -> Iterable[Line]:
    """Peak memory of the process tree, beside that of a quarter of the input."""
    rounds = min(setting.rounds, 3)
    for size, logs in _corpora(setting).items():
        less, more = _peaks(share_of(logs, setting, 4), setting, rounds), _peaks(logs, setting, rounds)
        if not less or not more:
            continue
        what = f"{logs.raw_bytes / 1e6:,.0f} MB in records of {size}"
        note = f"{median(more) / 1e6:.0f} MB against {median(less) / 1e6:.0f} MB"
        yield Line("memory", f"{what}, against a quarter of it", median(more) / median(less), "x its memory",
                   Bound("less", 1.15, 1.15), None, (), note)  # fmt: skip
        yield Line("memory", what, max(more) / 1e6, "MB at most", Bound("less", 1000, 600))


def _peaks(logs: Corpus, setting: Setting, rounds: int) -> list[int]:
    """The peaks of some ingests: how much of it the workers need at one time is chance. Empty where nobody can see them."""
    found = []
    for _ in range(rounds):
        with _scratch(setting) as scratch:
            found.append(tree_peak(_ingest_command(logs, scratch / "store", None)))
    return [peak for peak in found if peak is not None]


def growth_rows(setting: Setting) -> Iterable[Line]:
    """Ingest of 1, 2, 4 and 8 times as much."""
    whole = _corpora(setting)["3.5 KB"]
    parts = {part: share_of(whole, setting, part) for part in (8, 4, 2, 1)}
    with _scratch(setting) as scratch:
        timings = [
            alternate({f"logminer ingest, 1/{part}": _ingest(logs, scratch)}, min(setting.rounds, 3))
            for part, logs in parts.items()
        ]
    rounds = tuple(timing for each in timings for timing in each.values())
    sizes = [logs.raw_bytes for logs in parts.values()]
    exponent = fitted_exponent(sizes, [timing.best for timing in rounds])
    what = f"ingest of {', '.join(f'{size / 1e6:,.0f}' for size in sizes)} MB"
    yield Line("ingest-growth", what, exponent, "exponent", Bound("less", 1.05, 1.05), None, rounds)


# --- what is known already ----------------------------------------------------------------------------------


@contextmanager
def ask_again(folder: str, store: str) -> Iterator[Callable[[], int]]:
    """Ours: an ingest that finds nothing new."""
    import logminer

    yield lambda: logminer.ingest(folder, store=store).skipped


@contextmanager
def sorted_listing(folder: str) -> Iterator[Callable[[], int]]:
    """Every log object with its size and time, sorted by path: the least that tells what is new."""

    def found(place: str) -> Iterator[tuple[str, int, int]]:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from found(entry.path)
                elif entry.name.endswith(".json.gz"):
                    status = entry.stat()
                    yield entry.path, status.st_size, status.st_mtime_ns

    yield lambda: len(sorted(found(folder)))


def again_rows(setting: Setting) -> Iterable[Line]:
    """A second ingest over very many known objects."""
    logs = corpus(setting, setting.scaled(100_000, 100), 1, object_records=1)
    store = (
        setting.folder / f"{logs.folder.name}-store-{fingerprint((ROOT / 'logminer' / 'store').glob('*.py'))}"
    )
    if not store.exists():
        command_output(_ingest_command(logs, store, None))
    ours, peer = "logminer.ingest, nothing new", "sorted listing"
    with (
        Asked("benchmarks.ingest:ask_again", folder=str(logs.folder), store=str(store)) as asked,
        Asked("benchmarks.ingest:sorted_listing", folder=str(logs.folder)) as other,
    ):
        timings = compare_asked({ours: asked, peer: other}, setting.rounds)
    what = f"second ingest over {logs.objects:,} known objects"
    yield time_line("again", what, timings[ours], timings[peer], Bound("less", 2, 1.2))


ROWS = (
    Row("ingest", "ingest on all cores", ingest_rows),
    Row("floor", "ingest in one process", floor_rows),
    Row("workers", "ingest with two workers", worker_rows),
    Row("memory", "peak memory of ingest", memory_rows),
    Row("ingest-growth", "ingest as the input grows", growth_rows),
    Row("again", "second ingest", again_rows),
)
