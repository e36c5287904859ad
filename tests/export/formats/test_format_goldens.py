"""Every pair in `golden/` in every format: what comes out, or why it does not fit.

`LOGMINER_REWRITE_GOLDENS=1` writes the expectations anew; review the difference.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from logminer.exports import export_format, export_formats
from logminer.exports.texts import calls_a_tool

from .pairs import log_records, make_pair, written

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path for path in GOLDEN.glob("*.json") if not path.name.endswith(".expect.json"))
VARIANTS = (
    "batch:body=anthropic",
    "batch:body=llama3",
    "batch:body=nova",
    "batch:body=openai",
    "bedrock-eval:category=intent",
    "parquet:metadata,identity",
)


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    pair = make_pair(**case)
    found: dict[str, Any] = {}
    for name in (*export_formats(), *VARIANTS):
        form = export_format(name)
        misfit = form.misfit(pair)
        found[name] = (
            {"misfit": misfit} if misfit is not None else readable(form.ending, written(form, [pair]))
        )
    return found


def readable(ending: str, files: dict[str, bytes]) -> Any:
    if ending == "/":
        return {"files": sorted(files), "records": log_records(files)}
    (content,) = files.values()
    if ending == ".parquet":
        table = pq.read_table(io.BytesIO(content))
        kinds = {field.name: str(field.type) for field in table.schema}
        return {"columns": kinds, "row": json.loads(json.dumps(table.to_pylist()[0], default=str))}
    return content.decode()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_pair_in_every_format(path: Path) -> None:
    expectation = path.with_suffix(".expect.json")
    found = outcome(json.loads(path.read_text("utf-8")))
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        text = json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True)
        expectation.write_text(text + "\n", encoding="utf-8")
    assert found == json.loads(expectation.read_text("utf-8"))


def test_every_format_writes_some_case_and_every_expectation_has_one() -> None:
    expected = {path.with_suffix(".expect.json") for path in CASES}
    assert expected == set(GOLDEN.glob("*.expect.json"))
    outcomes = [json.loads(path.read_text("utf-8")) for path in expected]
    for name in (*export_formats(), *VARIANTS):
        assert any("misfit" not in each[name] for each in outcomes), name


def test_options_are_all_tried() -> None:
    tried = {(name.partition(":")[0], option.partition("=")[0]) for name in VARIANTS
             for option in name.partition(":")[2].split(",")}  # fmt: skip
    assert tried == {(name, option) for name, form in export_formats().items() for option in form.options}


_BESIDE_TEXTS = {
    "account_id": None,
    "region": None,
    "operation": None,
    "identity_arn": None,
    "model_id": None,
    "request_metadata": {},
    "reasoning": None,
    "tools": None,
    "params": None,
    "stop_reason": None,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_format_of_texts_alone_looks_at_nothing_else(path: Path) -> None:
    pair = make_pair(**json.loads(path.read_text("utf-8")))
    without_blocks = {} if calls_a_tool(pair) else {"response_blocks": None}
    bare = msgspec.structs.replace(pair, **_BESIDE_TEXTS, **without_blocks)
    of_texts = [form for form in map(export_format, (*export_formats(), *VARIANTS)) if form.texts_alone]
    assert of_texts
    for form in of_texts:
        assert form.misfit(bare) == form.misfit(pair)
        if form.misfit(pair) is None:
            assert written(form, [bare]) == written(form, [pair])
