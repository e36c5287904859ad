"""One spelling of sampling parameters and limits for all families, and of the tools they offer."""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.json_text import json_value

_NULL = msgspec.Raw(b"null")


def collect_params(**params: Any) -> dict[str, Any]:
    """The parameters that were set. Names: max_tokens, temperature, top_p, top_k, stop_sequences,
    response_schema, tool_choice, n.
    """
    return {name: value for name, value in params.items() if value or (value is not None and value != [])}


def tool_spec(name: object, description: object, schema: object) -> dict[str, Any]:
    """A tool as Converse's `{"toolSpec": ...}`; parts that were not given are left out.

    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
    """
    spec: dict[str, Any] = {"name": name if isinstance(name, str) else ""}
    if isinstance(description, str):
        spec["description"] = description
    if schema is not None:
        spec["inputSchema"] = {"json": schema}
    return {"toolSpec": spec}


def stop_list(stop: str | list[str] | None) -> list[str] | None:
    """Stop sequences as a list; some families also take a single one as a bare string."""
    return [stop] if isinstance(stop, str) else stop


def is_given(raw: msgspec.Raw | None) -> bool:
    """Whether a raw member is there and not null."""
    return raw is not None and raw != _NULL


def raw_value(raw: msgspec.Raw | None) -> Any:
    """The plain value of a raw member, None where it is absent or null. Raises what `json_value` raises."""
    return json_value(raw) if raw is not None else None
