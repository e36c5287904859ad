"""What AWS's own script says of log records, in its mode for logs, beside what they are.

The script reads .gz objects alone and wants `modelId`, `input` and `output`. More than one user message is
"multi-turn" to it, and a content that is not one item with a text "multi-modal"; a content that is a string, as
Anthropic's may be, counts as that too. It looks at no error code, no answer and no body that is elsewhere, and it
ends with an error where a request body is null.

Source: https://github.com/aws-samples/amazon-bedrock-samples/tree/main/custom-models/model_distillation/
dataset-validation
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from logminer.printable import counted


class ScriptCount:
    """Counts the script's verdicts."""

    def __init__(self) -> None:
        self._verdicts: Counter[tuple[str, bool]] = Counter()

    def add(self, text: bytes, uri: str, *, is_pair: bool) -> None:
        """Take the JSON text of one record of the object `uri`."""
        self._verdicts[script_verdict(text, uri), is_pair] += 1

    def remarks(self) -> Iterator[str]:
        """What is to be said of the script's count."""
        accepted = self._verdicts["valid", True] + self._verdicts["valid", False]
        total = self._verdicts.total()
        if not total:
            return
        yield f"AWS's own script counts {accepted:,} of {counted(total, 'record')} as valid"
        overlooked = self._verdicts["valid", False]
        if overlooked:
            yield f"the script overlooks what keeps {overlooked:,} of these from being pairs"
        for verdict in sorted({verdict for verdict, _ in self._verdicts} - {"valid", "crash"}):
            of_pairs = self._verdicts[verdict, True]
            count = of_pairs + self._verdicts[verdict, False]
            pairs = f"; pairs among them: {of_pairs:,}" if of_pairs else ""
            yield f"the script refuses {counted(count, 'record')} as {verdict}{pairs}"
        crashes = self._verdicts["crash", True] + self._verdicts["crash", False]
        if crashes:
            yield f"the script ends with an error where a request body is null: {counted(crashes, 'record')}"


def script_verdict(text: bytes, uri: str) -> str:
    """`valid`, `crash`, or the script's word for what is wrong."""
    if not uri.endswith(".gz"):
        return "not a .gz object"
    try:
        record = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "no JSON"
    if not isinstance(record, dict) or not {"modelId", "input", "output"} <= record.keys():
        return "incomplete"
    sent = record["input"]
    body = sent.get("inputBodyJson", {}) if isinstance(sent, dict) else {}
    if body is None:
        return "crash"
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        return "valid"
    return _verdict_on(messages)


def _verdict_on(messages: list[Any]) -> str:
    users = [each for each in messages if isinstance(each, dict) and each.get("role") == "user"]
    if len(users) > 1:
        return "multi-turn"
    contents = [each.get("content") for each in messages if isinstance(each, dict)]
    return "valid" if all(map(_is_one_text, contents)) else "multi-modal"


def _is_one_text(content: Any) -> bool:
    if not isinstance(content, list) or len(content) != 1:
        return False
    return isinstance(content[0], dict) and bool(content[0].get("text"))
