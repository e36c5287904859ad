"""One command from logs to a training set: how long it takes, what it leaves in, and what one more day changes.

    make bench-datasets                 100,000 records; SIZE=10000 for others

The pairs of benchmarks/planted.py are written as invocation logs of twenty days and ingested but for the last day. Then
the command runs, twice, and once more after the last day: by the command line, each in a process of its own. What is
said about the files is looked up in them and in what was planted, not in what logminer reports:

- held-out prompts that are alike to one of the training file, by an index of their words that is computed apart;
- files that differ when all is done again, and yesterday's lines that are there today;
- planted faults that are still there in the end, personal values among them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import planted
from planted import Planted

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench" / "datasets"
LOGMINER = (sys.executable, "-m", "logminer")
DAYS = 20
OBJECT_RECORDS = 500
FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)
TEACHER = "amazon.nova-pro-v1:0"
INTENTS = ("refund", "delivery", "invoice", "login")
ALIKE = 0.8
EXPORT = (
    "export", "--teacher", TEACHER, "--curate", "--rule", "refusals", "--rule", "length:max_answer_tokens=4000",
    "--history", "longest", "--redact", "surrogate", "--stratify", "intent,length", "--held-out", "10%",
)  # fmt: skip
"""Refusals are planted as faults here, and answers of more than 4,000 tokens; by default the one only reports, and
the other goes by what the student takes."""


@dataclass(frozen=True)
class Timed:
    """What a command printed, how long it took, and the most memory that it held."""

    facts: Any
    seconds: float
    peak_bytes: int


def run(*words: str) -> Timed:
    """Run a command of logminer with --json. Raises RuntimeError where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen([*LOGMINER, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.read()
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(complaint.decode())
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    return Timed(json.loads(said), seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


# --- the logs -----------------------------------------------------------------------------------------------


def write_logs(corpus: Sequence[Planted], folder: Path, days: range) -> None:
    """The records of some of the days, in Bedrock's layout."""
    per_day = len(corpus) / DAYS
    chosen = ((number, one) for number, one in enumerate(corpus) if int(number / per_day) in days)
    for (day, _), group in groupby(chosen, lambda each: (int(each[0] / per_day), each[0] // OBJECT_RECORDS)):
        records = [_record(number, one, day) for number, one in group]
        at = FIRST_DAY + timedelta(days=day)
        place = folder / f"AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/{at:%Y/%m/%d}/00"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{at:%Y%m%dT000000000Z}_{hashlib.sha256(records[0].encode()).hexdigest()[:16]}.json.gz"
        (place / name).write_bytes(gzip.compress("\n".join(records).encode(), 6, mtime=0))


def _record(number: int, one: Planted, day: int) -> str:
    pair = one.pair
    body: dict[str, Any] = {"messages": json.loads(pair.messages), "inferenceConfig": {"maxTokens": 10_000}}
    if pair.system is not None:
        body["system"] = [{"text": pair.system}]
    if pair.params is not None:
        body["outputConfig"] = {"textFormat": {"type": "json_schema"}}
    answer = {"role": "assistant", "content": [{"text": pair.response}]}
    at = FIRST_DAY + timedelta(days=day, milliseconds=number)
    record = {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": "111122223333",
        "region": "us-east-1",
        "requestId": pair.request_id,
        "operation": "Converse",
        "modelId": TEACHER,
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": body,
            "inputTokenCount": pair.input_tokens,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {"output": {"message": answer}, "stopReason": "end_turn"},
            "outputTokenCount": pair.output_tokens,
        },
        "requestMetadata": {"intent": INTENTS[min(number % 7, 3)]},
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }
    return json.dumps(record, ensure_ascii=False)


# --- what is in the files -----------------------------------------------------------------------------------


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def requests_of(folder: Path) -> list[str]:
    """The requests of all lines of a dataset."""
    paths = (folder / "train.jsonl.pairs.jsonl", folder / "train.held-out.jsonl.pairs.jsonl")
    return [line["request_id"] for path in paths for line in lines_of(path)]


def print_faults(corpus: Mapping[str, Planted], folder: Path) -> None:
    """What was planted, and what of it is in the dataset; of near duplicates those that are alike enough to go."""
    before, after = Counter[str](), Counter[str]()
    written = set(requests_of(folder))
    for name, one in corpus.items():
        if one.fault is not None and (one.likeness is None or one.likeness >= ALIKE):
            before[one.fault] += 1
            after[one.fault] += name in written
    texts = (folder / "train.jsonl").read_text("utf-8") + (folder / "train.held-out.jsonl").read_text("utf-8")
    for name in written:
        for kind, value in corpus[name].personal.items():
            before[f"{kind} (of the lines)"] += 1
            after[f"{kind} (of the lines)"] += json.dumps(value, ensure_ascii=False)[1:-1] in texts
    print(f"\n{'planted':<28} {'records':>8} {'left':>6}")
    for fault, number in sorted(before.items()):
        print(f"{fault:<28} {number:>8,} {after[fault]:>6,}")


def alike_across(folder: Path) -> int:
    """How many held-out prompts are alike to one of the training file."""
    held = list(map(_asked, lines_of(folder / "train.held-out.jsonl")))
    train = [set(_shingles(_asked(line))) for line in lines_of(folder / "train.jsonl")]
    places: dict[str, list[int]] = defaultdict(list)
    for number, shingles in enumerate(train):
        for shingle in shingles:
            places[shingle].append(number)
    found = 0
    for text in held:
        shingles = set(_shingles(text))
        common = Counter(number for shingle in shingles for number in places.get(shingle, ()))
        found += any(
            shared / (len(shingles) + len(train[number]) - shared) >= ALIKE
            for number, shared in common.items()
        )
    return found


def _asked(line: Mapping[str, Any]) -> str:
    return " ".join(turn["content"][0]["text"] for turn in line["messages"] if turn["role"] == "user")


def _shingles(text: str) -> Iterator[str]:
    words = text.lower().split()
    return (" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2)))


def differing(one: Path, other: Path) -> list[str]:
    """The files of two folders that are not the same, by name."""
    names = sorted({path.name for folder in (one, other) for path in folder.iterdir()})
    pairs = ((name, one / name, other / name) for name in names)
    return [
        name for name, a, b in pairs if not (a.exists() and b.exists() and a.read_bytes() == b.read_bytes())
    ]


# --- the command --------------------------------------------------------------------------------------------


def export(store: Path, folder: Path, lines: int) -> Timed:
    """Make the dataset in a new folder."""
    folder.mkdir()
    return run(
        *EXPORT, "--max", str(lines), "--store", str(store), "-o", str(folder / "train.jsonl"),
        "--rejects", str(folder / "rejects.jsonl"),
    )  # fmt: skip


def print_export(made: Timed) -> None:
    """What the command made, and its funnel."""
    facts = made.facts
    print(
        f"{facts['lines']:,} lines, {facts['held_out']['lines']:,} held out, {facts['rejects']['lines']:,} rejects "
        f"in {made.seconds:.1f} s, peak {made.peak_bytes / 1e6:,.0f} MB"
    )
    for stage in facts["funnel"]:
        if stage["entered"] != stage["left"]:
            print(f"  {stage['stage']:<20} {stage['entered']:>9,} -> {stage['left']:>9,}")


def print_diff(before: Path, after: Path) -> None:
    """What one more day changed."""
    diff = run("dataset", "diff", str(before / "train.jsonl"), str(after / "train.jsonl")).facts
    for each in diff["sets"]:
        print(
            f"  {each['role']:<9} {each['before']:>7,} -> {each['after']:>7,} lines; {each['stays']:,} stay "
            f"({each['share']:.1%}), {len(each['came']):,} came, {len(each['went']):,} went, "
            f"{len(each['changed']):,} changed"
        )
    print(f"  {len(diff['crossed']):,} lines on the other side of the split")


def measure(pairs: int, seed: int, lines: int) -> None:
    """Make all files anew and print what is to be said about them."""
    folder = WORK / f"{pairs}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    planted.write(pairs, seed, folder / "corpus.pairs")
    corpus = list(planted.read(folder / "corpus.pairs"))
    write_logs(corpus, folder / "logs", range(DAYS - 1))
    store, first, again, today = (folder / name for name in ("store", "first", "again", "today"))
    ingested = run("ingest", str(folder / "logs"), "--store", str(store))
    print(f"{ingested.facts['records']:,} records of {DAYS - 1} days ingested in {ingested.seconds:.1f} s")
    print_export(export(store, first, lines))
    print(f"held-out prompts alike to one of the training file: {alike_across(first)}")
    export(store, again, lines)
    print(f"\nagain: {', '.join(differing(first, again)) or 'no file'} differs")
    write_logs(corpus, folder / "logs", range(DAYS - 1, DAYS))
    ingested = run("ingest", str(folder / "logs"), "--store", str(store))
    export(store, today, lines)
    print(f"one day more, {ingested.facts['records']:,} records:")
    print_diff(first, today)
    # Of all days: a twin of what is planted on the others may lie on the last.
    print_faults({str(one.pair.request_id): one for one in corpus}, today)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=100_000, help="size of the corpus")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpus")
    parser.add_argument("--lines", type=int, help="lines of the training file (default: 15 %% of the pairs)")
    options = parser.parse_args()
    print(
        f"{options.pairs:,} pairs; {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.machine()}",
        flush=True,
    )
    measure(options.pairs, options.seed, options.lines or max(100, options.pairs * 15 // 100))


if __name__ == "__main__":
    main()
