"""`--fix`: what can be mended in a dataset without guessing, on the way from one file to another.

Texts are never changed. A line that is mended is written anew, as compact JSON, with its keys in their order; any
other line stays byte for byte as it is, faults and all, and the report on the new file names them.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, BinaryIO, Final

from logminer.json_text import encode_tolerantly, has_surrogates, tolerant_decoder
from logminer.validation.checking import REMEMBERED_LINES, flawless, quick_look
from logminer.validation.conversation import SCHEMA_VERSION
from logminer.validation.dataset_files import LineReader
from logminer.validation.profile import Profile
from logminer.validation.rules import MAX_INSPECTED_BYTES

MENDS: Final = {
    "unpacked": "gzip unpacked",
    "byte_order_mark": "byte order mark removed",
    "line_ends": "line end made a line feed",
    "blank_lines": "blank line removed",
    "duplicate_lines": "line removed that is the same as an earlier one",
    "line_breaks": "white space around the object, or a carriage return in it, removed",
    "duplicate_keys": "key removed that stood twice with the same value",
    "empty_system": "empty `system` removed",
    "schema_version": "missing or misspelled schemaVersion written",
    "unknown_keys": "key removed that is not of the format",
    "item_types": "`type` removed beside a text",
}
"""What is mended, by the word that reports use."""

_BOM: Final = b"\xef\xbb\xbf"
_MISSPELLED_VERSIONS: Final = (None, "", "bedrock-conversion-2024")  # the last one stands in AWS's own guide
# What is not of the format, but may be of the conversation: without it the answer can lose its sense.
_TELLING_KEYS: Final = frozenset(
    {"messages", "system", "prompt", "completion", "input", "output", "tools", "toolConfig", "tool_choice"}
    | {"functions", "documents", "context", "image", "images", "text", "caption", "image-ref", "modelInput"}
    | {"response", "reference_answer", "referenceResponse", "schemaVersion", "schema", "response_format"}
)


class Mender:
    """Mends the lines of one file, writes them to `out`, and hands them on to be checked.

    A line that is longer than a line can be read is left out.
    """

    def __init__(self, profile: Profile, out: BinaryIO) -> None:
        self._profile = profile
        self._out = out
        self._quick = quick_look(profile)
        self._seen: set[int] | None = set() if "duplicate_line" in profile.severities else None
        self._is_first = True
        self.counts: Counter[str] = Counter()

    def take(self, batch: list[bytes]) -> list[bytes]:
        """Lines mended and written; fewer where some were blank or repeated."""
        if self._is_first and batch[0].startswith(_BOM):
            batch = [batch[0].removeprefix(_BOM), *batch[1:]]
            self.counts["byte_order_mark"] += 1
        self._is_first = False
        if self._quick is None or self._quick.labelled(batch) is None:
            batch = [mended for line in batch if (mended := self._mended(line)) is not None]
        kept = self._without_repeats(batch)
        self._out.writelines(kept)
        return kept

    def take_file(self, reader: LineReader, *, packed: bool) -> None:
        """Count what was mended in how the file was stored."""
        self.counts["unpacked"] += packed
        self.counts["line_ends"] += reader.line_ends_mended

    def mends(self) -> dict[str, int]:
        """What was mended, and how often, in the order of `MENDS`."""
        return {word: self.counts[word] for word in MENDS if self.counts[word]}

    def _without_repeats(self, lines: list[bytes]) -> list[bytes]:
        seen = self._seen
        if seen is None:
            return lines
        kept = []
        for line in lines:
            key = hash(line)
            if key in seen:
                self.counts["duplicate_lines"] += 1
                continue
            if len(seen) < REMEMBERED_LINES:
                seen.add(key)
            kept.append(line)
        return kept

    def _mended(self, line: bytes) -> bytes | None:
        """A line mended, None where nothing is left of it."""
        if not line.strip():
            self.counts["blank_lines"] += 1
            return None
        if flawless(self._profile, line[:-1]) is not None or len(line) > MAX_INSPECTED_BYTES:
            return line
        repeats: list[str] = []
        try:
            value = _decoder(repeats).decode(line.removeprefix(_BOM).decode())
        except (ValueError, RecursionError):
            return line
        words = [*repeats, *_mend_value(value, self._profile)]
        if line.startswith(_BOM):
            words.append("byte_order_mark")
        if b"\r" in line or line[:-1].strip() != line[:-1]:
            words.append("line_breaks")
        return self._rewritten(line, value, words)

    def _rewritten(self, line: bytes, value: Any, words: list[str]) -> bytes:
        if not words or _DIFFERING in words or _has_lone_surrogates(value):
            return line
        try:
            written, _ = encode_tolerantly(value)
        except (ValueError, RecursionError):
            return line
        self.counts.update(words)
        return written + b"\n"


_DIFFERING: Final = "differing_values"


def _decoder(repeats: list[str]) -> json.JSONDecoder:
    """Reads a line, and notes in `repeats` whether its repeated keys can be mended."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                repeats.append("duplicate_keys" if found[key] == value else _DIFFERING)
            found[key] = value
        return found

    return json.JSONDecoder(
        object_pairs_hook=members,
        parse_float=tolerant_decoder.parse_float,
        parse_int=tolerant_decoder.parse_int,
        parse_constant=tolerant_decoder.parse_constant,
    )


