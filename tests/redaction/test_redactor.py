"""The redactor: golden pairs, properties of all texts of a pair, the report, and what it refuses."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logminer.errors import UsageError
from logminer.redaction import MODES, Detector, RedactionReport, Redactor, built_in_detectors, redaction_kinds
from logminer.redaction.detectors.card import luhn_digit
from logminer.redaction.detectors.iban import DETECTOR as IBAN
from logminer.redaction.draws import Draws
from tests.redaction.pairs import FIELDS, JSON_FIELDS, pair_with, strings_of, user_says

CASES = sorted(
    path for path in (Path(__file__).parent / "golden_pairs").glob("*.json") if path.stem.count(".") == 0
)
SALT = b"of the tests"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden_pair(case: Path, mode: str) -> None:
    texts = json.loads(case.read_bytes())
    as_stored = {
        name: text if isinstance(text, str | None) else json.dumps(text) for name, text in texts.items()
    }
    redacted, found = Redactor(mode=mode, salt=SALT).redact(pair_with(**as_stored))
    expected = case.with_suffix(f".{mode}.json")
    result = {
        name: text if name not in JSON_FIELDS else json.loads(text)
        for name in texts
        if (text := getattr(redacted, name))
    }
    written = (
        json.dumps({**result, "found": dict(sorted(found.items()))}, indent=1, ensure_ascii=False) + "\n"
    )
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        expected.write_text(written, "utf-8")
    assert written == expected.read_text("utf-8")


def _digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(10 ** (least - 1), 10**most - 1).map(str)


def _card(body: str) -> str:
    return body + luhn_digit(body)


def _iban(number: int) -> str:
    return IBAN.stand_in("DE89370400440532013000", Draws(b"", "test", str(number)))


WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8)
VALUES = st.one_of(
    st.builds("{}.{}@{}.co".format, WORD, WORD, WORD),
    st.builds("+49 30 {}".format, _digits(7, 7)),
    st.builds("({}) 555-{}".format, st.integers(200, 999), st.integers(1000, 9999)),
    st.builds(lambda middle: _card(f"4{middle}"), _digits(14, 14)),
    st.builds(
        lambda middle: " ".join(_card(f"51{middle}")[at : at + 4] for at in range(0, 16, 4)), _digits(13, 13)
    ),
    st.builds(_iban, st.integers(0, 10**9)),
    st.builds(
        "{}.{}.{}.{}".format,
        st.integers(10, 126),
        st.integers(0, 255),
        st.integers(1, 255),
        st.integers(1, 255),
    ),
    st.builds("2001:db8:{:x}:{:x}::{:x}".format, *[st.integers(256, 65535)] * 3),
    st.builds("AKIA{}".format, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16)),
    st.builds("sk-{}aB37".format, st.text("abcdefABCDEF0123", min_size=24, max_size=40)),
)
FILLER = st.one_of(
    WORD,
    st.sampled_from(
        [
            "\n",
            "é",
            "\u2014",
            "\U0001f600",
            '"quoted"',
            "\\path",
            "Order 12345",
            "v1.2.3",
            "2024-01-15",
            "$3.50",
            "{}",
            "a\tb",
            "[1]",
        ]
    ),
)
PARTS = st.lists(st.tuples(FILLER, VALUES, FILLER), max_size=4)


def _joined(parts: list[tuple[str, str, str]]) -> str:
    return " | ".join(" ; ".join(part) for part in parts)


@st.composite
def planted_pairs(draw: Callable[..., list[tuple[str, str, str]]]) -> tuple[dict[str, str], set[str]]:
    """The texts of a pair, and the values in them."""
    parts = {name: draw(PARTS) for name in FIELDS}
    joined = {name: _joined(part) for name, part in parts.items()}
    numbers = [int(value) for _, value, _ in parts["response_blocks"] if value.isdecimal()]
    values = {value for part in parts.values() for _, value, _ in part}
    nested = [{"role": "user", "content": [{"text": joined["messages"]}]}]
    return {
        **joined,
        "messages": json.dumps(nested, ensure_ascii=len(joined["messages"]) % 2 == 0),
        "tools": json.dumps(
            [{"toolSpec": {"name": "t", "description": joined["tools"], "x": [None, True, 1.10]}}]
        ),
        "params": json.dumps({value: index for index, (_, value, _) in enumerate(parts["params"])}),
        "response_blocks": json.dumps(
            [{"text": json.dumps({"x": [1, *numbers], "note": joined["response_blocks"]})}]
        ),
        "response": json.dumps({"answer": joined["response"], "of": [1, "two"]}),
    }, values


@given(planted_pairs(), st.sampled_from(MODES))
@settings(max_examples=120, deadline=None)
def test_planted_values_are_gone_and_json_stays_json(planted, mode) -> None:
    texts, values = planted
    pair = pair_with(**texts)
    redacted, found = Redactor(mode=mode, salt=SALT).redact(pair)
    left = "\n".join(strings_of(redacted))
    assert [value for value in values if value in left] == []
    assert sum(found.values()) >= len(values)
    json.loads(str(redacted.response))
    json.loads(json.loads(str(redacted.response_blocks))[0]["text"])
    unchanged = {name for name in pair.__struct_fields__ if getattr(pair, name) == getattr(redacted, name)}
    assert unchanged >= {*pair.__struct_fields__} - {*FIELDS}


@given(planted_pairs())
@settings(max_examples=60, deadline=None)
def test_placeholders_are_final(planted) -> None:
    redactor = Redactor()
    once, _ = redactor.redact(pair_with(**planted[0]))
    assert redactor.redact(once) == (once, Counter())


@given(PARTS)
@settings(max_examples=100, deadline=None)
def test_nothing_but_the_values_changes(parts) -> None:
    redacted, _ = Redactor().redact(pair_with(response=_joined(parts), messages=user_says(_joined(parts))))
    numbers: dict[str, int] = {}
    kinds: Counter[str] = Counter()
    known = built_in_detectors()

    def placeholder(value: str) -> str:
        kind = next(
            kind
            for kind in ("aws_key", "api_token", "email", "iban", "card", "ip", "phone")
            if list(known[kind].find(f"; {value} ;"))
        )
        if value not in numbers:
            kinds[kind] += 1
            numbers[value] = kinds[kind]
        return f"[{kind.upper()}_{numbers[value]}]"

    expected = _joined([(before, placeholder(value), after) for before, value, after in parts])
    assert redacted.response == expected
    assert redacted.messages == user_says(expected)


@given(st.lists(VALUES, min_size=1, max_size=4), st.binary(max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_value_has_one_stand_in_in_all_pairs(values, salt) -> None:
    redactor = Redactor(mode="surrogate", salt=salt)
    alone = {value: redactor.redact(pair_with(system=f"x ; {value} ; y"))[0].system for value in values}
    others = Redactor(mode="surrogate", salt=salt)
    for value in reversed(values):
        response = others.redact(pair_with(response=f"x ; {value} ; y"))[0].response
        assert response == alone[value] != f"x ; {value} ; y"
        assert (
            others.redact(pair_with(response=response))[1]
            == redactor.redact(pair_with(response=f"x ; {value} ; y"))[1]
        )


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.text(), st.booleans(), st.sampled_from(MODES))
@settings(max_examples=150, deadline=None)
def test_any_text_and_any_json(value, text, indented, mode) -> None:
    written = json.dumps([value], indent=1 if indented else None, ensure_ascii=indented)
    assume("\\ud" not in written.lower() or indented)
    pair = pair_with(system=text, messages=written, response=written)
    redacted, found = Redactor(mode=mode).redact(pair)
    json.loads(redacted.messages)
    json.loads(str(redacted.response))
    if not found:
        assert redacted is pair


HOSTILE = st.lists(
    st.sampled_from(
        ["a@b.co", "4111 1111 1111 1111", "+1 212-555-0123", "10.1.2.3", "DE89370400440532013000", "::", "1", " ", ".", "-", "@", "://u:p1@h",
         "\\", "\\n", '"', "/", "AKIAIOSFODNN7EXAMPLE", "secret=", "[EMAIL_1]", ":", "(", ")", "x"]
    ),
    max_size=12,
)  # fmt: skip


@given(HOSTILE, st.sampled_from(MODES))
@settings(max_examples=300, deadline=None)
def test_values_right_beside_each_other(pieces, mode) -> None:
    text = "".join(pieces)
    redactor = Redactor(mode=mode)
    once, _ = redactor.redact(pair_with(response=text, messages=user_says(text)))
    json.loads(once.messages)
    if mode == "placeholder":
        assert redactor.redact(once) == (once, Counter())


def test_numbers_of_placeholders_that_are_there_already_are_left_out() -> None:
    pair = pair_with(
        system="[EMAIL_1] wrote", response="to ann@acme.co, bob@acme.co and ann@acme.co; [EMAIL_3]"
    )
    assert Redactor().redact(pair)[0].response == "to [EMAIL_2], [EMAIL_4] and [EMAIL_2]; [EMAIL_3]"


def test_what_is_known_to_be_a_secret_is_one_everywhere() -> None:
    texts = {
        "system": "Password s3cr3tX, not s3cr3tXy; postgres is a word; call 612345678",
        "messages": user_says("postgres://app:s3cr3tX@db and redis://u:postgres@db, phone: 612345678"),
    }
    redacted, found = Redactor().redact(pair_with(**texts))
    assert redacted.system == "Password [URL_PASSWORD_1], not s3cr3tXy; postgres is a word; call [PHONE_1]"
    assert redacted.messages == user_says(
        "postgres://app:[URL_PASSWORD_1]@db and redis://u:[URL_PASSWORD_2]@db, phone: [PHONE_1]"
    )
    assert found == {"url_password": 3, "phone": 2}


def test_escapes_of_a_string_survive() -> None:
    messages = r'[{"role": "user", "content": [{"text": "a\/b \u0041nn@acme.co \ud83d\ude00 \"x\""}], "n": 1.10, "big": 1E+2}]'
    redacted = Redactor().redact(pair_with(messages=messages))[0].messages
    assert (
        redacted
        == r'[{"role": "user", "content": [{"text": "a/b [EMAIL_1] 😀 \"x\""}], "n": 1.10, "big": 1E+2}]'
    )


def test_a_lone_surrogate_in_json_is_no_error() -> None:
    messages = r'[{"text": "\ud800 ann@acme.co"}]'
    assert json.loads(Redactor().redact(pair_with(messages=messages))[0].messages) == [
        {"text": "\ufffd [EMAIL_1]"}
    ]


def test_kinds_that_are_not_asked_for_stay() -> None:
    redactor = Redactor(["phone", "card", "phone"])
    assert redactor.kinds == ("card", "phone")
    text = "ann@acme.co, +1 212-555-0123, 10.1.2.3"
    assert redactor.redact(pair_with(response=text))[0].response == "ann@acme.co, [PHONE_1], 10.1.2.3"


def test_of_values_that_overlap_the_smaller_rank_stays() -> None:
    def whole(text: str) -> list[tuple[int, int]]:
        return [] if "[" in text else [(0, len(text))]

    whole_text = Detector("whole", "a text without brackets", 45, whole, str, lambda value, _draws: value)
    texts = {"postgres://u:s3cr3t@h": "postgres://u:[URL_PASSWORD_1]@h", "see ann@acme.co now": "[WHOLE_1]"}
    for text, expected in texts.items():
        assert Redactor(more=[whole_text]).redact(pair_with(response=text))[0].response == expected


def test_report() -> None:
    report = RedactionReport()
    texts = [
        {"response": "ann@acme.co and bob@acme.co", "system": "10.1.2.3"},
        {"response": "nothing"},
        {"response": "ann@acme.co", "response_blocks": '[{"text": "ann@acme.co"}]'},
    ]
    redacted = list(Redactor().redact_all([pair_with(**text) for text in texts], report))
    assert [pair.response for pair in redacted] == ["[EMAIL_1] and [EMAIL_2]", "nothing", "[EMAIL_1]"]
    assert report.as_json() == {
        "pairs": 3,
        "pairs_touched": 2,
        "kinds": {
            "email": {"values": 4, "pairs": 2, "fields": {"response": 3, "response_blocks": 1}},
            "ip": {"values": 1, "pairs": 1, "fields": {"system": 1}},
        },
    }
    assert report.lines() == [
        "redaction: 5 values in 2 of 3 pairs",
        "  email: 4 in 2 pairs (response 3, response_blocks 1)",
        "  ip: 1 in 1 pair (system 1)",
    ]
    assert RedactionReport(pairs=1200).lines() == ["redaction: nothing found in 1,200 pairs"]
    assert msgspec.json.decode(msgspec.json.encode(report.as_json())) == report.as_json()


@pytest.mark.parametrize(
    "text",
    ["PRIVATE KEY", "-----BEGIN PRIVATE KEY-----", "://:@", "eyJ.eyJ.", "a@", "::", "+1", "key: secret:"],
)
def test_signs_of_a_value_without_the_value(text: str) -> None:
    assert Redactor().redact(pair_with(response=text)) == (pair_with(response=text), {})


def test_redaction_streams() -> None:
    def pairs():
        yield pair_with(response="ann@acme.co")
        raise AssertionError("the second pair was asked for before the first was taken")

    assert next(Redactor().redact_all(pairs(), RedactionReport())).response == "[EMAIL_1]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (["emial"],),
            "--redact-kinds: there is no kind of value of the name 'emial'\n  Did you mean email? Known: ",
        ),
        (
            ([], "mask"),
            "--redact: there is no way to redact of the name 'mask'\n  Known: placeholder, surrogate.",
        ),
    ],
)
def test_what_is_unknown_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Redactor(*arguments)
    assert str(refused.value).startswith(message)


def test_a_long_text_takes_seconds_and_not_minutes() -> None:
    text = (
        "Please write to ann@acme.co about order 405-555-1234, or call +1 212-555-0123 by 2024-01-15. "
        * 20_000
    )
    redacted, found = Redactor(mode="surrogate").redact(pair_with(response=text))
    assert found == {"email": 20_000, "phone": 20_000}
    assert len(str(redacted.response)) > 1_000_000


def test_every_kind_can_be_asked_for_by_name() -> None:
    assert {detector.name for detector in built_in_detectors().values()} < {*redaction_kinds()}
    assert Redactor(built_in_detectors()).kinds == Redactor().kinds
