"""How well curation and redaction find what was planted, and how near-duplicate removal compares with other packages.

    make bench-quality                  100,000 pairs; SIZE=10000 for others

The pairs are made once, by benchmarks/planted.py. Recall is the share of planted faults that a rule finds; precision
the share of what it finds that was planted for it. Rules run one after the other, each on what those before have
left, as an export runs them. For near duplicates precision is measured against the truth: a pair is rightly dropped
if it is alike to the pair that is named, by an index of their words that is computed apart.

The other packages get the same texts and the same shingles, and compare what they make of them in their own way:
datasketch (MinHashLSH) and rensa's own deduplicator, both with 128 permutations, at the same threshold. Each runs in a
process of its own; the peak of memory is that process's, with Python and the package in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import planted
from personal import PERSONAL
from planted import STRENGTHS, jaccard

from logminer.curation import curation_rules
from logminer.curation.history import shorter_histories
from logminer.curation.rule import Dropped, Pairs
from logminer.curation.shingles import Shingling
from logminer.curation.turns import all_text
from logminer.pairs import PromptResponsePair
from logminer.redaction import Redactor

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT / "build" / "bench"
THRESHOLD = 0.8
OPTIONS = {"length": {"max_answer_tokens": 4000}, "reserved_words": {"models": "any"}}
WHOSE = {
    "apologies": {"apology"},
    "blank": {"blank"},
    "broken_off": {"cut", "loop"},
    "conflicting_answers": {"conflicting_answer"},
    "exact_duplicates": {"exact_duplicate"},
    "invalid_json": {"broken_json"},
    "length": {"too_long"},
    "near_duplicates": {"other_spaces", *(f"near_{percent}" for percent in STRENGTHS)},
    "refusals": {"refusal"},
    "repetition": {"loop"},
    "reserved_words": {"reserved_word"},
    "template_tokens": {"template_token", "reserved_word"},
}
"""The faults that each rule is for; two rules may find one."""


class Outcome(msgspec.Struct):
    """What a package did about near duplicates: the keys of the pairs that it drops, seconds and bytes at the peak."""

    dropped: list[tuple[tuple[str, int], tuple[str, int]]]
    seconds: float
    peak_bytes: int


# --- rules --------------------------------------------------------------------------------------------------


def measure_rules(path: Path) -> None:
    """Run the history mode and all rules, one after the other, and print what became of what was planted."""
    truth = {one.pair.key: one.fault for one in planted.read(path)}
    counts = Counter(truth.values())
    gone: set[tuple[str, int]] = set()
    found: dict[str, Counter[str]] = {}

    def left() -> Iterator[PromptResponsePair]:
        return (one.pair for one in planted.read(path) if one.pair.key not in gone)

    print(f"{'rule':<20} {'dropped':>8} {'planted':>8} {'precision':>10} {'seconds':>8}")
    for name, find, drops in _stages():
        start = time.perf_counter()
        dropped = list(find(left))
        seconds = time.perf_counter() - start
        found[name] = Counter(str(truth[each.key]) for each in dropped)
        right = sum(count for fault, count in found[name].items() if fault in _faults_of(name))
        share = f"{right / len(dropped):10.3f}" if dropped else f"{'-':>10}"
        print(f"{name:<20} {len(dropped):>8,} {right:>8,} {share} {seconds:>8.1f}", flush=True)
        if drops:
            gone |= {each.key for each in dropped}
    _print_recall(counts, found)


def _stages() -> Iterator[tuple[str, Callable[[Pairs], Iterable[Dropped]], bool]]:
    yield "history longest", shorter_histories, True
    for rule in sorted(curation_rules().values(), key=lambda rule: rule.order):
        find = rule.make({**rule.options, **OPTIONS.get(rule.name, {})})
        yield rule.name, find, not rule.report_only


def _faults_of(rule: str) -> set[str]:
    return {"shorter_history"} if rule == "history longest" else WHOSE.get(rule, set())


def _print_recall(counts: Counter[str | None], found: dict[str, Counter[str]]) -> None:
    print(f"\n{'planted fault':<20} {'pairs':>8} {'found':>8} {'recall':>8}  by")
    for fault, count in sorted((str(fault), count) for fault, count in counts.items() if fault is not None):
        rules = {
            rule: each[fault] for rule, each in found.items() if fault in _faults_of(rule) and each[fault]
        }
        right = sum(rules.values())
        print(f"{fault:<20} {count:>8,} {right:>8,} {right / count:>8.3f}  {', '.join(rules)}")


# --- personal data ------------------------------------------------------------------------------------------


def measure_redaction(path: Path) -> None:
    """Redact every pair, and print which planted values are gone and what else was taken for one."""
    redactor = Redactor(mode="placeholder")
    assert set(redactor.kinds) == set(PERSONAL), "every kind is planted"
    count, gone, right, wrong, size = Counter[str](), Counter[str](), Counter[str](), Counter[str](), 0
    start = time.perf_counter()
    for one in planted.read(path):
        redacted, fields = redactor.redact_fields(one.pair)
        texts = f"{redacted.messages}{redacted.response}{redacted.response_blocks}"
        size += len(one.pair.messages) + len(one.pair.response or "")
        for kind, value in one.personal.items():
            count[kind] += 1
            gone[kind] += value.splitlines()[-1] not in texts and value not in texts
        for kind in {kind for kind, _ in fields}:
            (right if kind in one.personal else wrong)[kind] += 1
    seconds = time.perf_counter() - start
    print(f"\n{'personal data':<20} {'pairs':>8} {'gone':>8} {'recall':>8} {'precision':>10}")
    for kind in sorted(PERSONAL):
        precision = right[kind] / ((right[kind] + wrong[kind]) or 1)
        print(
            f"{kind:<20} {count[kind]:>8,} {gone[kind]:>8,} {gone[kind] / count[kind]:>8.3f} {precision:>10.3f}"
        )
    print(f"redaction: {size / seconds / 1e6:.1f} MB of text a second")


# --- near duplicates ----------------------------------------------------------------------------------------


def near_with_logminer(path: Path) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """The rule, and the pair that each dropped one is said to be like."""
    rule = curation_rules()["near_duplicates"]
    ids: dict[str, tuple[str, int]] = {}

    def pairs() -> Iterator[PromptResponsePair]:
        for one in planted.read(path):
            ids[str(one.pair.request_id)] = one.pair.key
            yield one.pair

    find = rule.make({**rule.options, "threshold": THRESHOLD})
    return [(each.key, ids[each.evidence.split()[-1]]) for each in find(pairs)]


def _shingled(path: Path) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """The words of prompt and answer by three, as the rule's own defaults have them."""
    shingling = Shingling(3)
    for one in planted.read(path):
        prompt = shingling.shingles(all_text(one.pair.messages))
        yield one.pair.key, [*prompt, *(f"> {each}" for each in shingling.shingles(one.pair.response or ""))]


