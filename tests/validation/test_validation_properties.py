"""The quick look and the slow look agree, whatever the lines; the profiles keep to their definitions."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer.validation import Allowance, Profile, all_profiles, check_line, validate_stream
from logminer.validation.checking import look_closer, quick_look
from logminer.validation.report import FaultLog

from .datasets import VERSION, conversation, validate

PROFILES = list(all_profiles().values())
QUICK = [profile for profile in PROFILES if profile.quick]
SINGLE, NOVA, AWS = (all_profiles()[name] for name in ("distill-single", "distill-nova", "aws-script"))
each_quick_profile = pytest.mark.parametrize("profile", QUICK, ids=lambda profile: profile.name)

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


chats = objects(
    {
        "messages": st.sampled_from(
            [["user", "assistant"], ["user", "assistant"], ["system", "user"], ["user"]]
        ).flatmap(
            lambda roles: st.tuples(
                *(objects({"role": st.just(role), "content": texts}) for role in roles)
            ).map(list)
        )
    }
)
chats_with_system = st.tuples(chats, texts).map(lambda pair: Members([("system", pair[1]), *pair[0]]))


def flat(*keys: str) -> st.SearchStrategy[Members]:
    return objects(dict.fromkeys(keys, texts))


OF_FORMAT = {
    "anthropic-messages": chats | chats_with_system,
    "bedrock-eval": flat("prompt", "referenceResponse"),
    "continued-pretraining": flat("input"),
    "openai-chat": chats,
    "prompt-completion": flat("prompt", "completion"),
}
"""Lines close to each format; those of the rest are conversations."""


class Spelling(NamedTuple):
    """How a writer writes JSON; `escape` is a letter to write as an escape wherever it stands."""

    comma: str
    colon: str
    ascii_only: bool
    escape: str


spellings = st.builds(
    lambda separators, ascii_only, escape: Spelling(*separators, ascii_only, escape),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :"), (",", ": "), (",\r", ":")]),
    st.booleans(),
    st.sampled_from(["", "", "e", "t", ":"]),
)


def spelled(value: Any, how: Spelling) -> str:
    """JSON in this spelling."""
    if isinstance(value, Members):
        inner = (f"{spelled(key, how)}{how.colon}{spelled(member, how)}" for key, member in value)
        return "{" + how.comma.join(inner) + "}"
    if isinstance(value, list):
        return "[" + how.comma.join(spelled(each, how) for each in value) + "]"
    written = json.dumps(value, ensure_ascii=how.ascii_only)
    if isinstance(value, str) and how.escape and "\\" not in written:
        written = written.replace(how.escape, f"\\u{ord(how.escape):04x}")
    return written


def damaged(draw: st.DrawFn, line: bytes) -> bytes:
    """A line with, mostly, nothing changed."""
    if draw(mostly):
        return line
    where = draw(st.integers(0, len(line)))
    return line[:where] + draw(st.binary(max_size=2)) + line[where + draw(st.integers(0, 2)) :]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Lines that are close to the format, with keys missing, repeated, escaped, in any order and spacing."""
    return damaged(draw, spelled(draw(records), draw(spellings)).encode(errors="surrogatepass"))


@st.composite
def files(draw: st.DrawFn, format_name: str) -> list[bytes]:
    """A few lines of one writer, each with its line feed."""
    how = draw(spellings)
    values = draw(st.lists(OF_FORMAT.get(format_name, records), min_size=1, max_size=5))
    whole = [damaged(draw, spelled(value, how).encode(errors="surrogatepass")) for value in values]
    return [line.replace(b"\n", b" ") + b"\n" for line in whole]


def slow_findings(line: bytes, profile: Profile) -> tuple[dict[str, int], bool | None]:
    log = FaultLog(profile.severities)
    facts = look_closer(line, 1, profile, log)
    return log.counts, facts.labelled if facts else None


def quickly(whole: list[bytes], profile: Profile) -> int | None:
    quick = quick_look(profile)
    assert quick is not None
    return quick.labelled(whole)


@each_quick_profile
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_lines_that_the_quick_look_passes_have_no_fault(profile: Profile, data: st.DataObject) -> None:
    whole = data.draw(files(profile.name))
    labelled = quickly(whole, profile)
    if labelled is not None:
        found = [slow_findings(line[:-1], profile) for line in whole]
        assert [counts for counts, _ in found] == [{}] * len(whole)
        assert sum(bool(answered) for _, answered in found) == labelled


@each_quick_profile
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_report_is_the_same_without_the_quick_look(profile: Profile, data: st.DataObject) -> None:
    whole = b"".join(data.draw(files(profile.name)) * data.draw(st.integers(1, 3)))
    slow = dataclasses.replace(profile, quick=None)
    assert validate(whole, profile).as_dict() == validate(whole, slow).as_dict()


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


WRITERS = [
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True),
    lambda value: msgspec.json.encode(value).decode(),
]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.lists(plain_texts, min_size=2, max_size=3, unique=True), min_size=1, max_size=4),
    write=st.sampled_from(WRITERS),
)
@example(rows=[["a\\", 'b"'], ["\u2003x", "\nx"], ["c", "d", "\\\\"]], write=json.dumps)
def test_good_lines_take_the_quick_look(rows: list[list[str]], write: Any) -> None:
    # The first line is learned from, so its texts must not be found in it elsewhere.
    first = conversation("What is it?", "That is it.", system=[{"text": "Be brief."}])
    others = [conversation(*row[:2], **({"system": [{"text": row[2]}]} if row[2:] else {})) for row in rows]
    plain = conversation("And this?", "This is another.")
    whole = [write(value).encode() + b"\n" for value in (first, plain, *others)]
    for profile in (SINGLE, NOVA, AWS):
        assert quickly(whole, profile) == len(whole)


def test_a_prompt_without_answer_is_not_labelled() -> None:
    whole = [
        json.dumps(conversation(*texts)).encode() + b"\n" for texts in (["One?"], ["Two?", "Yes."], ["Six?"])
    ]
    assert quickly(whole, SINGLE) == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(lines() | st.binary(max_size=20), max_size=4),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.binary(max_size=4),
)
def test_any_bytes_give_a_report(content: list[bytes], end: bytes, head: bytes) -> None:
    for profile in PROFILES:
        stream = io.BufferedReader(io.BytesIO(head + end.join(content)))
        report = validate_stream(stream, "set.jsonl", profile, Allowance())
        assert report.ok == (report.errors == 0)
        assert sum(report.counts.values()) == report.errors + report.warnings == len(report.faults)
        assert 0 <= report.labelled <= report.valid <= report.lines
        json.dumps(report.as_dict())
