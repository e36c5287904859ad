"""The rules of one `bedrock-conversation-2024` object, looked at value by value.

    {"schemaVersion": "bedrock-conversation-2024",
     "system": [{"text": "..."}],                                  optional
     "messages": [{"role": "user", "content": [{"text": "..."}]},
                  {"role": "assistant", "content": [{"text": "..."}]}]}

https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html; that page's
prose says "bedrock-conversion-2024", but every sample and AWS's own script say what stands above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from logminer.validation.rules import Finding
from logminer.validation.values import check_keys, check_reserved, check_text, items_of, wrong_type

SCHEMA_VERSION = "bedrock-conversation-2024"

# Looks at the content of a message, given its role, the content and its path.
InspectContent = Callable[[Any, Any, str], Iterator[Finding]]

_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class ConversationShape:
    """How profiles differ: the most messages allowed (None: any number), and whether a content item may have
    the key `type`.
    """

    max_messages: int | None
    type_allowed: bool = False


def inspect_conversation(shape: ConversationShape, value: Any) -> Iterator[Finding]:
    """Yield every broken rule of a parsed line, in the order of the format."""
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("schemaVersion", "messages"), ("system",))
    if "schemaVersion" in value:
        yield from check_version(value["schemaVersion"])
    if "system" in value:
        yield from check_one_item(value["system"], "$.system", "system_items")
    if "messages" in value:
        yield from _messages(shape, value["messages"])


def ends_with_answer(value: Any) -> bool:
    """Whether a conversation without faults ends with an assistant turn, that is, is labelled."""
    return bool(value["messages"][-1]["role"] == "assistant")


def check_version(version: Any) -> Iterator[Finding]:
    """The schema version is a constant."""
    if version != SCHEMA_VERSION:
        yield Finding("schema_version", "$.schemaVersion", f'the value is not "{SCHEMA_VERSION}"')


def check_roles(messages: Any, path: str = "$.messages") -> Iterator[Finding]:
    """Each message has a known role, and user and assistant take turns, user first."""
    previous: Any = "assistant"  # so that the first message must be user; None: nothing to compare with
    for index, (place, message) in enumerate(items_of(messages, path)):
        role = message.get("role") if isinstance(message, dict) else None
        if isinstance(message, dict) and "role" in message:
            yield from _role(role, f"{place}.role")
        if previous is not None and role == previous:
            problem = (
                "repeats the role of the message before it" if index else "must be user in the first message"
            )
            yield Finding("role_order", f"{place}.role", problem)
        previous = role if role in _ROLES else None


def check_last_role(messages: Any, severe: str = "must end with the assistant's answer") -> Iterator[Finding]:
    """A conversation to be trained on ends with an answer."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role", "assistant") != "assistant":
        yield Finding("last_role", f"$.messages[{len(messages) - 1}].role", severe)


def check_exchange(messages: Any, inspect: InspectContent, fix: str) -> Iterator[Finding]:
    """A conversation to be trained on: at least a question and its answer, in turns, with nothing beside role and content.

    `inspect` looks at the content of each message; `fix` is the remedy where there are too few.
    """
    if not isinstance(messages, list):
        yield wrong_type("$.messages", messages, "a list")
        return
    if len(messages) < 2:
        problem = f"has {len(messages)} messages, must have at least 2"
        yield Finding("message_count", "$.messages", problem, fix)
    yield from check_roles(messages)
    yield from check_last_role(messages)
    yield from _check_each(messages, inspect)


def _check_each(messages: list[Any], inspect: InspectContent) -> Iterator[Finding]:
    """Role and content in each message and nothing beside them; `inspect` looks at the content."""
    for path, message in items_of(messages, "$.messages"):
        if not isinstance(message, dict):
            yield wrong_type(path, message, "an object")
            continue
        yield from check_keys(message, path, ("role", "content"))
        if "content" in message:
            yield from inspect(message.get("role"), message["content"], f"{path}.content")


def contents_of(messages: Any) -> list[Any]:
    """The contents of all messages that have one."""
    return [
        message["content"]
        for _, message in items_of(messages, "$.messages")
        if isinstance(message, dict) and "content" in message
    ]


def _role(role: Any, path: str) -> Iterator[Finding]:
    if not isinstance(role, str):
        yield wrong_type(path, role, "a string")
    elif role not in _ROLES:
        yield Finding("unknown_role", path, "is neither user nor assistant")


def _messages(shape: ConversationShape, messages: Any) -> Iterator[Finding]:
    if not isinstance(messages, list):
        yield wrong_type("$.messages", messages, "a list")
        return
    count, most = len(messages), shape.max_messages
    if not count or (most is not None and count > most):
        allowed = "at least 1" if most is None else f"1 to {most}"
        yield Finding("message_count", "$.messages", f"has {count} messages, must have {allowed}")
    yield from check_roles(messages)
    yield from _check_each(
        messages,
        lambda _, content, path: check_one_item(
            content, path, "content_items", type_allowed=shape.type_allowed
        ),
    )


def check_one_item(items: Any, path: str, rule: str, *, type_allowed: bool = False) -> Iterator[Finding]:
    """A list of exactly one text item; `rule` is what another number of them breaks."""
    if not isinstance(items, list):
        yield wrong_type(path, items, "a list")
        return
    if len(items) != 1:
        yield Finding(rule, path, f"has {len(items)} items, must have 1")
    for place, item in items_of(items, path):
        yield from check_text_item(item, place, type_allowed=type_allowed)


def check_text_item(item: Any, path: str, *, type_allowed: bool = False) -> Iterator[Finding]:
    """An item is an object with a text and nothing else; with `type_allowed` a `type` may stand beside it."""
    if not isinstance(item, dict):
        yield wrong_type(path, item, "an object")
        return
    yield from check_keys(item, path, ("text",), ("type",) if type_allowed else ())
    if type_allowed and not isinstance(item.get("type", ""), str):
        yield wrong_type(f"{path}.type", item["type"], "a string")
    if "text" in item:
        yield from check_text(item["text"], f"{path}.text")
        yield from check_reserved(item["text"], f"{path}.text")
