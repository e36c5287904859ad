"""Every dataset in `cases/<profile>/` with all its faults and the report for people.

`LOGMINER_REWRITE_GOLDENS=1` writes the expectations anew; the diff is then for review.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from logminer.validation import RULES, Allowance, all_profiles, report_lines, validate_file
from logminer.validation.logs import LOG_SEVERITIES

CASES = Path(__file__).parent / "cases"
DATASETS = sorted(CASES.glob("*/*.jsonl"))
OF_LOGS = LOG_SEVERITIES.keys() - {"too_few_lines", "too_many_lines", "empty_file"}


def outcome(path: Path) -> dict[str, Any]:
    report = validate_file(path, all_profiles()[path.parent.name], Allowance(min_lines=0))
    facts = report.as_dict()
    del facts["path"], facts["size_bytes"]
    facts["faults"] = [
        f"{fault.line} {fault.path} {fault.severity} {fault.rule}: {fault.message}" for fault in report.faults
    ]
    return {**facts, "text": [line.replace(str(path), path.name) for line in report_lines(report)]}


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_dataset_has_these_faults(path: Path) -> None:
    expectation = path.with_suffix(".expect.json")
    found = outcome(path)
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        expectation.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(expectation.read_text(encoding="utf-8"))


def test_every_profile_has_cases_and_every_expectation_a_dataset() -> None:
    assert {path.parent.name for path in DATASETS} == set(all_profiles())
    assert {path.with_suffix("").with_suffix(".jsonl") for path in CASES.glob("*/*.expect.json")} == set(
        DATASETS
    )


def test_every_rule_of_a_line_is_broken_somewhere() -> None:
    seen: set[str] = set()
    for path in CASES.glob("*/*.expect.json"):
        seen |= json.loads(path.read_text(encoding="utf-8"))["counts"].keys()
    of_files = {"file_name", "compressed", "gzip_damaged", "unpacked_size", "file_size", "empty_file"}
    of_files |= {"too_few_lines", "too_many_lines"}
    of_size_or_version = {"line_size", "line_too_long", "too_deep", "carriage_return"}
    assert seen == RULES.keys() - of_files - of_size_or_version - OF_LOGS
