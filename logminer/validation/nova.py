"""The rules of supervised fine-tuning of Amazon Nova: conversations with media, tools and reasoning.

    {"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "..."}], "toolConfig": {"tools": [...]},
     "messages": [{"role": "user", "content": [{"text": "..."}, {"image": {...}}]},
                  {"role": "assistant", "content": [{"reasoningContent": {...}}, {"text": "..."}]}]}

Sources: https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html and the validators of
aws-samples/amazon-nova-samples (customization) and aws-samples/amazon-bedrock-samples
(custom-models/bedrock-fine-tuning/nova). These overlook `Thought:` and `[EOS]`, which the guide forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from logminer.validation.conversation import check_exchange, check_text_item, check_version
from logminer.validation.media import MEDIA, check_counts, check_medium
from logminer.validation.rules import Finding
from logminer.validation.tools import check_tool_ids, check_tool_names, check_tool_result, check_tool_use
from logminer.validation.values import (
    check_keys,
    check_reserved,
    check_text,
    check_tokens,
    items_of,
    wrong_type,
)

_MOST_MEDIA = {"image": 10, "video": 1, "document": 1}


@dataclass(frozen=True, slots=True)
class NovaModel:
    """What the lines for one model of Nova may hold. No formats: no media of that kind."""

    name: str
    images: tuple[str, ...] = ("jpeg", "png", "gif", "webp")
    videos: tuple[str, ...] = ("mov", "mkv", "mp4", "webm")
    documents: tuple[str, ...] = ("pdf",)
    reasoning: bool = False
    max_tokens: int | None = 32_000

    def formats(self, kind: str) -> tuple[str, ...]:
        """The formats of `image`, `video` or `document` that it takes."""
        return {"image": self.images, "video": self.videos, "document": self.documents}[kind]


def inspect_nova(model: NovaModel, value: Any) -> Iterator[Finding]:
    """Yield every broken rule of a parsed line."""
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("messages",), ("schemaVersion", "system", "toolConfig"))
    yield from check_version(value.get("schemaVersion"))
    if "system" in value:
        yield from _system(value["system"])
    messages = value.get("messages")
    if "messages" in value:
        yield from check_exchange(messages, partial(_content, model), _TWO)
    yield from check_tool_names(value.get("toolConfig"), messages, offered="toolConfig" in value)
    yield from check_tool_ids(messages)
    yield from check_counts(messages, _MOST_MEDIA)
    yield from check_tokens(list(_texts(value)), model.max_tokens)


def _system(items: Any) -> Iterator[Finding]:
    if not isinstance(items, list):
        yield wrong_type("$.system", items, "a list")
        return
    for path, item in items_of(items, "$.system"):
        yield from check_text_item(item, path)


_TWO = "Give the user's message and the assistant's answer."


def _content(model: NovaModel, role: Any, items: Any, path: str) -> Iterator[Finding]:
    if not isinstance(items, list):
        yield wrong_type(path, items, "a list")
        return
    if not items:
        yield Finding("content_items", path, "has no items", "Give the text.")
    said = _says_something(items)
    for place, item in items_of(items, path):
        yield from _item(model, role, item, place, may_be_blank=said)


def _says_something(items: list[Any]) -> bool:
    """Whether a message has more than blank texts: AWS's validator counts its texts together."""
    return any(
        isinstance(item, dict)
        and (
            any(kind in item for kind in (*MEDIA, "toolUse", "toolResult"))
            or (isinstance(item.get("text"), str) and bool(item["text"].strip()))
        )
        for item in items
    )


def _item(model: NovaModel, role: Any, item: Any, path: str, *, may_be_blank: bool) -> Iterator[Finding]:
    if not isinstance(item, dict):
        yield wrong_type(path, item, "an object")
        return
    kinds = [key for key in item if key in _KINDS]
    if len(kinds) != 1:
        yield Finding(
            "content_items", path, f"has {len(kinds)} of {', '.join(_KINDS)}, must have 1", _ONE_KIND
        )
    yield from check_keys(item, path, (), tuple(_KINDS))
    for kind in kinds:
        yield from _block(model, kind, role, item[kind], f"{path}.{kind}", may_be_blank=may_be_blank)


_KINDS = ("text", *MEDIA, "reasoningContent", "toolUse", "toolResult")
_ONE_KIND = "Make an item of its own of each."


def _block(
    model: NovaModel, kind: str, role: Any, block: Any, path: str, *, may_be_blank: bool
) -> Iterator[Finding]:
    if kind == "text":
        blank_is_fine = may_be_blank and isinstance(block, str)
        yield from () if blank_is_fine else check_text(block, path)
        yield from check_reserved(block, path)
    elif kind in MEDIA:
        yield from _medium(model, kind, role, block, path)
    elif kind == "reasoningContent":
        yield from _reasoning(model, role, block, path)
    elif kind == "toolUse":
        if role == "user":
            yield Finding("tool_place", path, "a tool call stands in a user message")
        yield from check_tool_use(block, path)
    else:
        if role == "assistant":
            yield Finding("tool_place", path, "a tool result stands in an assistant message")
        yield from check_tool_result(block, path)


def _medium(model: NovaModel, kind: str, role: Any, block: Any, path: str) -> Iterator[Finding]:
    formats = model.formats(kind)
    if role == "assistant":
        yield Finding("media_place", path, "stands in an assistant message")
    if not formats:
        yield Finding("media_place", path, f"{model.name} takes no {kind}s")
    else:
        yield from check_medium(kind, block, path, formats)


def _reasoning(model: NovaModel, role: Any, block: Any, path: str) -> Iterator[Finding]:
    if role == "user":
        yield Finding("reasoning_place", path, "reasoning stands in a user message")
    if not model.reasoning:
        yield Finding("reasoning_place", path, f"{model.name} takes no reasoning")
    text = block.get("reasoningText") if isinstance(block, dict) else None
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        problem = "has no reasoningText with a text"
        yield Finding("wrong_type", path, problem, 'Write {"reasoningText": {"text": "..."}}.')
        return
    yield from check_keys(block, path, ("reasoningText",))
    yield from check_keys(text, f"{path}.reasoningText", ("text",))
    yield from check_reserved(text["text"], f"{path}.reasoningText.text")


def _texts(value: Any) -> Iterator[str]:
    """All texts of a line, those of keys too: what a tool takes and gives is trained on as well."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