def near_with_datasketch(path: Path) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """Each pair that MinHashLSH has a like of is dropped, others are added to it."""
    from datasketch import MinHash, MinHashLSH

    lsh, dropped = MinHashLSH(threshold=THRESHOLD, num_perm=128), []
    for key, shingles in _shingled(path):
        signature = MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in shingles])
        if twins := lsh.query(signature):
            dropped.append((key, min(twins)))
        else:
            lsh.insert(key, signature, check_duplication=False)
    return dropped


def near_with_rensa(path: Path) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """The same with rensa's deduplicator, which compares signatures of candidates."""
    from rensa import RMinHash, RMinHashDeduplicator

    index, dropped = RMinHashDeduplicator(THRESHOLD, 128, True), []
    for key, shingles in _shingled(path):
        signature = RMinHash(128, 42)
        signature.update(shingles)
        name = f"{key[0]} {key[1]}"
        if twins := index.get_duplicates(signature):
            uri, _, position = min(twins).rpartition(" ")
            dropped.append((key, (uri, int(position))))
        else:
            index.add(name, signature)
    return dropped


CONTENDERS = {
    "logminer": near_with_logminer,
    "datasketch": near_with_datasketch,
    "rensa's own": near_with_rensa,
}


def run_alone(name: str, path: Path) -> Outcome:
    """Let one of them run in a new process."""
    command = [sys.executable, __file__, "--alone", name, "--corpus", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


def alone(name: str, path: Path) -> None:
    """What such a process does; the outcome goes to stdout."""
    start = time.perf_counter()
    dropped = CONTENDERS[name](path)
    seconds = time.perf_counter() - start
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    sys.stdout.buffer.write(msgspec.msgpack.encode(Outcome(dropped, seconds, peak)))


def measure_near(path: Path) -> None:
    """Print recall by strength, precision, time and memory of all contenders."""
    copies = {one.pair.key: one for one in planted.read(path) if one.likeness is not None}
    strengths = [f"near_{percent}" for percent in STRENGTHS]
    shown = ("", "seconds", "peak MB", "dropped", "precision", f"recall {THRESHOLD}", *strengths)
    print(
        "\nnear duplicates: recall by the share of changed words in percent, and of all alike by "
        f"{THRESHOLD} or more"
    )
    print(f"{shown[0]:<12}" + "".join(f"{word:>11}" for word in shown[1:]))
    alike = {key for key, one in copies.items() if (one.likeness or 0) >= THRESHOLD}
    for name in CONTENDERS:
        outcome = run_alone(name, path)
        dropped = dict(outcome.dropped)
        recalls = [
            _share(dropped, {key for key, one in copies.items() if one.fault == each}) for each in strengths
        ]
        figures = f"{outcome.seconds:>11.1f}{outcome.peak_bytes / 1e6:>11.0f}{len(dropped):>11,}"
        rates = [_precision(path, dropped), _share(dropped, alike), *recalls]
        print(f"{name:<12}{figures}" + "".join(f"{rate:>11.3f}" for rate in rates), flush=True)
    for each in strengths:
        group = [one.likeness or 0 for one in copies.values() if one.fault == each]
        over = sum(likeness >= THRESHOLD for likeness in group)
        print(
            f"  {each}: {len(group):,} pairs, {over:,} of them alike by {THRESHOLD}, {sum(group) / len(group):.2f} in the mean"
        )


def _share(dropped: Iterable[tuple[str, int]], wanted: set[tuple[str, int]]) -> float:
    return len(wanted.intersection(dropped)) / (len(wanted) or 1)


def _precision(path: Path, dropped: dict[tuple[str, int], tuple[str, int]]) -> float:
    """The share of dropped pairs whose shingles, those of both sides together, are alike to the named pair's."""
    keys = {*dropped, *dropped.values()}
    texts = {
        one.pair.key: (all_text(one.pair.messages), one.pair.response or "")
        for one in planted.read(path)
        if one.pair.key in keys
    }
    right = sum(jaccard(texts[copy], texts[twin]) >= THRESHOLD for copy, twin in dropped.items())
    return right / (len(dropped) or 1)


# --- the command --------------------------------------------------------------------------------------------


def corpus(pairs: int, seed: int) -> Path:
    """The file of that many pairs, made once and kept under `build/`."""
    path = CORPORA / f"quality-{pairs}-{seed}.pairs"
    if not path.exists():
        CORPORA.mkdir(parents=True, exist_ok=True)
        planted.write(pairs, seed, path)
    return path


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=100_000, help="size of the corpus")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpus")
    parser.add_argument("--alone", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(options.alone, options.corpus)
        return
    path = corpus(options.pairs, options.seed)
    print(
        f"{options.pairs:,} pairs, {path.stat().st_size / 1e6:.0f} MB; {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.machine()}\n",
        flush=True,
    )
    measure_rules(path)
    measure_redaction(path)
    measure_near(path)


if __name__ == "__main__":
    main()
