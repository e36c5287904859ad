"""Write synthetic Bedrock invocation logs: the committed corpus, or any number of records for benchmarks.

    python sample_logs/generate.py                                   rewrites this folder's logs
    python sample_logs/generate.py --out DIR                         the same corpus elsewhere
    python sample_logs/generate.py --records 60000 --out DIR --seed 1

Needs nothing but Python. The same arguments give the same records, and with the same zlib the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bulk
import corpus
import layout
from layout import Call, Moment
from planting import TEACHER
from prose import Dice

HERE = Path(__file__).resolve().parent
SEED = 20260604
HOURS = (
    ("us-west-2", "2024-12-05T09"),
    ("us-west-2", "2024-12-05T10"),
    ("us-east-1", "2024-12-05T09"),
    ("us-west-2", "2026-06-03T07"),
    ("us-west-2", "2026-06-03T08"),
    ("us-west-2", "2026-06-03T13"),
    ("us-east-1", "2026-06-03T08"),
    ("us-east-1", "2026-06-03T13"),
    ("us-west-2", "2026-06-04T00"),
    ("us-west-2", "2026-06-04T16"),
    ("us-east-1", "2026-06-04T15"),
    ("us-east-1", "2026-06-04T16"),
)
EDGE_HOURS = {"2026-06-03T08", "2026-06-04T00"}
"""Their first object holds calls of the last minute of the hour before, delivered after the full hour."""
OBJECT_RECORDS = 34
REDELIVERED_KINDS = ("teacher_bare", "teacher_bare", "teacher_profile", "traffic", "error_without_output")
TEACHER_FORMS = {
    TEACHER: "bare",
    corpus.TEACHER_PROFILE: "geo_profile",
    corpus.TEACHER_ARN: "inference_profile_arn",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A call with its hour and id."""

    call: Call
    moment: Moment


