"""Pairs as the body of a Converse request, which every text model of Bedrock takes.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from logminer.json_text import json_value
from logminer.pairs import PromptResponsePair

_MAX_STOP_SEQUENCES = 2500


def converse_request(pair: PromptResponsePair) -> dict[str, Any]:
    """`messages`, `system`, `inferenceConfig` and `toolConfig`, in this order; what is empty is left out.

    The messages are in Converse's form already, and stay as they are.
    """
    request: dict[str, Any] = {"messages": msgspec.Raw(pair.messages.encode())}
    if pair.system is not None:
        request["system"] = [{"text": pair.system}]
    config = inference_config(pair)
    if config:
        request["inferenceConfig"] = config
    tools = tool_specs(pair)
    if tools:
        request["toolConfig"] = {"tools": tools}
    return request


def sampling_params(pair: PromptResponsePair) -> dict[str, Any]:
    """What the call was made with, in the store's spelling, as far as it can be meant.

    max_tokens and top_k are whole numbers, temperature and top_p numbers, stop_sequences a list of texts.
    """
    logged = json_value(pair.params.encode()) if pair.params is not None else {}
    params: dict[str, Any] = {}
    for name, bounds in _BOUNDS.items():
        value: Any = logged.get(name)
        if type(value) in bounds.types and bounds.least <= value <= bounds.most:
            params[name] = value
    stops = logged.get("stop_sequences")
    texts = [stop for stop in stops if isinstance(stop, str) and stop] if isinstance(stops, list) else []
    return params | ({"stop_sequences": texts[:_MAX_STOP_SEQUENCES]} if texts else {})


class _Bounds(NamedTuple):
    types: tuple[type, ...]
    least: float
    most: float


_BOUNDS = {
    "max_tokens": _Bounds((int,), 1, 2**31 - 1),
    "temperature": _Bounds((int, float), 0, 2),
    "top_p": _Bounds((int, float), 0, 1),
    "top_k": _Bounds((int,), 0, 2**31 - 1),
}
_CONVERSE_NAMES = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
_MAX_CONVERSE_TEMPERATURE = 1


def inference_config(pair: PromptResponsePair) -> dict[str, Any]:
    """`inferenceConfig`; a temperature that only other families know is left out."""
    params = sampling_params(pair)
    if params.get("temperature", 0) > _MAX_CONVERSE_TEMPERATURE:
        del params["temperature"]
    return {own: params[name] for name, own in _CONVERSE_NAMES.items() if name in params}


def tool_specs(pair: PromptResponsePair) -> list[dict[str, Any]]:
    """The offered tools as `{"toolSpec": ...}`; what the service brings itself is left out."""
    tools = json_value(pair.tools.encode()) if pair.tools is not None else []
    assert isinstance(tools, list)
    return [
        {"toolSpec": tool["toolSpec"]}
        for tool in tools
        if isinstance(tool, dict) and isinstance(tool.get("toolSpec"), dict)
    ]
