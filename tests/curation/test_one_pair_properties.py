"""What holds for the rules that judge each pair by itself, whatever the texts are."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logminer.curation import curation_rules
from logminer.curation.fences import read_fences
from logminer.curation.json_answers import begins_as_json, find_json_fault, open_brackets
from logminer.curation.openings import _any_apology, _any_refusal
from logminer.curation.refusal_phrases import LANGUAGES
from logminer.errors import UsageError

from .chats import chat, drops
from .test_one_pair import CASES

RULES = sorted({case.rule for case in CASES})
PIECES = [
    "I'm sorry, but ", "ich kann ", "nicht ", "helfen", "```", "```json\n", "~~~", "\n", "{\"a\": ", "[", "]", "}",
    "\"", "\\", "User:", "<|eot_id|>", "[INST]", "\n\nHuman:", "</s>", "<s>", "| a | b |\n", "- item\n", "1. ", "word ",
    "Word. ", "and", ", ", ",", "。", "\ud7ff", "\u200b", "\u3164", "\x00", "\x1c", "\x85", "\t", "😀", "9" * 700, "-0",
    "NaN", "e\u0301",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join)
params = st.sampled_from(
    [
        None,
        "{}",
        "[]",
        "{",
        '{"response_schema": {"type": "json_object"}}',
        '{"response_schema": "x", "stop_sequences": "a"}',
        '{"stop_sequences": [null, 1]}',
        '{"response_schema": {"textFormat": null}}',
    ]
)
pairs = st.builds(
    lambda said, answer, system, params, stop, counts: chat(
        1,
        *said,
        answer=answer,
        system=system,
        params=params,
        stop_reason=stop,
        input_tokens=counts,
        output_tokens=counts,
        model="amazon.nova-pro-v1:0",
    ),
    st.lists(texts, min_size=1, max_size=3),
    st.none() | texts,
    st.none() | texts,
    params,
    st.sampled_from([None, "end_turn", "stop", "stop_sequence", "odd"]),
    st.sampled_from([None, 0, 5, 10**18]),
)


@given(pairs)
@settings(max_examples=200, deadline=None)
def test_any_pair_is_kept_or_dropped_for_a_reason_of_the_rule(pair):
    for name in RULES:
        found = drops(name, [pair])
        assert len(found) <= 1
        for each in found:
            assert each.key == pair.key
            assert each.reason in curation_rules()[name].reasons
            assert 0 < len(each.evidence) <= 120
            assert "\n" not in each.evidence


@pytest.mark.parametrize("messages", ["[]", "{", "[1]", '[{"role": "user", "content": [{"text": 5}]}]'])
def test_messages_that_are_none_are_judged_all_the_same(messages):
    for name in RULES:
        drops(name, [chat(1, "Hello", messages=messages)])


SECRET = "QZXJKVW"


@given(texts, st.sampled_from(["answer", "system"]))
@settings(max_examples=150, deadline=None)
def test_evidence_never_quotes_a_text(text, part):
    """Words of the prompt and the answer, wherever they stand, are in no evidence."""
    said = SECRET.join(re.split(r"(?<= )", text)) + SECRET
    values = {"answer": said} if part == "answer" else {"answer": "Yes.", "system": said}
    pair = chat(1, "Hello", params='{"response_schema": {"type": "json_object"}}', **values)
    for name in RULES:
        for each in drops(name, [pair]):
            assert SECRET.casefold() not in each.evidence.casefold()


LONG = 1_000_000
HOSTILE = {
    "letters": "a" * LONG,
    "stops": "." * LONG,
    "line ends": "\n" * LONG,
    "blanks": " " * LONG,
    "a blank line in the middle": "a" + " " * LONG + "b",
    "tabs": "\t" * LONG,
    "escaped quotes": '{"' + '\\"' * (LONG // 2),
    "quotes": '{"a":' + '"' * LONG,
    "brackets": "[" * LONG,
    "objects": '[{"' * (LONG // 3),
    "fences": "```\n" * (LONG // 4),
    "a block that does not end": "```json\n" + " \n" * (LONG // 2) + "```x",
    "backticks": "`" * LONG,
    "bars": "|" * LONG,
    "bullets": "- " * (LONG // 2),
    "sentences": "a. " * (LONG // 3),
    "labels": "User" * (LONG // 4),
    "half tokens": "<|" * (LONG // 2),
    "long half tokens": ("<|" + "a" * 40) * (LONG // 42),
    "digits": "9" * LONG,
    "clauses": "but " * (LONG // 4),
    "pairs of one hash": "abcdefghijklmnopqrstuvwx" * (LONG // 24) + "y",
    "marks": "e\u0301" * (LONG // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_anything_ends(name):
    """A quadratic search in it would take hours."""
    for text in (HOSTILE[name], HOSTILE[name] + "\n"):
        pair = chat(
            1, text, answer=text, params='{"response_schema": {"type": "json_object"}}', model="amazon.nova"
        )
        plain = chat(1, "As JSON.", answer=text, system=text)
        for rule in RULES:
            drops(rule, [pair, plain], **({"models": "any"} if rule == "reserved_words" else {}))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([None, 1]), st.booleans())
@example({"a": 'x"]}\\'}, 1, True)
@settings(max_examples=150, deadline=None)
def test_json_has_no_fault_and_each_part_of_it_has_one(value, indent, ascii_only):
    text = json.dumps([value], indent=indent, ensure_ascii=ascii_only)
    assert find_json_fault(f" {text}\n", values=1) is None
    assert find_json_fault(text + text, values=None) is None
    assert find_json_fault(text + text, values=1) == len(text)
    assert open_brackets(text) == 0
    for length in range(len(text)):
        assert find_json_fault(text[:length], values=1) is not None
        assert open_brackets(text[:length]) > 0 or not text[:length]


@given(st.text(alphabet='{}[]",:019eatrufalsn\\ -.\n\t', max_size=9))
@example("NaN")
@example(" 1e999 ")
@settings(max_examples=500, deadline=None)
def test_json_is_what_the_decoder_of_python_takes(text):
    try:
        json.loads(text, parse_constant=lambda _: 1 / 0)
        is_json = True
    except (ValueError, ZeroDivisionError):
        is_json = False
    assert (find_json_fault(text, values=1) is None) == is_json


@given(json_values)
@settings(max_examples=100, deadline=None)
def test_what_json_begins_with_is_known(value):
    text = json.dumps(value)
    assert begins_as_json(text) == isinstance(value, dict | list)


@given(st.lists(st.sampled_from(["a", "", "```", "```py", "  ```", "~~~"]), max_size=9))
@settings(max_examples=200, deadline=None)
def test_lines_stay_as_they_are(lines):
    fenced = read_fences("\n".join(lines))
    assert set(fenced.outside) <= set(lines) | {""}
    if "```" not in "".join(lines) and "~~~" not in lines:
        assert fenced.outside == "\n".join(lines).split("\n")
        assert not fenced.is_open


def shortest(phrase: str) -> str:
    """A phrase with the first of each choice, and nothing for `…`."""
    while "(" in phrase:
        phrase = re.sub(r"\(([^()|]*)[^()]*\)", r"\1", phrase, count=1)
    return re.sub(r" *… *", " ", phrase).strip()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_phrase_can_be_found(language):
    for phrases, rule in ((language.refusals, "refusals"), (language.apologies, "apologies")):
        for phrase in phrases:
            said = shortest(phrase)
            assert [
                each.evidence.replace(" …", "") for each in drops(rule, [chat(1, "Hello", answer=said)])
            ], phrase
            assert drops(rule, [chat(1, "Hello", answer=f"{said.capitalize()} xyz.")]), phrase


def test_phrases_are_data_in_one_form():
    assert [language.name for language in LANGUAGES] == sorted(language.name for language in LANGUAGES)
    for language in LANGUAGES:
        for phrase in (*language.refusals, *language.apologies, *language.leads, *language.greetings):
            assert phrase == phrase.lower().strip()
            assert not set(phrase) & set("’‘*+?[]{}\\^$"), phrase
            assert "  " not in phrase.replace("|)", "")


def test_no_expression_of_the_phrases_repeats_without_a_bound():
    for pattern in (_any_refusal(), _any_apology()):
        assert not set(pattern.pattern.replace(r"(?:[^\s.!?]+ ){0,6}?", "")) & set("*+{")


BAD_OPTIONS = [
    ("length", {"max_total_tokens": -1}, "max_total_tokens is -1, expected a whole number from 0 on"),
    ("length", {"max_total_tokens": 1.5}, "max_total_tokens is 1.5, expected a whole number from 0 on"),
    ("length", {"max_total_tokens": True}, "max_total_tokens is True, expected a whole number from 0 on"),
    (
        "length",
        {"min_answer_tokens": 9, "max_answer_tokens": 8},
        "max_answer_tokens is 8, expected no less than min_answer_tokens",
    ),
    ("length", {"student": "gpt-2"}, "student is 'gpt-2', expected a model whose token limits are known"),
    ("length", {"student": 5}, "student is 5, expected a text"),
    ("reserved_words", {"models": "all"}, "models is 'all', expected nova or any"),
    ("reserved_words", {"reasoning": "yes"}, "reasoning is 'yes', expected true or false"),
    ("template_tokens", {"reasoning": 1}, "reasoning is 1, expected true or false"),
    ("repetition", {"repeats": 1}, "repeats is 1, expected a whole number from 2 on"),
    ("repetition", {"max_repeated": 1.5}, "max_repeated is 1.5, expected a number from 0 to 1"),
    ("repetition", {"min_distinct": float("nan")}, "min_distinct is nan, expected a number from 0 to 1"),
    ("broken_off", {"min_characters": None}, "min_characters is None, expected a whole number from 0 on"),
]


@pytest.mark.parametrize(("rule", "options", "message"), BAD_OPTIONS)
def test_options_that_cannot_be_meant(rule, options, message):
    with pytest.raises(UsageError) as caught:
        drops(rule, [], **options)
    assert str(caught.value).splitlines()[0] == f"rule {rule}: {message}"


def test_a_missing_student_is_answered_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"meta\.llama3-1, .* set max_total_tokens"):
        drops("length", [], student="gpt-2")