@dataclass(slots=True)
class LogObject:
    """A log object in the making: `lines` are what it holds, in order; `members` counts its gzip members."""

    key: str
    planned: list[Planned]
    lines: list[str]
    members: int = 1

    def packed(self) -> bytes:
        """The gzip bytes."""
        cut = -(-len(self.lines) // self.members)
        parts = [self.lines[start : start + cut] for start in range(0, len(self.lines), cut)]
        return b"".join(layout.gzip_member("".join(f"{line}\n" for line in part).encode()) for part in parts)


def plan(dice: Dice) -> list[LogObject]:
    """Every call in an hour that fits its region and year, a few dozen to an object."""
    by_hour: dict[tuple[str, str], list[Call]] = {hour: [] for hour in HOURS}
    for call in corpus.all_calls(dice):
        fitting = [
            hour for hour in HOURS if call.region in (None, hour[0]) and hour[1][:4] == (call.era or "2026")
        ]
        by_hour[dice.pick(fitting)].append(call)
    return [log for hour, calls in by_hour.items() for log in plan_hour(dice, *hour, calls)]


def plan_hour(dice: Dice, region: str, hour_text: str, calls: Sequence[Call]) -> Iterator[LogObject]:
    """The objects of one hour; each is delivered within a minute of its calls."""
    hour = datetime.fromisoformat(hour_text).replace(tzinfo=UTC)
    for number, start in enumerate(range(0, len(calls), OBJECT_RECORDS)):
        chunk = calls[start : start + OBJECT_RECORDS]
        on_edge = number == 0 and hour_text in EDGE_HOURS
        stamp = hour + timedelta(
            seconds=4 if on_edge else 190 + 520 * number, milliseconds=dice.between(0, 999)
        )
        ages = sorted((dice.between(6, 56) for _ in chunk), reverse=True)
        folder = layout.hour_folder(region, hour)
        planned = [
            Planned(call, Moment(stamp - timedelta(seconds=age), region, dice.uuid(), folder))
            for call, age in zip(chunk, ages, strict=True)
        ]
        key = f"{folder}/{layout.object_name(stamp, dice.hexadecimal(16))}"
        yield LogObject(key, planned, [line_of(entry) for entry in planned])


def line_of(entry: Planned) -> str:
    """A record as its line in the log object."""
    text = layout.dumps(layout.record(entry.call, entry.moment))
    return text.replace(layout.MEDIA_URI, layout.media_uri(entry.moment))


def redeliver(objects: list[LogObject]) -> list[str]:
    """Copy a few records into the next object of the same hour; gives their request ids."""
    done: list[str] = []
    for kind in REDELIVERED_KINDS:
        for earlier, later in itertools.pairwise(objects):
            found = [n for n, p in enumerate(earlier.planned) if p.call.kind == kind and not p.call.extra]
            same_hour = earlier.key.rpartition("/")[0] == later.key.rpartition("/")[0]
            if same_hour and found and earlier.planned[found[0]].moment.request_id not in done:
                done.append(earlier.planned[found[0]].moment.request_id)
                later.lines.insert(len(later.lines) // 2, earlier.lines[found[0]])
                break
    return done


def damage(objects: list[LogObject]) -> int:
    """Spoil the last object with two lines that are no records; gives how many. Another gets two members."""
    spoilt = objects[-1]
    spoilt.lines.insert(len(spoilt.lines) // 2, "<Error><Code>SlowDown</Code></Error>")
    entry = spoilt.planned[0]
    unfinished = line_of(
        replace(entry, moment=replace(entry.moment, request_id="00000000-0000-4000-8000-000000000000"))
    )
    spoilt.lines.append(unfinished[: len(unfinished) // 2])
    objects[len(objects) // 2].members = 2
    return 2


def data_objects(entry: Planned) -> Iterator[tuple[str, bytes]]:
    """The offloaded bodies and media of a call, as (key, bytes)."""
    call, moment = entry.call, entry.moment
    for side, body in (("input", call.request), ("output", call.response)):
        if side in call.offloaded:
            yield layout.data_key(moment, side), layout.gzip_member(layout.dumps(body).encode())
    for number, (extension, data) in enumerate(call.media):
        yield layout.media_key(moment, number, extension), data


def corpus_files(seed: int) -> dict[str, bytes]:
    """The whole corpus by path: log objects, data objects, the permission check, and what to expect of it."""
    objects = plan(Dice(f"corpus {seed}"))
    redelivered = redeliver(objects)
    quarantined = damage(objects)
    logs = {log.key: log.packed() for log in objects}
    planned = [entry for log in objects for entry in log.planned]
    data = dict(item for entry in planned for item in data_objects(entry))
    told = {
        "seed": seed,
        "log_objects": len(logs),
        "data_objects": len(data),
        "records": len(planned) + len(redelivered),
        "quarantined": quarantined,
        "redelivered": redelivered,
        **expectations(planned),
    }
    manifest = (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()
    check = {
        f"{layout.ROOT}/amazon-bedrock-logs-permission-check": b"Permission check for Amazon Bedrock logs.\n"
    }
    return {**logs, **data, **check, "expected.json": manifest}


def expectations(planned: Sequence[Planned]) -> dict[str, Any]:
    """What a reader should find, each request counted once."""
    kinds: dict[str, list[str]] = {}
    for entry in planned:
        if entry.call.kind != "traffic":
            kinds.setdefault(entry.call.kind, []).append(entry.moment.request_id)
    return {
        "by_status": Counter(entry.call.status for entry in planned),
        "by_operation": Counter(entry.call.operation for entry in planned),
        "by_region": Counter(entry.moment.region for entry in planned),
        "untagged": sum(entry.call.metadata is None for entry in planned),
        "teacher": teacher_expectations([entry.call for entry in planned]),
        "statuses": {entry.moment.request_id: entry.call.status for entry in planned},
        "kinds": kinds,
    }


def teacher_expectations(calls: Sequence[Call]) -> dict[str, Any]:
    """Counts for the teacher under the README's filter."""
    matching = [c for c in calls if corpus.WANTED.items() <= dict(c.metadata or {}).items()]
    found = [(c, c.exchange) for c in matching if c.model_id in TEACHER_FORMS and c.exchange is not None]
    pairs = [(c, asked) for c, asked in found if c.status == "pair"]
    single = [(c, asked) for c, asked in pairs if sum(role == "user" for role, _ in asked.turns) == 1]
    return {
        "model": TEACHER,
        "filter": corpus.FILTER,
        "matching_records_of_any_model": len(matching),
        "records": len(found),
        "by_status": Counter(c.status for c, _ in found),
        "pairs": len(pairs),
        "multi_turn_pairs": len(pairs) - len(single),
        "single_turn_pairs": len(single),
        "single_turn_pairs_by_form": Counter(TEACHER_FORMS[c.model_id] for c, _ in single),
        "distinct_single_turn_pairs": len({(e.system, e.turns, e.answer) for _, e in single}),
        "distinct_single_turn_prompts": len({(e.system, e.turns) for _, e in single}),
    }


def write_files(files: dict[str, bytes], out: Path) -> None:
    """Write below `out`; an object of the right content keeps its bytes, whichever zlib made them."""
    for name, data in files.items():
        path = out / name
        if path.exists() and _content(path.name, path.read_bytes()) == _content(path.name, data):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _content(name: str, data: bytes) -> bytes:
    return gzip.decompress(data) if name.endswith(".gz") else data


def remove_strays(files: dict[str, bytes], out: Path) -> None:
    """Delete what an earlier version of the corpus left behind."""
    for path in sorted((out / "AWSLogs").rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(out).as_posix() not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """The command line; stops with exit code 2 where it cannot be meant."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--out", type=Path, default=HERE, help="folder to write to; default: this script's own")
    add("--seed", type=int, default=SEED, help="seed of all choices")
    add("--records", type=int, help="write that many records of bulk traffic in place of the corpus")
    add("--objects-of", type=int, metavar="N", help="records per log object; default: 100 to 400")
    add("--days", type=int, default=2, help="days that the records spread over")
    add("--body-bytes", type=int, default=3500, metavar="MEAN", help="mean raw JSON bytes of a record")
    options = parser.parse_args(given)
    elsewhere = options.out.resolve() != HERE
    if elsewhere and (options.out / "AWSLogs").exists():
        parser.error(f"{options.out / 'AWSLogs'} exists already: choose another --out, or delete it first")
    if not elsewhere and (options.records is not None or options.seed != SEED):
        parser.error("--records and --seed need --out DIR, so that the committed corpus stays as it is")
    numbers = (options.records, options.objects_of, options.days, options.body_bytes)
    if min(number for number in numbers if number is not None) < 1:
        parser.error("--records, --objects-of, --days and --body-bytes must be positive")
    return options


def main(given: Sequence[str]) -> None:
    """Write what the arguments ask for and say so on stderr."""
    options, start = arguments(given), time.perf_counter()
    if options.records is None:
        files = corpus_files(options.seed)
        write_files(files, options.out)
        remove_strays(files, options.out)
        written, count = sum(map(len, files.values())), json.loads(files["expected.json"])["records"]
    else:
        count = options.records
        load = bulk.Load(count, options.seed, options.days, options.objects_of, options.body_bytes)
        written = bulk.write(load, options.out)
    seconds = time.perf_counter() - start
    print(
        f"{count} records, {written / 1e6:.1f} MB written to {options.out} in {seconds:.1f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
