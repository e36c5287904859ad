"""Whole log records of every body shape, and the conversation that each one gives.

`golden/<shape>/<case>.json` holds a record and what it is about, `<case>.expect.json` the columns that come
of it. `LOGMINER_REWRITE_GOLDENS=1` writes the expectations anew; review the difference.
"""

import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import records
from logminer.conversations import body_shapes, conversation_of, record_decoder
from logminer.records import NotARecord
from logminer.schema import JSON_COLUMNS
from logminer.statuses import PROMPT_STATUSES, STATUS_DETAILS, STATUSES

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path for path in GOLDEN.glob("*/*.json") if not path.name.endswith(".expect.json"))
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
    for side, body in BODIES:
        record[side][body] = json.dumps(record[side][body])
    slow = record_decoder().decode(json.dumps(record).encode())
    assert slow.details == ()
    assert conversation_of(slow.record) == conversation_of(decoded.record)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_one_typed_pass_reads_it(path, monkeypatch):
    """The tolerant parser is an order of magnitude slower: nothing in good order may need it."""
    monkeypatch.setattr(records, "parse_tolerantly", lambda text: pytest.fail("took the slow path"))
    decode(path)


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
    expected = {
        path.with_name(path.name.replace(".expect.json", ".json")) for path in GOLDEN.glob("*/*.expect.json")
    }
    assert expected == set(CASES)


def json_values():
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False)
        | st.text(max_size=5)
    )
    return st.recursive(
        scalars | st.just("\ud800"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    )


def places(value, path=()):
    """The path of every value inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


RECORDS = [json.loads(path.read_text(encoding="utf-8"))["record"] for path in CASES]
BODIES = (("input", "inputBodyJson"), ("output", "outputBodyJson"))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def values_by_key():
    """What stands under each key in any golden body: another family's value passes the typed decoder."""
    found = {}
    for record in RECORDS:
        for side, body in BODIES:
            for path in places(record[side][body]):
                found.setdefault(path[-1] if path else body, []).append(at(record[side][body], path))
    return found


VALUES = values_by_key()


def judged(record):
    decoded = record_decoder().decode(json.dumps(record).encode())
    conversation = conversation_of(decoded.record, decoded.details)
    return conversation.status, conversation.prompt_status, conversation.status_detail, conversation.response


def removed(value, path):
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = removed(value[path[0]], path[1:])
    return copy


@pytest.mark.parametrize("record", RECORDS, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_null_is_the_same_as_absent(record):
    for side, body in BODIES:
        for path in places(record[side][body]):
            if path and isinstance(path[-1], str):
                place = (side, body, *path)
                assert judged(replaced(record, place, None)) == judged(removed(record, place)), place


@st.composite
def damaged_records(draw):
    """A golden record with one or two values in its bodies replaced, by another family's or by any at all."""
    record = draw(st.sampled_from(RECORDS))
    for _ in range(draw(st.integers(1, 2))):
        side, body = draw(st.sampled_from(BODIES))
        path = draw(st.sampled_from(list(places(record[side][body]))))
        others = VALUES.get(path[-1] if path else body, [None])
        record = replaced(record, (side, body, *path), draw(st.sampled_from(others) | json_values()))
    return record


@settings(max_examples=400, deadline=None)
@given(damaged_records())
def test_any_value_anywhere_costs_no_more_than_its_record(record):
    try:
        decoded = record_decoder().decode(json.dumps(record).encode())
    except NotARecord:
        return
    conversation = conversation_of(decoded.record, decoded.details)
    assert conversation.status in STATUSES
    assert conversation.prompt_status in PROMPT_STATUSES
    for word in (conversation.status_detail or "").split():
        assert word in STATUS_DETAILS or word.partition(":")[0] + ":" in STATUS_DETAILS
    for name in JSON_COLUMNS:
        text = getattr(conversation, name)
        assert text is None or msgspec.json.decode(text) is not None
    for name in ("system", "response", "reasoning", "stop_reason"):
        assert isinstance(getattr(conversation, name), str | None)
    for name in (
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "latency_ms",
        "turns",
    ):
        assert isinstance(getattr(conversation, name), int | None)
