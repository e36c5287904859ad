"""The benchmarks run, and what they compare gives the same answers. Times are no matter of tests."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sys, "path", [str(ROOT), *sys.path])
    from benchmarks.__main__ import ALL_ROWS
    from benchmarks.figures import BenchmarkError, Bound, Line, Setting, Timing, fitted_exponent, speed_line
    from benchmarks.harness import Run, alternate
    from benchmarks.profiling import PARTS, part_of
    from benchmarks.report import markdown_table


@pytest.fixture(scope="module")
def setting(tmp_path_factory) -> Setting:
    """The smallest sizes there are."""
    return Setting(records=1, rounds=1, folder=tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize("row", ALL_ROWS, ids=lambda row: row.name)
def test_a_row_runs_and_its_contenders_agree(setting, row):
    lines = list(row.measure(setting))
    assert lines
    for line in lines:
        assert line.row == row.name
        assert math.isfinite(line.value)


def test_contenders_that_disagree_are_not_compared():
    with pytest.raises(BenchmarkError, match="the answers differ"):
        alternate({"ours": lambda: Run(1.0, 15), "peer": lambda: Run(2.0, 16)}, 1)


def test_contenders_take_turns_in_being_first():
    order: list[str] = []

    def contender(name: str):
        return lambda: order.append(name) or Run(1.0)

    alternate({name: contender(name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"


def test_a_ratio_is_the_median_of_the_rounds_and_is_held_against_its_bound():
    ours, peer = Timing("ours", (1.0, 2.0, 1.0)), Timing("peer", (3.0, 2.0, 2.0))
    line = speed_line("row", "what", ours, peer, Bound("more", 1.5, 2.5))
    assert (line.value, line.spread) == (2.0, (1.0, 3.0))
    assert line.bound is not None
    assert line.bound.verdict(line.value) == "met"
    assert [Bound("less", 2, 1).verdict(value) for value in (0.9, 1.5, 2.1)] == ["aim", "met", "missed"]


def test_the_exponent_of_growth():
    assert fitted_exponent([1, 2, 4, 8], [3, 6, 12, 24]) == pytest.approx(1)
    assert fitted_exponent([1, 2, 4], [1, 4, 16]) == pytest.approx(2)


def test_the_command_line_measures_and_names_its_rows(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--folder", str(tmp_path), "--size", "1", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--rows", "select"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "select --limit 20 with text" in done.stdout
    wrong = subprocess.run([*command, "--rows", "none"], cwd=ROOT, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "there is no row 'none'; rows are: ingest," in wrong.stderr


def test_functions_are_counted_for_their_part_of_the_work():
    assert part_of("records.py", "decode") == "decode records"
    assert part_of("conversations/families/nova.py", "accepts") == "conversations"
    assert part_of("store/rows.py", "write") == "write Parquet"
    assert part_of("store/rows.py", "_array") == "rows to Arrow"
    assert part_of("", "outside") == PARTS[-1].name


def test_parts_name_modules_that_there_are():
    named = [module for part in PARTS for module in part.modules]
    assert [module for module in named if not (ROOT / "logminer" / module).exists()] == []


def test_the_profile_counts_an_ingest(tmp_path):
    command = [sys.executable, "-m", "benchmarks.profiling", "--records", "200", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "µs of processor time a record" in done.stdout
    assert all(part.name in done.stdout for part in PARTS)


def test_the_page_holds_the_table_of_the_results():
    results = ROOT / "benchmarks" / "results.json"
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    (shown,) = re.findall(r"<!-- results -->\n(.*?)<!-- end -->", page, re.DOTALL)
    assert shown == markdown_table(json.loads(results.read_text("utf-8")))


def test_every_row_has_a_line_in_the_results():
    told = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
    assert {line["row"] for line in told["lines"]} == {row.name for row in ALL_ROWS}
    assert set(told["lines"][0]) >= set(Line.__dataclass_fields__)