def _has_lone_surrogates(value: Any) -> bool:
    if isinstance(value, str):
        return has_surrogates(value)
    if isinstance(value, dict):
        return any(has_surrogates(key) or _has_lone_surrogates(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_lone_surrogates, value))


def _mend_value(value: Any, profile: Profile) -> list[str]:
    """Mend a line's object in place, as far as the profile finds fault with it; the words of what was done."""
    if not isinstance(value, dict):
        return []
    words: list[str] = []
    for mend in (_empty_system, _schema_version, _unknown_keys, _item_types):
        words += mend(value, _faults(value, profile))
    return words


def _faults(value: dict[str, Any], profile: Profile) -> set[tuple[str, str]]:
    """The (rule, path) of what the profile finds in an object."""
    found = ((finding.rule, finding.path) for finding in profile.inspect(value))
    return {each for each in found if each[0] in profile.severities}


def _empty_system(value: dict[str, Any], faults: set[tuple[str, str]]) -> list[str]:
    is_empty = value.get("system", "none") in ([], "", None)
    if not is_empty or not any(path == "$.system" for _, path in faults):
        return []
    del value["system"]
    return ["empty_system"]


def _schema_version(value: dict[str, Any], faults: set[tuple[str, str]]) -> list[str]:
    wrong = ("schema_version", "$.schemaVersion") in faults or (
        "schemaVersion" not in value and ("missing_key", "$") in faults
    )
    # Only what was a conversation but for this becomes one.
    if not wrong or "messages" not in value or value.get("schemaVersion") not in _MISSPELLED_VERSIONS:
        return []
    rest = {key: item for key, item in value.items() if key != "schemaVersion"}
    value.clear()
    value.update({"schemaVersion": SCHEMA_VERSION, **rest})
    return ["schema_version"]


def _unknown_keys(value: dict[str, Any], faults: set[tuple[str, str]]) -> list[str]:
    """Remove keys at the top that are none of the format's, such as ids and notes; deeper ones may say something."""
    unknown = {path for rule, path in faults if rule == "unknown_key"}
    keys = [key for key in value if f"$.{key}" in unknown and key not in _TELLING_KEYS]
    for key in keys:
        del value[key]
    return ["unknown_keys"] * len(keys)


def _item_types(value: dict[str, Any], faults: set[tuple[str, str]]) -> list[str]:
    """Remove `"type": "text"`, which items have in other formats, where it stands beside a text."""
    unknown = {path for rule, path in faults if rule == "unknown_key"}
    words: list[str] = []
    messages = value.get("messages")
    lists = [("$.system", value.get("system"))]
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            lists.append((f"$.messages[{index}].content", message.get("content")))
    for path, items in lists:
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if f"{path}[{index}].type" in unknown and item.get("type") == "text" and "text" in item:
                del item["type"]
                words.append("item_types")
    return words
