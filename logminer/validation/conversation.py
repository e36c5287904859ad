"""The rules of one `bedrock-conversation-2024` object, looked at value by value.

    {"schemaVersion": "bedrock-conversation-2024",
     "system": [{"text": "..."}],                                  optional
     "messages": [{"role": "user", "content": [{"text": "..."}]},
                  {"role": "assistant", "content": [{"text": "..."}]}]}

https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html; that page's
prose says "bedrock-conversion-2024", but every sample and AWS's own script say what stands above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from logminer.validation.json_lines import member_path
from logminer.validation.reserved_words import has_reserved_word
from logminer.validation.rules import Finding

SCHEMA_VERSION = "bedrock-conversation-2024"

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
        yield _wrong_type("$", value, "an object")
        return
    yield from _keys(value, "$", ("schemaVersion", "messages"), ("system",))
    if "schemaVersion" in value and value["schemaVersion"] != SCHEMA_VERSION:
        yield Finding("schema_version", "$.schemaVersion", f'the value is not "{SCHEMA_VERSION}"')
    if "system" in value:
        yield from _system(value["system"])
    if "messages" in value:
        yield from _messages(shape, value["messages"])


def ends_with_answer(value: Any) -> bool:
    """Whether a conversation without faults ends with an assistant turn, that is, is labelled."""
    return bool(value["messages"][-1]["role"] == "assistant")


def _system(items: Any) -> Iterator[Finding]:
    if not isinstance(items, list):
        yield _wrong_type("$.system", items, "a list")
        return
    if len(items) != 1:
        yield Finding("system_items", "$.system", f"has {len(items)} items, must have 1")
    for index, item in enumerate(items):
        yield from _text_item(item, f"$.system[{index}]", type_allowed=False)


def _messages(shape: ConversationShape, messages: Any) -> Iterator[Finding]:
    if not isinstance(messages, list):
        yield _wrong_type("$.messages", messages, "a list")
        return
    count, most = len(messages), shape.max_messages
    if not count or (most is not None and count > most):
        allowed = "at least 1" if most is None else f"1 to {most}"
        yield Finding("message_count", "$.messages", f"has {count} messages, must have {allowed}")
    previous: Any = "assistant"  # so that the first message must be user; None: nothing to compare with
    for index, message in enumerate(messages):
        path = f"$.messages[{index}]"
        yield from _message(shape, message, path)
        role = message.get("role") if isinstance(message, dict) else None
        if previous is not None and role == previous:
            yield _role_order(path, index)
        previous = role if role in _ROLES else None


def _role_order(path: str, index: int) -> Finding:
    problem = "repeats the role of the message before it" if index else "must be user in the first message"
    return Finding("role_order", f"{path}.role", problem)


def _message(shape: ConversationShape, message: Any, path: str) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield _wrong_type(path, message, "an object")
        return
    yield from _keys(message, path, ("role", "content"), ())
    role = message.get("role", "user")
    if not isinstance(role, str):
        yield _wrong_type(f"{path}.role", role, "a string")
    elif role not in _ROLES:
        yield Finding("unknown_role", f"{path}.role", "is neither user nor assistant")
    if "content" in message:
        yield from _content(shape, message["content"], f"{path}.content")


def _content(shape: ConversationShape, items: Any, path: str) -> Iterator[Finding]:
    if not isinstance(items, list):
        yield _wrong_type(path, items, "a list")
        return
    if len(items) != 1:
        yield Finding("content_items", path, f"has {len(items)} items, must have 1")
    for index, item in enumerate(items):
        yield from _text_item(item, f"{path}[{index}]", type_allowed=shape.type_allowed)


def _text_item(item: Any, path: str, *, type_allowed: bool) -> Iterator[Finding]:
    if not isinstance(item, dict):
        yield _wrong_type(path, item, "an object")
        return
    yield from _keys(item, path, ("text",), ("type",) if type_allowed else ())
    if type_allowed and not isinstance(item.get("type", ""), str):
        yield _wrong_type(f"{path}.type", item["type"], "a string")
    if "text" in item:
        yield from _text(item["text"], f"{path}.text")


def _text(text: Any, path: str) -> Iterator[Finding]:
    if not isinstance(text, str):
        yield _wrong_type(path, text, "a string")
    elif is_blank(text):
        yield Finding("blank_text", path, "blank text")
    elif has_reserved_word(text.encode(errors="surrogatepass")):
        yield Finding("reserved_word", path, "has a word that Amazon Nova reserves")


def is_blank(text: str) -> bool:
    """Whether a text is empty or nothing but white space."""
    return not text or text.isspace()


def _keys(
    value: dict[str, Any], path: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> Iterator[Finding]:
    for key in required:
        if key not in value:
            yield Finding("missing_key", path, f"the key `{key}` is missing")
    for key in value:
        if key not in required and key not in optional:
            yield Finding("unknown_key", member_path(path, key), "the key is not part of the format")


def _wrong_type(path: str, value: Any, expected: str) -> Finding:
    return Finding("wrong_type", path, f"is {_type_name(value)}, must be {expected}")


def _type_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a number")
