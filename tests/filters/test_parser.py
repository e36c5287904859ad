from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer.errors import UsageError
from logminer.filters import Comparison, Filter, FilterError, Operator, Span, format_filter, parse_filter
from logminer.filters.diagnosis import diagnose
from logminer.filters.parser import MAX_TEXT_CHARS, grammar_text

from .strategies import filters

A1, B2, NOT_A1 = Comparison("a", "1"), Comparison("b", "2"), Comparison("a", "1", negated=True)

# Pieces that filters are made of, and that people write by mistake, in any order.
signs = ["=", "!=", "==", "<>", ">", "~", "!"]
joints = ["AND", "or", "Not", "LIKE", "in", "is", "&&", "||", "&", ",", ";", "(", ")", "["]
terms = [
    "a",
    "b",
    "a:b",
    "'x y'",
    '"',
    "'",
    "\\",
    "“",
    "”",
    "’",
    "%",
    "é",
    "\u0301",
    "\u00a0",
    "\n",
    "\t",
    "",
]
pieces = st.sampled_from([*signs, *joints, *terms])
soup = st.builds(
    lambda parts, glue: glue.join(parts), st.lists(pieces, max_size=14), st.sampled_from(["", " "])
)


@pytest.mark.parametrize(
    ("text", "operator", "comparisons"),
    [
        ("a=1", Operator.SINGLE, [A1]),
        ("a!=1", Operator.SINGLE, [NOT_A1]),
        ("NOT a=1", Operator.SINGLE, [NOT_A1]),
        ("not a = 1", Operator.SINGLE, [NOT_A1]),
        ("a=1 AND b=2", Operator.AND, [A1, B2]),
        ("a=1 And\n\tb = 2\r\n", Operator.AND, [A1, B2]),
        ("a=1 or b=2 OR a!=1", Operator.OR, [A1, B2, NOT_A1]),
        ("'a'=\"1\"AND'b'='2'", Operator.AND, [A1, B2]),
        ("a='1'", Operator.SINGLE, [A1]),
        ("a=''", Operator.SINGLE, [Comparison("a", "")]),
        (
            r"""a="it's \"\\\d\'" """,
            Operator.SINGLE,
            [Comparison("a", r"""it's "\\d'""")],
        ),
        ("'and'='NOT'", Operator.SINGLE, [Comparison("and", "NOT")]),
        ("android=NOTE", Operator.SINGLE, [Comparison("android", "NOTE")]),
        ("and-1=or.2", Operator.SINGLE, [Comparison("and-1", "or.2")]),
        ("in=like", Operator.SINGLE, [Comparison("in", "like")]),
        ("_-./:@+$#=#$+@:/.-_", Operator.SINGLE, [Comparison("_-./:@+$#", "#$+@:/.-_")]),
        ("größe=大", Operator.SINGLE, [Comparison("größe", "大")]),
        ("'line\nfeed'=1", Operator.SINGLE, [Comparison("line\nfeed", "1")]),
    ],
)
def test_a_filter_is_read_as(text: str, operator: Operator, comparisons: list[Comparison]) -> None:
    assert parse_filter(text) == Filter(operator, tuple(comparisons))


def test_nodes_know_their_place_in_the_text() -> None:
    text = " NOT 'a' = \"1\" "
    assert [item.span for item in parse_filter("a=1 AND  b!= 'x'").comparisons] == [Span(0, 3), Span(9, 16)]
    assert parse_filter(text).span == Span(1, 14)
    assert parse_filter(text).comparisons[0].span == Span(5, 14)


def test_a_filter_names_its_keys_once() -> None:
    node = parse_filter("b=1 OR a!=2 OR b!=3 OR a!=4")
    assert node.keys == ("b", "a")
    assert node.negated_keys == ("a", "b")


def test_the_limits_themselves_are_allowed() -> None:
    longest = f"{'k' * 256}='{'v' * 256}'"
    node = parse_filter(" AND ".join([longest] * 16))
    assert node.comparisons == (Comparison("k" * 256, "v" * 256),) * 16


@given(filters())
def test_the_canonical_text_reads_back(node: Filter) -> None:
    assert parse_filter(format_filter(node)) == node


