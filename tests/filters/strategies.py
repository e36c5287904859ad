"""Generated keys, values, filters and records; hostile ones, and few enough of each that they meet."""

from __future__ import annotations

from hypothesis import strategies as st

from logminer.filters import Comparison, Filter, Operator

HOSTILE_KEYS = [
    "project",
    "Project",
    "PROJECT",
    "cost_center",
    "cost center",
    "_x41_",
    "A",
    "a_x",
    "0",
    "01",
    "-",
    "/",
    "//",
    "/0",
    "~",
    "~1",
    "$",
    "$.a",
    "$.*",
    "*",
    "[0]",
    "a.b",
    "a/b",
    "a~b",
    'quo"te',
    "it's",
    "\\",
    'end\\"',
    " ",
    "#,",
    "é",
    "ключ",
    "😀",
    "a\nb",
    "select",
    "and",
    "x" * 256,
]
VALUES = [
    "",
    " ",
    "1",
    "High",
    "high",
    "it's",
    'a "b"',
    "a\\",
    "a=b, c",
    "é",
    "true",
    "null",
    "or",
    "%",
    "\t",
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
keys = st.sampled_from(HOSTILE_KEYS) | text.filter(bool)
values = st.sampled_from(VALUES) | text


@st.composite
def filters(draw: st.DrawFn, keys: st.SearchStrategy[str] = keys) -> Filter:
    comparison = st.builds(Comparison, keys, values, st.booleans())
    comparisons = draw(
        st.lists(comparison, min_size=1, max_size=16) | st.lists(comparison, min_size=1, max_size=3)
    )
    operator = draw(st.sampled_from([Operator.AND, Operator.OR]))
    return Filter(operator if len(comparisons) > 1 else Operator.SINGLE, tuple(comparisons))


service_text = st.text("abcABC019 ._:/=+$@-\n", max_size=8)


@st.composite
def service_filters(draw: st.DrawFn) -> Filter:
    """Filters whose keys and values a Bedrock job takes."""
    comparison = st.builds(Comparison, service_text.filter(bool), service_text, st.booleans())
    comparisons = draw(st.lists(comparison, min_size=1, max_size=16))
    operator = draw(st.sampled_from([Operator.AND, Operator.OR]))
    return Filter(operator if len(comparisons) > 1 else Operator.SINGLE, tuple(comparisons))


@st.composite
def filters_and_records(draw: st.DrawFn) -> tuple[Filter, list[dict[str, str]]]:
    """A filter, and the metadata of some records that share its keys and values."""
    few_keys = draw(st.lists(keys, min_size=1, max_size=4, unique=True))
    node = draw(filters(st.sampled_from(few_keys)))
    few_values = st.sampled_from([*(item.value for item in node.comparisons), "other"])
    metadata = st.dictionaries(st.sampled_from([*few_keys, ""]) | keys, few_values, max_size=4)
    return node, draw(st.lists(metadata, min_size=1, max_size=6))
