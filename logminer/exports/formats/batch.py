"""`{"recordId", "modelInput"}`: batch inference, to have a model answer the prompts of a held-out set.

The body is that of a Converse request, for jobs with `modelInvocationType` Converse, or a model family's own for
InvokeModel. `recordId` is the record's pair_hash (prompt_hash for prompts alone), by which the store and an
export's sidecar know it, or the number of a converted line; results come back in any order. Logged limits and
sampling parameters are kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from logminer.errors import UsageError
from logminer.exports.converse_request import converse_request, inference_config, sampling_params
from logminer.exports.format import ExportFormat
from logminer.exports.formats.openai_chat import openai_messages, refuse_more_than_tools
from logminer.exports.texts import NOT_TEXT, text_turns
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair

# Anthropic's bodies need a limit. Where the log has none, this is room enough for an answer.
_DEFAULT_MAX_TOKENS = 4096

_Body = Callable[[PromptResponsePair], dict[str, Any]]


def _params(pair: PromptResponsePair, **names: str) -> dict[str, Any]:
    """The logged parameters by the names that a family has for them."""
    params = sampling_params(pair)
    return {own: params[name] for name, own in names.items() if name in params}


def _anthropic(pair: PromptResponsePair) -> dict[str, Any]:
    body: dict[str, Any] = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": sampling_params(pair).get("max_tokens", _DEFAULT_MAX_TOKENS),
    }
    if pair.system is not None:
        body["system"] = pair.system
    turns = text_turns(pair) or []
    body["messages"] = [
        {"role": turn.role, "content": [{"type": "text", "text": turn.text}]} for turn in turns
    ]
    names = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
    return body | _params(pair, **names, stop_sequences="stop_sequences")


def _nova(pair: PromptResponsePair) -> dict[str, Any]:
    body: dict[str, Any] = {"schemaVersion": "messages-v1"}
    if pair.system is not None:
        body["system"] = [{"text": pair.system}]
    body["messages"] = msgspec.Raw(pair.messages.encode())
    config = inference_config(pair)
    return body | ({"inferenceConfig": config} if config else {})


def _llama(pair: PromptResponsePair) -> dict[str, Any]:
    """A prompt in the template of Llama 3."""
    turns = [(turn.role, turn.text) for turn in text_turns(pair) or []]
    if pair.system is not None:
        turns.insert(0, ("system", pair.system))
    prompt = "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>" for role, text in [*turns]
    )
    prompt = f"<|begin_of_text|>{prompt}<|start_header_id|>assistant<|end_header_id|>\n\n"
    names = {"max_tokens": "max_gen_len", "temperature": "temperature", "top_p": "top_p"}
    return {"prompt": prompt, **_params(pair, **names)}


def _openai(pair: PromptResponsePair) -> dict[str, Any]:
    names = {"max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    messages = list(openai_messages(pair, answer=False))
    return {"messages": messages, **_params(pair, **names, stop_sequences="stop")}


_BODIES: dict[str, _Body] = {
    "anthropic": _anthropic,
    "converse": converse_request,
    "llama3": _llama,
    "nova": _nova,
    "openai": _openai,
}


def _write_line(pair: PromptResponsePair, body: _Body = converse_request) -> bytes:
    return encode_json({"recordId": _record_id(pair), "modelInput": body(pair)}) + b"\n"


def _record_id(pair: PromptResponsePair) -> str | None:
    """No two are alike: an export has each pair once, and lines of a converted file are told by their number."""
    if not pair.source_uri:
        return f"line{pair.source_position + 1}"
    return pair.pair_hash if pair.response is not None else pair.prompt_hash


def _make(options: Mapping[str, str]) -> ExportFormat:
    name = options["body"]
    if name not in _BODIES:
        raise UsageError(
            f"there is no body {name!r} of batch inference",
            where="--to",
            fix="Bodies are: " + ", ".join(_BODIES),
        )
    refuse = refuse_more_than_tools if name == "converse" else _refuse_more_than_text
    return dataclasses.replace(
        FORMAT, write_line=lambda pair: _write_line(pair, _BODIES[name]), refuse=refuse
    )


def _refuse_more_than_text(pair: PromptResponsePair) -> str | None:
    """Why a prompt does not fit; of the answer nothing is written."""
    return NOT_TEXT if text_turns(pair) is None else None


FORMAT = ExportFormat(
    name="batch",
    about="batch inference of the prompts, as Converse requests",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html",
    profile="batch",
    write_line=_write_line,
    prompts=True,
    refuse=refuse_more_than_tools,
    routes=("batch",),
    options={"body": "converse (the default), or anthropic, llama3, nova, openai for InvokeModel"},
    make=_make,
)