@given(st.text() | soup | st.text(st.characters(categories=["Cs", "Cc", "Zs"]) | st.sampled_from("a='\"")))
@settings(max_examples=500)
@example("a='\ud800'")
@example("NOT")
@example("NOT !")
@example("!")
@example("a=1 AND NOT")
@example("a= AND")
@example("a NOT")
@example("a, ")
def test_any_text_is_a_filter_or_an_error_with_its_place(text: str) -> None:
    try:
        node = parse_filter(text)
    except FilterError as error:
        check_error(text, error)
    else:
        assert diagnose(text) is None
        assert parse_filter(format_filter(node)) == node


def check_error(text: str, error: FilterError) -> None:
    assert error.text == text
    assert 0 <= error.start <= error.end <= len(text)
    line = text.split("\n")[error.line - 1]
    assert text.split("\n", error.line - 1)[-1] == text[error.start - error.column + 1 :]
    assert 1 <= error.column <= len(line) + 1
    message = str(error)
    assert message.startswith(f"filter:{error.line}:{error.column}: {error.problem}\n")
    assert all(shown.isprintable() for shown in message.split("\n"))
    assert "cannot be read here" not in message  # the diagnosis knows every mistake that the grammar refuses
    if error.suggestion:
        assert message.endswith(f"\n  write: {error.suggestion}")
        assert format_filter(parse_filter(error.suggestion)) == error.suggestion
    else:
        assert message.endswith(f"\n  {error.fix}")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "(" * 1_000_000,
        "'" * 65_535,
        '"\\' * 30_000,
        "a=1 AND " * 8_000,
        "a " * 30_000,
        "=" * 65_536,
        "a=1 AND b=2 OR " * 4_000,
        "a=b," * 16_000,
        "“" * 65_000,
        "a=\n" * 20_000,
        "a=1 NOT " * 8_000,
    ],
    ids=lambda text: text[:9],
)
def test_long_texts_are_refused_like_others(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    check_error(text, caught.value)
    assert len(str(caught.value)) < 3_000


def test_a_text_past_the_limit_is_refused_there() -> None:
    text = "a=" + "1" * MAX_TEXT_CHARS
    with pytest.raises(FilterError, match="longer than 65536 characters") as caught:
        parse_filter(text)
    assert (caught.value.start, caught.value.end) == (MAX_TEXT_CHARS, len(text))


def test_an_error_is_one_of_usage_and_gives_the_remedy_apart() -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter("a=1\nAND b>2")
    error = caught.value
    assert isinstance(error, FilterError)
    assert (error.where, error.problem, error.line, error.column) == (
        "filter:2:6",
        "> is not a comparison sign",
        2,
        6,
    )
    assert error.rule.startswith("The comparison signs are")
    assert error.fix.startswith("write key=value")
    assert error.suggestion == ""


def test_a_refusal_that_nothing_explains_still_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logminer.filters.parser.diagnose", lambda text: None)
    for text, start in (("a=1 %", 4), ("a=1 b", 4), ("a=", 2)):
        with pytest.raises(FilterError, match="cannot be read here") as caught:
            parse_filter(text)
        assert start - 1 <= caught.value.start <= start


def test_importing_the_package_does_not_import_lark() -> None:
    code = (
        "import sys, logminer.filters; print([name for name in sys.modules if name.split('.')[0] == 'lark'])"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_grammar_is_the_file_at_the_top_of_the_project() -> None:
    path = Path(__file__).parents[2] / "grammar" / "filter.lark"
    assert grammar_text() == path.read_text(encoding="utf-8")


def test_the_grammar_inside_an_installed_package_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "grammar").mkdir()
    (tmp_path / "grammar" / "filter.lark").write_text("start: // é", encoding="utf-8")
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert grammar_text() == "start: // é"


@pytest.mark.parametrize(("operator", "count"), [("SINGLE", 0), ("SINGLE", 2), ("AND", 1), ("OR", 17)])
def test_a_filter_of_another_form_cannot_be_made(operator: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"cannot have {count} comparisons"):
        Filter(Operator[operator], (A1,) * count)


def test_the_examples_of_the_grammar_are_filters() -> None:
    examples = [line[7:] for line in grammar_text().splitlines() if line.startswith("//     ")]
    assert len(examples) == 5
    for text in examples:
        parse_filter(text)
