"""A filter as `requestMetadataFilters` of a Bedrock model customization job, and back.

The form: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_RequestMetadataFilters.html, a union of
`equals`, `notEquals` (each a map of exactly one pair), `andAll` and `orAll` (lists of 1 to 16 such maps).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

from logminer.errors import UsageError
from logminer.filters.canonical import format_comparison
from logminer.filters.nodes import MAX_COMPARISONS, MAX_TERM_CHARS, Comparison, Filter, Operator
from logminer.printable import printable

BedrockPair = dict[str, dict[str, str]]
"""`{"equals": {key: value}}` or `{"notEquals": {key: value}}`."""

BedrockFilter = dict[str, dict[str, str]] | dict[str, list[BedrockPair]]
"""The value of `requestMetadataFilters`."""

MAX_JSON_CHARS = 1024 * 1024

_REFUSED = re.compile(r"[^a-zA-Z0-9\s._:/=+$@-]", re.ASCII)
"""The complement of the pattern of RequestMetadataMapKeyString and RequestMetadataMapValueString. The runtime
lets callers tag with more (`#` and `,`): records so tagged exist, but no job's filter can name them."""

_GROUPS = {"andAll": Operator.AND, "orAll": Operator.OR}
_BASES = {"equals": False, "notEquals": True}


def compile_bedrock(node: Filter) -> BedrockFilter:
    """The value of `requestMetadataFilters` that says the same as `node`.

    Raises UsageError, naming the characters, where a key or value has some that the service refuses.
    """
    refused = [item for item in node.comparisons if refused_characters(item.key + item.value)]
    if refused:
        raise _refusal(refused)
    pairs = [_pair(item) for item in node.comparisons]
    if node.operator is Operator.SINGLE:
        return pairs[0]
    return {"andAll" if node.operator is Operator.AND else "orAll": pairs}


def refused_characters(text: str) -> str:
    """The characters of a key or value that a job's filter cannot hold, each once, in order; "" when none."""
    return "".join(dict.fromkeys(_REFUSED.findall(text)))


def _pair(node: Comparison) -> BedrockPair:
    return {"notEquals" if node.negated else "equals": {node.key: node.value}}


def _refusal(refused: list[Comparison]) -> UsageError:
    named = "; ".join(f"{_shown(item)} has {_named_characters(item.key + item.value)}" for item in refused)
    return UsageError(
        f"a Bedrock job's filter cannot hold this: {named}",
        where="requestMetadataFilters",
        fix="it takes letters a-z, digits, white space and . _ : / = + $ @ - alone;"
        " select such records with logminer and give the job the exported file",
    )


def _shown(node: Comparison) -> str:
    return printable(format_comparison(node))


def _named_characters(text: str) -> str:
    """The refused characters of `text` as a message names them."""
    refused = refused_characters(text)
    return f"the character{'s' if len(refused) > 1 else ''} {' '.join(map(printable, refused))}"


def parse_bedrock(text: str) -> Filter:
    """The filter in a JSON text of Bedrock's form.

    Raises UsageError with the place. A member given twice is refused: a JSON parser would drop the first
    without a word, as happens to a dict literal with three `equals`.
    """
    if len(text) > MAX_JSON_CHARS:
        raise _wrong("$", f"is longer than {MAX_JSON_CHARS} characters")
    try:
        data = json.loads(text, object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        raise _wrong("$", f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except (RecursionError, ValueError) as error:
        raise _wrong("$", "is not JSON that can be read: nested too deep, or a number too long") from error
    return read_bedrock(data)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _wrong("$", f"gives {_quoted(name)} twice in one object")
    return members


def read_bedrock(data: object) -> Filter:
    """The filter in a decoded JSON value of Bedrock's form, `{"andAll": […]}` for one.

    Strict: what the service would refuse is refused here, by a UsageError that names the JSON path. A list of
    one item reads as that item alone.
    """
    name, value = _only_member(data, "$", (*_BASES, *_GROUPS))
    if name in _BASES:
        return Filter(Operator.SINGLE, (_comparison(name, value, f"$.{name}"),))
    comparisons = _group(value, f"$.{name}")
    return Filter(_GROUPS[name] if len(comparisons) > 1 else Operator.SINGLE, comparisons)


def _group(value: object, path: str) -> tuple[Comparison, ...]:
    if not isinstance(value, list):
        raise _wrong(path, f"is {_kind(value)}, expected a list")
    if not 1 <= len(value) <= MAX_COMPARISONS:
        raise _wrong(path, f"has {len(value)} items, expected 1 to {MAX_COMPARISONS}")
    return tuple(_item(item, f"{path}[{index}]") for index, item in enumerate(value))


def _item(item: object, path: str) -> Comparison:
    name, pair = _only_member(item, path, tuple(_BASES))
    return _comparison(name, pair, f"{path}.{name}")


def _comparison(name: str, pair: object, path: str) -> Comparison:
    key, value = _only_member(pair, path, ())
    if not isinstance(value, str):
        raise _wrong(f"{path}[{_quoted(key)}]", f"is {_kind(value)}, expected a string")
    if not key:
        raise _wrong(path, "has an empty key")
    for role, term in (("key", key), ("value", value)):
        if len(term) > MAX_TERM_CHARS:
            raise _wrong(path, f"has a {role} of {len(term)} characters, expected at most {MAX_TERM_CHARS}")
        if refused_characters(term):
            raise _wrong(path, f"has a {role} with {_named_characters(term)}, which the service refuses")
    return Comparison(key, value, _BASES[name])


def _only_member(data: object, path: str, allowed: tuple[str, ...]) -> tuple[str, object]:
    """The one member of an object, whose name is one of `allowed`; any name when none is given."""
    expected = f"one of {', '.join(allowed)}" if allowed else "one key with its value"
    if not isinstance(data, Mapping):
        raise _wrong(path, f"is {_kind(data)}, expected an object with {expected}")
    if len(data) != 1:
        raise _wrong(path, f"has {len(data)} members, expected exactly {expected}")
    ((name, value),) = data.items()
    if not isinstance(name, str) or (allowed and name not in allowed):
        raise _wrong(path, f"has the member {_quoted(str(name))}, expected {expected}")
    return name, value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def _quoted(name: str) -> str:
    """A name out of the file, on one line and cut when long."""
    return json.dumps(name if len(name) <= MAX_TERM_CHARS else name[:MAX_TERM_CHARS] + "…")


def _wrong(path: str, problem: str) -> UsageError:
    return UsageError(
        f"{path} {problem}",
        where="requestMetadataFilters",
        fix='the form is {"equals": {"key": "value"}}, notEquals, or andAll or orAll with a list of those',
    )
