"""The quick look and the slow look agree, whatever the line; the profiles keep to their definitions."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer.validation import Profile, all_profiles, check_line, validate_stream
from logminer.validation.checking import _look_closer
from logminer.validation.report import FaultLog

from .datasets import VERSION, conversation

PROFILES = list(all_profiles().values())
SINGLE, NOVA, AWS = (all_profiles()[name] for name in ("distill-single", "distill-nova", "aws-script"))
each_profile = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)

odd_texts = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\n",
            "\u2003",
            "User:",
            "a uSeR:b",
            "ok",
            '"',
            "\\",
            '\\"',
            "\ud83d\ude00",
            "é",
            "[EOS]",
            "x<UNK>",
        ]
    ),
    st.text(max_size=8),
    st.lists(st.sampled_from(['"', "\\", '"text"', ":", "{", "}", "role", " ", "\n", "é"]), max_size=6).map(
        "".join
    ),
)
mostly = st.sampled_from([True] * 15 + [False])
texts = st.sampled_from(["ok", "one\ntwo", '"quoted" \\ é']) | mostly.flatmap(
    lambda usual: st.just("fine") if usual else odd_texts
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.floats() | odd_texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd_texts, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def members(draw: st.DrawFn, wanted: dict[str, st.SearchStrategy[Any]]) -> list[tuple[str, Any]]:
    """The members of an object that has, mostly, each wanted key once, in any order."""
    pairs = [
        (key, draw(values if draw(mostly) else anything)) for key, values in wanted.items() if draw(mostly)
    ]
    if pairs and not draw(mostly):
        key = draw(st.sampled_from([*wanted, "type", "name"]))
        pairs.append((key, draw(wanted.get(key, texts))))
    return draw(st.permutations(pairs)) if draw(st.booleans()) else pairs


class Members(list[tuple[str, Any]]):
    """An object as a list of members, so that it can have a key twice."""


def objects(wanted: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Members]:
    return members(wanted).map(Members)


def one_item(item: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return mostly.flatmap(
        lambda usual: st.lists(item, min_size=1, max_size=1) if usual else st.lists(item, max_size=2)
    )


items = one_item(objects({"text": texts}))


@st.composite
def turns(draw: st.DrawFn) -> list[Any]:
    roles = ["user", "assistant", "user", "assistant"][: draw(st.sampled_from([1, 2, 2, 3, 4, 0]))]
    if not draw(mostly):
        roles = draw(st.lists(st.sampled_from(["user", "assistant", "system"]), max_size=3))
    return [draw(objects({"role": st.just(role), "content": items})) for role in roles]


records = objects({"schemaVersion": st.just(VERSION), "messages": turns()}) | objects(
    {"schemaVersion": st.just(VERSION), "system": items, "messages": turns()}
)


def spelled(value: Any, comma: str, colon: str, *, ascii_only: bool, escape: str = "") -> str:
    """JSON with these separators; `escape` is a letter to write as an escape wherever it stands."""
    if isinstance(value, Members):
        inner = (
            f"{spelled(key, comma, colon, ascii_only=ascii_only, escape=escape)}{colon}"
            f"{spelled(member, comma, colon, ascii_only=ascii_only, escape=escape)}"
            for key, member in value
        )
        return "{" + comma.join(inner) + "}"
    if isinstance(value, list):
        return (
            "["
            + comma.join(spelled(v, comma, colon, ascii_only=ascii_only, escape=escape) for v in value)
            + "]"
        )
    written = json.dumps(value, ensure_ascii=ascii_only)
    if isinstance(value, str) and escape and "\\" not in written:
        written = written.replace(escape, f"\\u{ord(escape):04x}")
    return written


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Lines that are close to the format, with keys missing, repeated, escaped, in any order and spacing."""
    comma, colon = draw(
        st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :"), (",", ": "), (",\r", ":")])
    )
    text = spelled(
        draw(records),
        comma,
        colon,
        ascii_only=draw(st.booleans()),
        escape=draw(st.sampled_from(["", "", "e", "t", ":"])),
    )
    line = text.encode(errors="surrogatepass")
    if draw(mostly):
        return line
    where = draw(st.integers(0, len(line)))
    return line[:where] + draw(st.binary(max_size=2)) + line[where + draw(st.integers(0, 2)) :]


