"""Whole log records of every body shape, and the conversation that each one gives.

`golden/<shape>/<case>.json` holds a record and what it is about, `<case>.expect.json` the columns that come of
it. `LOGMINER_REWRITE_GOLDENS=1` writes the expectations anew; review the difference.
"""

import json
import os
from pathlib import Path

import msgspec
import pytest

from logminer.conversations import body_shapes, conversation_of, record_decoder

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path for path in GOLDEN.glob("*/*.json") if not path.name.endswith(".expect.json"))
JSON_COLUMNS = ("messages", "response_blocks", "tools", "params")
# Digests of other columns say nothing to a reviewer.
LEFT_OUT = ("prompt_hash", "pair_hash")


def decode(path):
    line = json.dumps(json.loads(path.read_text(encoding="utf-8"))["record"]).encode()
    return record_decoder().decode(line)


def shapes_of(record):
    """The names of the shapes that read the request and the response, and which kind of response it is."""
    request, response = record.input.input_body_json, record.output.output_body_json
    kind = "stream" if isinstance(response, list) else "response"
    if kind == "stream":
        response = [chunk for chunk in response if not isinstance(chunk, str)]
    names = {}
    for part, body in (("request", request), (kind, response)):
        declared = [(shape.name, getattr(shape, part)) for shape in body_shapes()]
        names[part] = next((name for name, side in declared if side is not None and side.accepts(body)), None)
    return names


def expectation(path):
    decoded = decode(path)
    columns = msgspec.structs.asdict(conversation_of(decoded.record, decoded.details))
    for name in JSON_COLUMNS:
        if columns[name] is not None:
            columns[name] = json.loads(columns[name])
    present = {name: value for name, value in columns.items() if value is not None and name not in LEFT_OUT}
    return {"shapes": shapes_of(decoded.record), "conversation": present}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_record_gives_its_conversation(path):
    found = expectation(path)
    expected_path = path.with_suffix(".expect.json")
    if os.environ.get("LOGMINER_REWRITE_GOLDENS") == "1":
        expected_path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected_path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_lies_in_the_folder_of_a_shape_that_reads_it(path):
    assert path.parent.name in shapes_of(decode(path).record).values()


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_slow_path_reads_what_the_fast_path_reads(path):
    """Bodies that are JSON strings take the tolerant parser; the conversation is the same."""
    decoded = decode(path)
    record = json.loads(path.read_text(encoding="utf-8"))["record"]
    for side, body in (("input", "inputBodyJson"), ("output", "outputBodyJson")):
        record[side][body] = json.dumps(record[side][body])
    slow = record_decoder().decode(json.dumps(record).encode())
    assert slow.details == ()
    assert conversation_of(slow.record) == conversation_of(decoded.record)


def test_every_declared_body_has_a_golden():
    declared = {
        (shape.name, part)
        for shape in body_shapes()
        for part in ("request", "response", "stream")
        if getattr(shape, part) is not None
    }
    covered = {(name, part) for path in CASES for part, name in shapes_of(decode(path).record).items()}
    assert declared - covered == set()


def test_every_expectation_has_its_record():
    expected = {path.with_name(path.name.replace(".expect.json", ".json")) for path in GOLDEN.glob("*/*.expect.json")}
    assert expected == set(CASES)
