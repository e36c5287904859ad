"""Each detector by itself: marked samples, near misses, stand-ins, and time on hostile text.

In a golden file every value that the detector shall find stands in marks. A broken bar is taken out on reading: it
keeps scanners of repositories from taking a sample for somebody's token.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from logminer.redaction import built_in_detectors
from logminer.redaction.detector import Detector, Span
from logminer.redaction.finding import plain_view
from logminer.redaction.replacing import StandIns

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*/*.txt"))
NAMES = list(built_in_detectors())
OPEN, CLOSE, BAR = "⟦", "⟧", "¦"
MARKS = re.compile(f"[{OPEN}{CLOSE}{BAR}]")


def spans_in(detector: Detector, text: str) -> list[Span]:
    return list(detector.find(plain_view(text)))


def marked(sample: str, spans: Iterable[Span]) -> str:
    """The sample with marks around the spans of its plain text; bars stay where they are."""
    starts, ends = (set(places) for places in zip(*spans, strict=True)) if spans else (set(), set())
    pieces, place = [], 0
    for character in re.sub(f"[{OPEN}{CLOSE}]", "", sample):
        if character != BAR:
            pieces += [CLOSE] * (place in ends) + [OPEN] * (place in starts)
            place += 1
        pieces.append(character)
    return "".join([*pieces, CLOSE * (place in ends)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_golden(case: Path) -> None:
    sample = case.read_text("utf-8")
    found = marked(sample, spans_in(built_in_detectors()[case.parent.name], MARKS.sub("", sample)))
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        case.write_text(found, "utf-8")
    assert found == case.read_text("utf-8")
    assert (OPEN in found) == (case.stem == "values")


@pytest.mark.parametrize("name", NAMES)
def test_every_detector_has_values_and_near_misses(name: str) -> None:
    assert {path.name for path in (GOLDEN / name).iterdir()} == {"values.txt", "near_misses.txt"}


def samples(name: str) -> tuple[str, list[Span]]:
    text = MARKS.sub("", (GOLDEN / name / "values.txt").read_text("utf-8"))
    return text, spans_in(built_in_detectors()[name], text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("salt", [b"", b"one", b"a longer salt than any key may be " * 4])
def test_stand_ins_are_found_where_the_values_were(name: str, salt: bytes) -> None:
    text, spans = samples(name)
    view, stand_ins = plain_view(text), StandIns(salt)
    pieces, places, end = [], [], 0
    for start, stop in spans:
        new = stand_ins(built_in_detectors()[name], text[start:stop], view[start:stop])
        assert new != text[start:stop]
        pieces += text[end:start], new
        at = sum(map(len, pieces))
        places.append((at - len(new), at))
        end = stop
    assert spans_in(built_in_detectors()[name], "".join((*pieces, text[end:]))) == places


@pytest.mark.parametrize("name", NAMES)
def test_stand_ins_depend_on_value_and_salt_alone(name: str) -> None:
    text, spans = samples(name)
    values = [text[start:end] for start, end in spans]

    def all_of(salt: bytes, order: list[str]) -> dict[str, str]:
        stand_ins = StandIns(salt)
        return {value: stand_ins(built_in_detectors()[name], value, plain_view(value)) for value in order}

    assert all_of(b"s", values) == all_of(b"s", values[::-1])
    assert all_of(b"s", values) != all_of(b"t", values)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("email", ("ann.lee@acme.co", "Ann.Lee@ACME.co")),
        ("phone", ("+1 212-555-0123", "(212) 555-0123", "1-212-555-0123", "212.555.0123")),
        ("phone", ("+49 (0)30 1234567", "+49301234567")),
        ("card", ("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111")),
        ("iban", ("DE89 3704 0044 0532 0130 00", "de89370400440532013000")),
        ("ip", ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1")),
    ],
)
def test_spellings_of_one_value_are_one_value(name: str, forms: tuple[str, ...]) -> None:
    detector = built_in_detectors()[name]
    assert all(spans_in(detector, form) == [(0, len(form))] for form in forms)
    assert len({detector.normal(form) for form in forms}) == 1


def test_a_number_after_a_card_is_no_part_of_it() -> None:
    assert spans_in(built_in_detectors()["card"], "4111 1111 1111 1111 123") == [(0, 19)]


SHAPES = {
    "email": ("Ann.Lee7@acme.co", r"[A-Z][a-z]{2}\.[A-Z][a-z]{2}[0-9]@example\.(com|org|net)"),
    "phone": ("+1 (415) 555-2671", r"\+1 \([2-9][0-9]{2}\) 555-01[0-9]{2}"),
    "card": ("4012-8888-8888-1881", r"4242-42[0-9]{2}-[0-9]{4}-[0-9]{4}"),
    "iban": ("GB29 NWBK 6016 1331 9268 19", r"GB[0-9]{2} [A-Z]{4} [0-9]{4} [0-9]{4} [0-9]{4} [0-9]{2}"),
    "ip": ("fe80::1ff:890a", r"2001:db8::[0-9a-f]{3}:[0-9a-f]{4}"),
    "aws_key": ("AKIAIOSFODNN7EXAMPLE", r"AKIA[A-Z]{8}[0-9]EXAMPLE"),
    "api_token": (f"gh{'p'}_" + "aB3" * 12, r"ghp_([a-z][A-Z][0-9]){12}"),
    "url_password": ("s3cr3tX", r"[a-z][0-9][a-z]{2}[0-9][a-z][A-Z]"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_stand_ins_keep_the_shape(name: str) -> None:
    value, shape = SHAPES[name]
    assert re.fullmatch(shape, StandIns(b"")(built_in_detectors()[name], value, value))


ADVERSARIES = (
    "a.", "a@", "a@a.", "@a.a", "1 ", "1", "12 ", "1.", "1.1.1.", "+1", "+1 ", "(2", "a:", "1:", "::", "f:f:", "/", "://a:",
    "://:", "DE89 ", "DE89", "A", "aA0/", "secret ", "secret=" + "aA0" * 13 + "a ", "AKIA", "AKIAIOSFODNN7EXAMPLE ",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY-----", "-----BEGIN A A ",
    "eyJ", "eyJ.", "eyJaaaaaaaa.", "bearer ", "api_key=", "api_key=aA0", "sk-", "xoxb-", "phone ", "phone: 1", "tel",
    "4111 ", "4111 1111 1111 1111 ", "4111111111111111", "\\", "\\n", "\\u00", '"', "[", " ", "\n", "é", "１",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_time_is_linear_in_hostile_text(name: str) -> None:
    """Four times the text takes far less than sixteen times as long, whatever it is made of."""

    def seconds(text: str) -> float:
        start = time.process_time()
        spans_in(built_in_detectors()[name], text)
        return time.process_time() - start

    for piece in ADVERSARIES:
        small = piece * (20_000 // len(piece))
        least = min(seconds(small) for _ in range(2))
        assert seconds(small * 4) < 10 * least + 0.2, piece
