from __future__ import annotations

import json
from typing import Any

import pytest
from botocore_shapes import check_shape
from hypothesis import example, given
from hypothesis import strategies as st

from logminer.errors import UsageError
from logminer.filters import (
    compile_bedrock,
    parse_bedrock,
    parse_filter,
    read_bedrock,
    refused_characters,
)

PAIR = {"equals": {"a": "1"}}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "$ is null, expected an object with one of equals, notEquals, andAll, orAll"),
        ([PAIR], "$ is a list, expected an object"),
        ({}, "$ has 0 members, expected exactly one of equals"),
        ({**PAIR, "notEquals": {"b": "2"}}, "$ has 2 members"),
        ({"Equals": {"a": "1"}}, '$ has the member "Equals", expected one of equals'),
        ({1: {"a": "1"}}, '$ has the member "1"'),
        ({"requestMetadataFilters": PAIR}, '$ has the member "requestMetadataFilters"'),
        ({"equals": {}}, "$.equals has 0 members, expected exactly one key with its value"),
        ({"equals": {"a": "1", "b": "2"}}, "$.equals has 2 members"),
        ({"equals": "a=1"}, "$.equals is a string"),
        ({"equals": {"a": 1}}, '$.equals["a"] is a number, expected a string'),
        ({"equals": {"a": True}}, '$.equals["a"] is a boolean'),
        ({"equals": {"a\x1b": None}}, '$.equals["a\\u001b"] is null'),
        ({"equals": {"": "1"}}, "$.equals has an empty key"),
        ({"notEquals": {"k" * 257: "1"}}, "$.notEquals has a key of 257 characters, expected at most 256"),
        ({"equals": {"a": "v" * 257}}, "$.equals has a value of 257 characters"),
        (
            {"equals": {"a": "x,y;"}},
            "$.equals has a value with the characters , ;, which the service refuses",
        ),
        ({"equals": {"é": "1"}}, "$.equals has a key with the character é"),
        ({"andAll": PAIR}, "$.andAll is an object, expected a list"),
        ({"andAll": []}, "$.andAll has 0 items, expected 1 to 16"),
        ({"orAll": [PAIR] * 17}, "$.orAll has 17 items"),
        ({"orAll": [PAIR, {"andAll": [PAIR]}]}, '$.orAll[1] has the member "andAll", expected one of equals'),
        ({"orAll": [PAIR, {"equals": {"a": []}}]}, '$.orAll[1].equals["a"] is a list'),
        ({"orAll": [{**PAIR, "notEquals": {"b": "2"}}]}, "$.orAll[0] has 2 members"),
    ],
)
def test_what_is_not_bedrocks_form_is_refused_with_its_path(data: Any, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_bedrock(data)
    assert problem in caught.value.problem
    assert caught.value.where == "requestMetadataFilters"
    assert str(caught.value).isprintable() or "\n  " in str(caught.value)


def test_a_list_of_one_reads_as_its_item() -> None:
    assert read_bedrock({"orAll": [{"notEquals": {"a": "1"}}]}) == parse_filter("a!=1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "$ is not JSON: Expecting value at line 1, column 1"),
        ('{"equals": {"a": "1"}', "$ is not JSON"),
        ("[" * 100_000, "$ is not JSON that can be read"),
        ("1" * 10_000, "$ is not JSON that can be read"),
        (" " * 2_000_000, "$ is longer than 1048576 characters"),
        ('{"equals": {"a": "1"}, "equals": {"b": "2"}}', '$ gives "equals" twice in one object'),
        ('{"equals": {"a": "1", "a": "2"}}', '$ gives "a" twice in one object'),
        ("NaN", "$ is a number"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_not_json_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bedrock(text)
    assert problem in caught.value.problem


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["equals", "notEquals", "andAll", "orAll", "a", ""]), inner, max_size=2
            )
        ),
    )
)
def test_whatever_reads_is_what_the_service_takes(data: Any) -> None:
    try:
        node = parse_bedrock(json.dumps(data))
    except UsageError:
        assert check_shape("bedrock", "RequestMetadataFilters", data) or has_odd_item(data)
    else:
        assert check_shape("bedrock", "RequestMetadataFilters", data) == []
        assert read_bedrock(compile_bedrock(node)) == node


def has_odd_item(data: dict[str, Any]) -> bool:
    """The model lets an item of a list have both members or none, without saying what that means."""
    return any(len(item) != 1 for items in data.values() for item in items)


def test_a_target_that_cannot_say_it_names_the_characters() -> None:
    with pytest.raises(UsageError) as caught:
        compile_bedrock(parse_filter("ok=1 AND #tag='a,b' AND 'it''s'=2".replace("''", "\\'")))
    assert caught.value.exit_code == 2
    assert caught.value.problem == (
        'a Bedrock job\'s filter cannot hold this: #tag="a,b" has the characters # ,;'
        " \"it's\"=2 has the character '"
    )


@given(st.text(max_size=20))
@example("\u00a0 \u2003")
@example("\x1c\x85")
def test_the_refused_characters_are_those_outside_the_pattern_of_the_service(text: str) -> None:
    is_taken = not check_shape("bedrock", "RequestMetadataMapValueString", text)
    assert is_taken == (not refused_characters(text))
