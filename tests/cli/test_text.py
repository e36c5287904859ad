"""Text on a terminal: what is invisible is escaped, and tables keep to their width."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.cli.streams import visible
from logminer.cli.tables import table_lines, text_width


@given(st.text())
def test_what_is_shown_holds_no_control_character_and_is_json_text_still(text):
    shown = visible(text)
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cs", "Zl", "Zp", "Co"}
    as_json = json.dumps(text, ensure_ascii=False)
    assert json.loads(visible(as_json)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Zoë 日本\u3000語\u00a0👩‍🚀", "plain, Zoë 日本\u3000語\u00a0👩‍🚀"),
        ("\x1b[31mred\x07", "\\u001b[31mred\\u0007"),
        ("\x9b2J", "\\u009b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("line\r\nfeed", "line\\u000d\\u000afeed"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("\ud800", "\\ud800"),
    ],
)
def test_examples_of_what_is_shown(text, shown):
    assert visible(text) == shown


cells = st.text(st.sampled_from("ab-_./ =é日\u0301👩\x1b"), max_size=60)
tables = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=4)
)


@given(tables, st.integers(44, 120), st.one_of(st.none(), st.integers(1, 4)))
@settings(max_examples=60)
def test_a_table_keeps_to_its_width(rows, width, max_lines):
    head = ["column"] * len(rows[0])
    lines = list(table_lines(head, rows, width=width, max_lines=max_lines))
    assert all(text_width(line) <= width for line in lines)
    assert all(line == line.rstrip() for line in lines)


@given(tables)
@settings(max_examples=60)
def test_a_table_without_a_width_has_a_line_for_each_row_and_loses_nothing(rows):
    head, *lines = table_lines(["c"] * len(rows[0]), rows)
    assert head.split() == ["c"] * len(rows[0])
    for line, row in zip(lines, rows, strict=True):
        assert line.split() == [word for cell in row for word in visible(cell).split()]


def test_a_folded_table_loses_nothing_but_spaces():
    text = "The quick brown fox jumps over meta.llama3-1-405b-instruct-v1:0 and " + "x" * 100
    lines = list(table_lines(["n", "text"], [["1", text]], right=[0], width=30))[1:]
    assert "".join(line[3:] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert lines[0] == "1  The quick brown fox jumps"


def test_a_cell_of_too_many_lines_says_that_it_is_cut():
    lines = list(table_lines(["text"], [["word " * 30]], width=20, max_lines=2))
    assert lines == ["text", "word word word word", "word word word word…"]


def test_wide_characters_take_two_columns():
    rows = [["日本語", "1"], ["abc", "22"]]
    assert list(table_lines(["key", "n"], rows, right=[1])) == ["key      n", "日本語   1", "abc     22"]