def slow_findings(line: bytes, profile: Profile) -> tuple[dict[str, int], bool | None]:
    log = FaultLog(profile.severities)
    labelled = _look_closer(line, 1, profile, log)
    return log.counts, labelled


@each_profile
@settings(max_examples=400, deadline=None)
@given(line=lines())
def test_a_line_that_the_quick_look_passes_has_no_fault(profile: Profile, line: bytes) -> None:
    labelled = profile.scan(line)
    if labelled is not None:
        assert slow_findings(line, profile) == ({}, labelled)


@settings(max_examples=200, deadline=None)
@given(line=lines())
def test_what_the_strict_profile_passes_the_others_pass(line: bytes) -> None:
    if not any(fault.severity == "error" for fault in check_line(line, SINGLE)):
        assert check_line(line, AWS) == ()
        assert {fault.rule for fault in check_line(line, NOVA)} <= {"reserved_word"}


@settings(max_examples=300, deadline=None)
@given(line=lines())
def test_the_profile_of_the_script_is_its_schema(line: bytes) -> None:
    assert (check_line(line, AWS) == ()) == passes_the_script(line)


def passes_the_script(line: bytes) -> bool:
    """AWS's rules in one expression each, on what Python's json makes of the line."""
    try:
        record = json.loads(line.decode())
    except ValueError:
        return False
    return (
        fits(record, {"schemaVersion", "messages"}, {"system"})
        and record["schemaVersion"] == VERSION
        and ("system" not in record or is_one_text(record["system"], set()))
        and isinstance(record["messages"], list)
        and all(
            fits(message, {"role", "content"}, set()) and is_one_text(message["content"], {"type"})
            for message in record["messages"]
        )
        and [message["role"] for message in record["messages"]] in (["user"], ["user", "assistant"])
    )


def fits(value: Any, required: set[str], optional: set[str]) -> bool:
    return isinstance(value, dict) and required <= value.keys() <= required | optional


def is_one_text(value: Any, optional: set[str]) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 1
        and fits(value[0], {"text"}, optional)
        and all(isinstance(text, str) for text in value[0].values())
    )


plain_texts = st.text(st.characters(codec="utf-8", exclude_characters=":<["), min_size=1).filter(
    lambda text: not text.isspace()
)


@settings(max_examples=100, deadline=None)
@given(
    texts=st.lists(plain_texts, min_size=1, max_size=2),
    system=st.none() | plain_texts,
    write=st.sampled_from(
        [
            json.dumps,
            lambda value: json.dumps(value, ensure_ascii=False),
            lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
            lambda value: msgspec.json.encode(value).decode(),
        ]
    ),
)
@example(texts=["a\\", 'b"'], system="\\\\", write=json.dumps)
@example(texts=["\u2003x", "\nx"], system=None, write=json.dumps)
def test_good_lines_take_the_quick_look(texts: list[str], system: str | None, write: Any) -> None:
    extra = {} if system is None else {"system": [{"text": system}]}
    line = write(conversation(*texts, **extra)).encode()
    assert [profile.scan(line) for profile in PROFILES] == [len(texts) == 2] * 3


@settings(max_examples=150, deadline=None)
@given(
    st.lists(lines() | st.binary(max_size=20), max_size=4),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.binary(max_size=4),
)
def test_any_bytes_give_a_report(content: list[bytes], end: bytes, head: bytes) -> None:
    for profile in PROFILES:
        stream = io.BufferedReader(io.BytesIO(head + end.join(content)))
        report = validate_stream(stream, "set.jsonl", profile)
        assert report.ok == (report.errors == 0)
        assert sum(report.counts.values()) == report.errors + report.warnings == len(report.faults)
        assert 0 <= report.labelled <= report.valid <= report.lines
        json.dumps(report.as_dict())
