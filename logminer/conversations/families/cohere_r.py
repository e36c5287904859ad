"""Cohere Command R and R+: `message` and `chat_history` in, `text` out.

Documents to answer from and tool results stand beside the message. A stream is a list of events; its
`stream-end` repeats the whole answer in `response`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.conversations.families.cohere_command import without_end_token
from logminer.conversations.params import collect_params, raw_value, tool_spec
from logminer.conversations.parts import Answer, Block, Content, Prompt, Turn
from logminer.conversations.shapes import BodyShape, RequestShape, ResponseShape, StreamShape

_ROLES = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "user"}


class _Turn(msgspec.Struct, gc=False):
    role: str | None = None
    message: str | None = None
    tool_calls: msgspec.Raw | None = None
    tool_results: msgspec.Raw | None = None


class _Request(msgspec.Struct, gc=False):
    message: str | None = None
    chat_history: list[_Turn] | None = None
    preamble: str | None = None
    documents: msgspec.Raw | None = None
    tools: msgspec.Raw | None = None
    tool_results: msgspec.Raw | None = None
    max_tokens: int | float | None = None
    temperature: int | float | None = None
    p: int | float | None = None
    k: int | float | None = None
    stop_sequences: list[str] | None = None
    response_format: msgspec.Raw | None = None


class _Response(msgspec.Struct, gc=False):
    text: str | None = None
    response_id: str | None = None
    generation_id: str | None = None
    finish_reason: str | None = None
    tool_calls: msgspec.Raw | None = None


class _Chunk(msgspec.Struct, gc=False):
    event_type: str | None = None
    text: str | None = None
    finish_reason: str | None = None
    tool_calls: msgspec.Raw | None = None
    response: _Response | None = None


# --- the request --------------------------------------------------------------------------------------------


def document_blocks(documents: Any) -> list[Content]:
    """Documents to answer from, each a string or an object of named strings, as text documents."""
    if not isinstance(documents, list):
        return []
    return [Block("document", {"source": {"text": _document_text(document)}}) for document in documents]


def _document_text(document: Any) -> str:
    if isinstance(document, dict):
        return "\n".join(f"{name}: {text}" for name, text in document.items() if isinstance(text, str))
    return document if isinstance(document, str) else ""


def _accepts_request(body: _Request) -> bool:
    return body.message is not None


def _read_request(body: _Request) -> Prompt:
    results = _tool_results(raw_value(body.tool_results))
    # With tool results the message may be empty: the question then is in the history.
    text: list[Content] = [body.message] if body.message or not results else []  # type: ignore[list-item]
    last = Turn("user", [*results, *document_blocks(raw_value(body.documents)), *text])
    return Prompt(
        turns=[*(_read_turn(turn) for turn in body.chat_history or ()), last],
        system=[body.preamble] if body.preamble is not None else [],
        tools=_tools(raw_value(body.tools)),
        params=collect_params(
            max_tokens=body.max_tokens,
            temperature=body.temperature,
            top_p=body.p,
            top_k=body.k,
            stop_sequences=body.stop_sequences,
            response_schema=raw_value(body.response_format),
        ),
    )


def _read_turn(turn: _Turn) -> Turn:
    role = _ROLES.get((turn.role or "").upper(), turn.role or "")
    blocks = [*_tool_results(raw_value(turn.tool_results)), *_tool_calls(raw_value(turn.tool_calls))]
    if turn.message or not blocks:
        return Turn(role, [turn.message or "", *blocks])
    return Turn(role, blocks)


def _tools(tools: Any) -> list[Any] | None:
    if not isinstance(tools, list):
        return None
    return [
        tool_spec(tool.get("name"), tool.get("description"), tool.get("parameter_definitions"))
        for tool in tools
        if isinstance(tool, dict)
    ]


def _tool_results(results: Any) -> list[Content]:
    if not isinstance(results, list):
        return []
    return [
        Block("toolResult", {"content": [{"json": output} for output in _outputs(result)]})
        for result in results
    ]


def _outputs(result: Any) -> list[Any]:
    outputs = result.get("outputs") if isinstance(result, dict) else None
    return outputs if isinstance(outputs, list) else []


def _tool_calls(calls: Any) -> list[Content]:
    """Tool calls; Cohere's have no ids."""
    if not isinstance(calls, list):
        return []
    return [
        Block("toolUse", {"name": call.get("name"), "input": call.get("parameters") or {}})
        for call in calls
        if isinstance(call, dict)
    ]


# --- the answer ---------------------------------------------------------------------------------------------


def _accepts_response(body: _Response) -> bool:
    return body.text is not None and (body.response_id is not None or body.generation_id is not None)


def _read_response(body: _Response) -> Answer:
    return Answer(content=_content(body), stop_reason=body.finish_reason)


def _content(body: _Response) -> list[Content]:
    calls = _tool_calls(raw_value(body.tool_calls))
    return [without_end_token(body.text), *calls] if body.text else calls


def _accepts_stream(chunks: list[_Chunk]) -> bool:
    return any(chunk.event_type is not None for chunk in chunks)


def _read_stream(chunks: list[_Chunk]) -> Answer:
    text = without_end_token("".join(c.text or "" for c in chunks if c.event_type == "text-generation"))
    calls = [call for chunk in chunks for call in _tool_calls(raw_value(chunk.tool_calls))]
    end = next((chunk for chunk in reversed(chunks) if chunk.event_type == "stream-end"), None)
    content: list[Content] = [text, *calls] if text else calls
    if not content and end is not None and end.response is not None:
        content = _content(end.response)
    stop_reason = end.finish_reason if end is not None else None
    return Answer(content=content, stop_reason=stop_reason, ended=stop_reason is not None)


SHAPE = BodyShape(
    name="cohere_r",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html",
    rank=40,
    models=("cohere.command-r-v1:0", "cohere.command-r-plus-v1:0"),
    request=RequestShape(_Request, _accepts_request, _read_request),
    response=ResponseShape(_Response, _accepts_response, _read_response),
    stream=StreamShape(_Chunk, _accepts_stream, _read_stream),
)
