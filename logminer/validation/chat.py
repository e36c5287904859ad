"""The rules of messages whose content is a string: Anthropic's form, and OpenAI's with tools and parts.

{"system": "...", "messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
{"messages": [{"role": "system", "content": "..."}, {"role": "user", "content": [{"type": "text", "text": "..."}]}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.validation.conversation import check_exchange, check_last_role, contents_of
from logminer.validation.rules import Finding
from logminer.validation.values import check_keys, check_text, check_tokens, items_of, wrong_type

# https://github.com/aws-samples/amazon-bedrock-samples, custom-models/bedrock-fine-tuning/claude-haiku
FORBIDDEN_BY_CLAUDE = ("\nHuman:", "\nAssistant:")

_OPENAI_ROLES = ("system", "developer", "user", "assistant", "tool")


def inspect_anthropic(max_tokens: int, value: Any) -> Iterator[Finding]:
    """Yield every broken rule of a line for Claude 3 Haiku."""
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("messages",), ("system",))
    if "system" in value:
        yield from _claude_text(value["system"], "$.system")
    messages = value.get("messages")
    if "messages" in value:
        yield from check_exchange(
            messages,
            lambda _, text, path: _claude_text(text, path),
            "Give the user's message and the answer to it.",
        )
    texts = [value.get("system"), *contents_of(messages)]
    yield from check_tokens(texts, max_tokens)


def may_be_forbidden_by_claude(text: bytes) -> bool:
    r"""Whether a text, in JSON's spelling or plain, may have `\nHuman:` or `\nAssistant:`."""
    return b"Human:" in text or b"Assistant:" in text


def _claude_text(text: Any, path: str) -> Iterator[Finding]:
    yield from check_text(text, path)
    for words in FORBIDDEN_BY_CLAUDE if isinstance(text, str) else ():
        if words in text:
            yield Finding("forbidden_text", path, f"has a line that begins with {words[1:]}")


def inspect_openai(value: Any) -> Iterator[Finding]:
    """Yield every broken rule of a line of chat messages that ends with the answer."""
    if not isinstance(value, dict):
        yield wrong_type("$", value, "an object")
        return
    yield from check_keys(value, "$", ("messages",), ("tools", "parallel_tool_calls"))
    yield from check_tool_list(value)
    yield from check_openai_messages(value)
    yield from check_last_role(
        value.get("messages"), "no answer follows: a trainer has nothing to learn here"
    )


def check_openai_messages(value: dict[str, Any]) -> Iterator[Finding]:
    """The messages of a line, if it has some."""
    messages = value.get("messages", [{"role": "user", "content": "..."}])
    if not isinstance(messages, list):
        yield wrong_type("$.messages", messages, "a list")
        return
    roles = [message.get("role") for message in messages if isinstance(message, dict)]
    if "user" not in roles:
        yield Finding("message_count", "$.messages", "has no user message", "Give the user's message.")
    for path, message in items_of(messages, "$.messages"):
        yield from _openai_message(message, path)
    yield from _calls_answered(messages)


def check_tool_list(value: dict[str, Any]) -> Iterator[Finding]:
    """The offered tools, if there are any, are a list of objects."""
    tools = value.get("tools", [])
    if not isinstance(tools, list):
        yield wrong_type("$.tools", tools, "a list")
    for path, tool in items_of(tools, "$.tools"):
        if not isinstance(tool, dict):
            yield wrong_type(path, tool, "an object")


def ends_with_assistant(value: Any) -> bool:
    """Whether a line without faults ends with the assistant's message."""
    return bool(value["messages"][-1]["role"] == "assistant")


def _openai_message(message: Any, path: str) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield wrong_type(path, message, "an object")
        return
    role = message.get("role")
    yield from check_keys(message, path, ("role",), tuple(message))
    if "role" in message and role not in _OPENAI_ROLES:
        yield Finding("unknown_role", f"{path}.role", f"is none of {', '.join(_OPENAI_ROLES)}", _ROLES_FIX)
    if role == "tool":
        yield from check_keys(message, path, ("tool_call_id",), tuple(message))
    content = message.get("content")
    calls = role == "assistant" and bool(message.get("tool_calls"))
    if content is None and calls:
        return
    if "content" not in message:
        yield Finding("missing_key", path, "the key `content` is missing")
    elif isinstance(content, list):
        yield from _parts(content, f"{path}.content")
    elif not (content == "" and role == "tool"):
        yield from check_text(content, f"{path}.content")


_ROLES_FIX = "Use one of these roles."


def _parts(parts: list[Any], path: str) -> Iterator[Finding]:
    if not parts:
        yield Finding("content_items", path, "has no parts", "Give the text.")
    for place, part in items_of(parts, path):
        if not isinstance(part, dict):
            yield wrong_type(place, part, "an object")
            continue
        yield from check_keys(part, place, ("type",), tuple(part))
        if part.get("type") == "text":
            yield from check_keys(part, place, ("text",), tuple(part))
            if "text" in part:
                yield from check_text(part["text"], f"{place}.text")


def _calls_answered(messages: list[Any]) -> Iterator[Finding]:
    """Tool messages answer a call that was made before."""
    made: set[str] = set()
    for path, message in items_of(messages, "$.messages"):
        if not isinstance(message, dict):
            continue
        for place, call in items_of(message.get("tool_calls"), f"{path}.tool_calls"):
            if not isinstance(call, dict) or not isinstance(call.get("id"), str):
                yield Finding("tool_id", place, "the call has no id")
            else:
                made.add(call["id"])
        asked = message.get("tool_call_id")
        if message.get("role") == "tool" and isinstance(asked, str) and asked not in made:
            yield Finding("tool_id", f"{path}.tool_call_id", "answers no call before it")
