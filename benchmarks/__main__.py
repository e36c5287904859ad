"""Measures logminer beside what its users would do instead.

    make bench                          all rows; or python -m benchmarks
    make bench SIZE=6000                with a tenth of the data
    python -m benchmarks --rows count,stats

Data is made by seeded generators, once, and kept below build/bench. Contenders run in processes of their own, turn by
turn, another one first in each round; their answers are compared before any figure is given. A figure is the median
over the rounds; best and median of the seconds stand beside it. What a figure must reach, and aims at, are ratios:
seconds of different machines cannot be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import export, ingest, query, s3, start
from benchmarks.figures import FULL_RECORDS, BenchmarkError, Line, Row, Setting
from benchmarks.harness import ROOT
from benchmarks.report import PAGE, as_json, machine, markdown_table, print_table, renew_part

RESULTS = ROOT / "benchmarks" / "results.json"
ALL_ROWS = (*ingest.ROWS, *s3.ROWS, *query.ROWS, *export.ROWS, *start.ROWS)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="rows: " + "; ".join(f"{row.name} ({row.about})" for row in ALL_ROWS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--size",
        type=_positive,
        default=FULL_RECORDS,
        help="records of the first corpus; all else in proportion",
    )
    add("--rows", type=_rows, default=ALL_ROWS, metavar="NAME,...", help="these rows alone")
    add("--rounds", type=_positive, default=5, help="how often each contender runs; long ones less often")
    add(
        "--json",
        action="store_true",
        help="also write benchmarks/results.json, and the table of docs/performance.md",
    )
    add("--folder", type=Path, default=ROOT / "build" / "bench", help="where data is kept")
    return parser.parse_args(given)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number, 1 or more")
    return int(text)


def _rows(text: str) -> tuple[Row, ...]:
    known = {row.name: row for row in ALL_ROWS}
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"there is no row {name!r}; rows are: {', '.join(known)}")
    return tuple(row for row in ALL_ROWS if row.name in names)


def measure(rows: Sequence[Row], setting: Setting) -> list[Line]:
    """The lines of all rows; says on stderr how far it is."""
    lines: list[Line] = []
    for row in rows:
        print(f"{row.name}: {row.about}", file=sys.stderr, flush=True)
        lines += row.measure(setting)
    return lines


def main() -> None:
    """Measure, print, and write what was asked for."""
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    setting = Setting(options.size, options.rounds, options.folder.resolve())
    begun = time.perf_counter()
    try:
        lines = measure(options.rows, setting)
    except BenchmarkError as error:
        sys.exit(f"failed: {error}")
    seconds = time.perf_counter() - begun
    about = machine()
    print(
        f"{about['cores']} cores, {about['memory_gb']} GB, {about['architecture']}, Python {about['python']}, "
        f"size {options.size:,}, {seconds / 60:.1f} minutes"
    )
    print_table(lines)
    if options.json:
        told = as_json(setting, lines, seconds)
        RESULTS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        renew_part(PAGE, "results", markdown_table(told))
        print(f"written: {RESULTS.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
