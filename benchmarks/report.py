"""The table that a person reads, and the same facts for machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Line, Setting, Timing
from benchmarks.harness import ROOT, cores

PAGE = ROOT / "docs" / "performance.md"
_HEADS = (
    "row",
    "what",
    "figure",
    "",
    "must",
    "aim",
    "",
    "ours: best, median",
    "peer: best, median",
    "peak MB",
)
_PEERS = ("duckdb", "deltalake", "pyarrow", "boto3", "obstore", "msgspec")


def print_table(lines: Sequence[Line]) -> None:
    """All lines on stdout, in columns; notes below theirs."""
    rows = [_cells(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    print(_in_columns(_HEADS, widths))
    for line, row in zip(lines, rows, strict=True):
        print(_in_columns(row, widths))
        if line.note:
            print(f"{'':<{widths[0]}}    {line.note}")


def _in_columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(line: Line) -> tuple[str, ...]:
    sign = {"more": "≥", "less": "≤"}
    bound = line.bound
    spread = f" ({_number(line.spread[0])} to {_number(line.spread[1])})" if line.spread else ""
    ours = line.timings[0] if line.timings else None
    peer = line.timings[1] if len(line.timings) == 2 else None
    return (
        line.row,
        line.what,
        _number(line.value) + spread,
        line.unit,
        f"{sign[bound.better]} {_number(bound.must)}" if bound else "",
        f"{sign[bound.better]} {_number(bound.aim)}" if bound else "",
        bound.verdict(line.value) if bound else "",
        _seconds(ours),
        _seconds(peer),
        " / ".join(_megabytes(each) for each in (ours, peer) if each is not None and each.peak_bytes),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _seconds(timing: Timing | None) -> str:
    return f"{timing.best:.3g} s, {timing.median:.3g} s" if timing else ""


def _megabytes(timing: Timing) -> str:
    return f"{(timing.peak_bytes or 0) / 1e6:,.0f}"


def markdown_table(told: dict[str, Any]) -> str:
    """The table for `docs/performance.md`, out of what `as_json` gave."""
    about = told["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    head = (
        f"{about['cores']} cores, {about['memory_gb']} GB of memory, {about['system']} on {about['architecture']}, "
        f"Python {about['python']}, {packages}. `make bench SIZE={told['records']}`: {told['seconds'] / 60:.0f} minutes.\n\n"
        "| row | what | figure | must | aim | | ours, s | peer, s |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(_markdown_row(line) for line in told["lines"])


def _markdown_row(line: dict[str, Any]) -> str:
    timings = line["timings"]
    seconds = [f"{each['median']:.3g}" for each in timings[:2]] if len(timings) <= 2 else []
    bound = line["bound"]
    sign = {"more": "≥", "less": "≤"}[bound["better"]] if bound else ""
    bounds = [f"{sign} {_number(bound[name])}" for name in ("must", "aim")] if bound else ["", ""]
    what = line["what"] + (f"<br>{line['note']}" if line["note"] else "")
    figure = f"{_number(line['value'])} {line['unit']}"
    cells = [line["row"], what, figure, *bounds, line["verdict"] or "", *seconds, "", ""][:8]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def renew_part(page: Path, name: str, text: str) -> None:
    """Put a text into a page, between the marks of that name."""
    before, mark, rest = page.read_text("utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    page.write_text(f"{before}{mark}{text}{end}{after}", "utf-8")


def as_json(setting: Setting, lines: Sequence[Line], seconds: float) -> dict[str, Any]:
    """Every figure and timing as plain values, with the machine and the versions that gave them."""
    return {
        "records": setting.records,
        "rounds": setting.rounds,
        "seconds": round(seconds, 1),
        "machine": machine(),
        "lines": [_plain(line) for line in lines],
    }


def machine() -> dict[str, Any]:
    """The machine in general words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": cores(),
        "memory_gb": round(memory / (1 << 30)),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PEERS},
    }


def _plain(line: Line) -> dict[str, Any]:
    told = asdict(line)
    told["timings"] = [{**asdict(each), "best": each.best, "median": each.median} for each in line.timings]
    told["verdict"] = line.bound.verdict(line.value) if line.bound else None
    return told
