"""Tools in the lines for Nova: calls, results, and the list of what is offered.

"toolConfig": {"tools": [{"toolSpec": {"name": "...", "description": "...", "inputSchema": {"json": {...}}}}]}
{"toolUse": {"toolUseId": "...", "name": "...", "input": {...}}}
{"toolResult": {"toolUseId": "...", "content": [{"text": "..."} or {"json": {...}}]}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logminer.validation.rules import Finding
from logminer.validation.values import check_keys, check_text, items_of, wrong_type


def check_tool_use(use: Any, path: str) -> Iterator[Finding]:
    """One call: its id, the tool's name and what it is given."""
    if not isinstance(use, dict):
        yield wrong_type(path, use, "an object")
        return
    yield from check_keys(use, path, ("toolUseId", "name", "input"))
    for key in ("toolUseId", "name"):
        if key in use:
            yield from check_text(use[key], f"{path}.{key}")
    if "input" in use and not isinstance(use["input"], dict):
        yield wrong_type(f"{path}.input", use["input"], "an object")


def check_tool_result(result: Any, path: str) -> Iterator[Finding]:
    """One result: the call's id, and items that each have a text or a JSON value."""
    if not isinstance(result, dict):
        yield wrong_type(path, result, "an object")
        return
    yield from check_keys(result, path, ("toolUseId", "content"), ("status",))
    if "toolUseId" in result:
        yield from check_text(result["toolUseId"], f"{path}.toolUseId")
    items = result.get("content", [])
    if not isinstance(items, list):
        yield wrong_type(f"{path}.content", items, "a list")
    for place, item in items_of(items, f"{path}.content"):
        if not isinstance(item, dict):
            yield wrong_type(place, item, "an object")
        elif len(item) != 1 or not item.keys() <= {"text", "json"}:
            yield Finding("content_items", place, "must have exactly one of text and json", _ONE_OF_BOTH)
        elif "text" in item and not isinstance(item["text"], str):
            yield wrong_type(f"{place}.text", item["text"], "a string")


_ONE_OF_BOTH = "Give one item for each."


def check_tool_ids(messages: Any) -> Iterator[Finding]:
    """Each call has an id of its own, and each result that of an earlier call, once."""
    open_calls: set[str] = set()
    seen: set[str] = set()
    for path, key, block in _blocks(messages):
        identifier = block.get("toolUseId")
        if not isinstance(identifier, str):
            continue
        if key == "toolUse":
            if identifier in seen:
                yield Finding("tool_id", f"{path}.toolUseId", "the id of another call")
            seen.add(identifier)
            open_calls.add(identifier)
        elif identifier in open_calls:
            open_calls.remove(identifier)
        else:
            yield Finding("tool_id", f"{path}.toolUseId", "answers no call before it")


def check_tool_names(config: Any, messages: Any, *, offered: bool) -> Iterator[Finding]:
    """The list of tools is well formed, and every tool that is called is in it."""
    names: set[str] = set()
    if offered:
        yield from _config(config, names)
    for path, key, block in _blocks(messages):
        name = block.get("name")
        if key == "toolUse" and isinstance(name, str) and name not in names:
            problem = "is not among the tools of toolConfig" if offered else "is called without a toolConfig"
            yield Finding("tool_name", f"{path}.name", problem)


def _config(config: Any, names: set[str]) -> Iterator[Finding]:
    """Check `toolConfig`, and add the names in it to `names`."""
    if not isinstance(config, dict):
        yield wrong_type("$.toolConfig", config, "an object")
        return
    yield from check_keys(config, "$.toolConfig", ("tools",), ("toolChoice",))
    tools = config.get("tools", [])
    if not isinstance(tools, list):
        yield wrong_type("$.toolConfig.tools", tools, "a list")
    for path, tool in items_of(tools, "$.toolConfig.tools"):
        spec = tool.get("toolSpec") if isinstance(tool, dict) else None
        if not isinstance(spec, dict):
            yield Finding("missing_key", path, "the key `toolSpec` with an object is missing")
            continue
        yield from check_keys(spec, f"{path}.toolSpec", ("name", "inputSchema"), ("description",))
        if "name" in spec:
            yield from check_text(spec["name"], f"{path}.toolSpec.name")
        if isinstance(spec.get("name"), str):
            if spec["name"] in names:
                yield Finding("tool_name", f"{path}.toolSpec.name", "the name of another tool")
            names.add(spec["name"])


def _blocks(messages: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All calls and results with their paths and keys, in order."""
    for path, message in items_of(messages, "$.messages"):
        content = message.get("content") if isinstance(message, dict) else None
        for place, item in items_of(content, f"{path}.content"):
            for key in ("toolUse", "toolResult"):
                block = item.get(key) if isinstance(item, dict) else None
                if isinstance(block, dict):
                    yield f"{place}.{key}", key, block
