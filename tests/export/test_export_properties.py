"""Whatever people wrote: an export is what the profile of its teacher and AWS's own script take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore_shapes import check_shape
from hypothesis import example, given, settings
from hypothesis import strategies as st
from query.logs import LLAMA, NOVA, Record, record, store_of

from logminer import pipeline
from logminer.errors import CheckFailed
from logminer.reserved_words import has_reserved_word

HOSTILE = "\0\x01\t\n\r\x1b\x7f\x85\u2028\u2029\ufeff\ufffe\U0001f600\ud800\udfff\"\\/'{}[],:"
texts = st.text(st.characters() | st.sampled_from(HOSTILE), max_size=12)
_SURROGATE = re.compile("[\ud800-\udfff]")


@st.composite
def logged(draw: st.DrawFn) -> list[Record]:
    """Records of one model; prompts of odd length are conversations."""
    model = draw(st.sampled_from([LLAMA, NOVA]))
    prompts = st.lists(texts, min_size=1, max_size=1) | st.lists(texts, min_size=3, max_size=3)
    call = st.tuples(st.none() | texts, prompts, texts)
    return [
        record(
            f"{n}", at=f"2026-06-03T08:00:{n:02}Z", model=model, system=system, prompt=prompt, answer=answer
        )
        for n, (system, prompt, answer) in enumerate(draw(st.lists(call, min_size=1, max_size=5)))
    ]


@settings(max_examples=60, deadline=None)
@given(logged(), st.booleans())
@example([record("0", system=" ", prompt=HOSTILE, answer=HOSTILE)], False)
@example([record("0", model=NOVA, system=HOSTILE, prompt=[HOSTILE, "\u2028", "x"], answer="\ufeff")], False)
@example([record("0", system="\u3000", prompt="\u00a0x", answer="\x1c")], True)
def test_exports_pass_every_check(records: list[Record], prompts_only: bool) -> None:
    model = records[0]["modelId"]
    with store_of(records) as store, TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        status = "all" if prompts_only else "pair"
        rows = list(pipeline.select(store, status=status, where="prompt_status = 'ok' AND (turns = 1 OR "
                                    f"model = '{NOVA}')"))  # fmt: skip
        try:
            pipeline.export(str(path), store, allow_few=True, prompts_only=prompts_only, teacher=model)
        except CheckFailed:
            assert rows == []
            return
        content = path.read_bytes()
        reserved = has_reserved_word(content)
        report = pipeline.validate(str(path), teacher=model, allow_few=True)
        by_script = pipeline.validate(str(path), profile="aws-script", allow_few=True)
    assert report.ok or (reserved and model == NOVA)
    lines = [json.loads(line) for line in content.split(b"\n")[:-1]]
    assert by_script.ok or any(len(line["messages"]) > 2 for line in lines)
    assert lines == expected_lines(rows, prompts_only)
    for line in lines:
        check_service_model(line)


def expected_lines(rows: list[dict[str, Any]], prompts_only: bool) -> list[dict[str, Any]]:
    """The lines by the plain meaning of the format, out of what `select` gives."""
    lines: dict[str, dict[str, Any]] = {}
    for row in rows:
        messages = list(row["messages"])
        if not prompts_only:
            messages.append({"role": "assistant", "content": [{"text": row["response"]}]})
        system = {"system": [{"text": row["system"]}]} if row["system"] is not None else {}
        line = {"schemaVersion": "bedrock-conversation-2024", **system, "messages": messages}
        lines.setdefault(row["prompt_hash" if prompts_only else "pair_hash"], line)
    return list(lines.values())


def check_service_model(line: dict[str, Any]) -> None:
    """Every turn is a Converse message, and the line a request that Converse takes."""
    for message in line["messages"]:
        assert check_shape("bedrock-runtime", "Message", message) == []
    request = {"modelId": LLAMA, "messages": line["messages"], "system": line.get("system", [])}
    assert check_shape("bedrock-runtime", "Converse", request) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_texts_come_out_as_they_were_logged(pairs: list[tuple[str, str]]) -> None:
    """But for half characters, which no file can hold."""
    records = [record(f"{n}", prompt=prompt, answer=answer) for n, (prompt, answer) in enumerate(pairs)]
    clean = [tuple(_SURROGATE.sub("\ufffd", text) for text in pair) for pair in json_texts(pairs)]
    with store_of(records) as store, TemporaryDirectory() as folder:
        statuses = {row["request_id"]: row["status"] for row in pipeline.select(store, status="all")}
        expected = {pair for n, pair in enumerate(clean) if statuses[f"{n}"] == "pair"}
        if not expected:
            return
        path = Path(folder) / "train.jsonl"
        pipeline.export(str(path), store, allow_few=True)
        lines = [json.loads(line)["messages"] for line in path.read_bytes().split(b"\n")[:-1]]
    assert {tuple(turn["content"][0]["text"] for turn in line) for line in lines} == expected
    assert len(lines) == len(expected)


def json_texts(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What JSON makes of texts: two halves side by side are a character."""
    return [tuple(pair) for pair in json.loads(json.dumps(pairs))]
