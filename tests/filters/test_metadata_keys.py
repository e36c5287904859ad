from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logminer.metadata_keys import decode_key, encode_key, json_pointer

# Keys that look like encodings, where two keys could meet.
keys = st.text() | st.text("_x0A5f/", max_size=12)


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("cost_center", "cost_center"),
        ("Project", "_x50_roject"),
        ("", "_x_"),
        ("_x_", "_x5f_x_"),
        ("a_x", "a_x5f_x"),
        ("a_X", "a__x58_"),
        ("0", "0"),
        ("é/\0", "_xe9__x2f__x0_"),
        ("\ud800", "_xd800_"),
    ],
)
def test_a_key_has_this_field_name(key: str, field: str) -> None:
    assert encode_key(key) == field
    assert decode_key(field) == key


@given(keys)
@example("_x41_")
def test_a_key_comes_back_from_its_field_name(key: str) -> None:
    field = encode_key(key)
    assert re.fullmatch("[a-z0-9_]+", field)
    assert decode_key(field) == key


@given(keys, keys)
def test_two_keys_never_share_a_field_name(one: str, other: str) -> None:
    assert (encode_key(one) == encode_key(other)) == (one == other)


@pytest.mark.parametrize("field", ["", "A", "_x61_", "_xzz_", "_x041_", "_x110000_", "_x50", "_x5f_", "a_x_"])
def test_what_is_no_field_name_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="not the field name"):
        decode_key(field)


@given(st.text("_x0123456789abcdef", max_size=16))
def test_a_field_name_that_decodes_is_the_only_one_of_its_key(field: str) -> None:
    try:
        key = decode_key(field)
    except ValueError:
        return
    assert encode_key(key) == field


@given(keys)
def test_a_json_pointer_is_one_reference_token(key: str) -> None:
    pointer = json_pointer(key)
    assert pointer.count("/") == 1
    assert pointer[1:].replace("~1", "/").replace("~0", "~") == key
