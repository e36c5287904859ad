"""Request and response bodies of each model family, as `InvokeModel` and `Converse` calls log them.

Streamed `InvokeModel` answers are logged as a list of chunks
whose last one carries `amazon-bedrock-invocationMetrics`; streamed Converse answers are logged merged.
Sources: the pages under https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import Any

import templates
from prose import Exchange

Body = Any
JsonObject = dict[str, Any]


def latency_ms(exchange: Exchange) -> int:
    """Milliseconds that an answer of this length takes."""
    return 240 + 11 * exchange.output_tokens


def invocation_metrics(exchange: Exchange) -> JsonObject:
    """What Bedrock adds to the last chunk of a stream."""
    return {
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": exchange.input_tokens,
            "outputTokenCount": exchange.output_tokens,
            "invocationLatency": latency_ms(exchange),
            "firstByteLatency": 231,
        }
    }


def pieces(text: str, words: int = 6) -> list[str]:
    """`text` cut into fragments of a few words, as streams deliver it; joined they are `text` again."""
    parts = re.findall(r"\s*\S+\s*", text) or [text]
    return ["".join(parts[start : start + words]) for start in range(0, len(parts), words)]


# Converse, Nova


def converse_request(exchange: Exchange) -> JsonObject:
    """The request of Converse and ConverseStream."""
    body: JsonObject = {"messages": [message(role, text) for role, text in exchange.turns]}
    if exchange.system:
        body["system"] = [{"text": exchange.system}]
    return body | {"inferenceConfig": {"maxTokens": 1024, "temperature": 0.2, "topP": 0.9}}


def message(role: str, text: str) -> JsonObject:
    """A Converse message of one text block."""
    return {"role": role, "content": [{"text": text}]}


def converse_response(exchange: Exchange, stop: str) -> JsonObject:
    """The response of Converse; ConverseStream is logged in the same form."""
    return {
        "output": {"message": message("assistant", exchange.answer)},
        "stopReason": stop,
        "usage": _usage(exchange, "inputTokens", "outputTokens", "totalTokens"),
        "metrics": {"latencyMs": latency_ms(exchange)},
    }


def _usage(exchange: Exchange, asked: str, answered: str, total: str) -> dict[str, int]:
    both = exchange.input_tokens + exchange.output_tokens
    return {asked: exchange.input_tokens, answered: exchange.output_tokens, total: both}


def nova_request(exchange: Exchange) -> JsonObject:
    """Nova's own request: Converse messages with a schema version."""
    body = converse_request(exchange)
    return {"schemaVersion": "messages-v1"} | body | {"inferenceConfig": {"max_new_tokens": 800, "topP": 0.9}}


def nova_response(exchange: Exchange, stop: str) -> JsonObject:
    """Nova's own response: Converse's without metrics."""
    body = converse_response(exchange, stop)
    del body["metrics"]
    return body


def event_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Stream events in Converse's words; Nova's `InvokeModel` streams use them."""
    deltas = [
        {"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": 0}}
        for piece in pieces(exchange.answer)
    ]
    usage = _usage(exchange, "inputTokens", "outputTokens", "totalTokens")
    return [
        {"messageStart": {"role": "assistant"}},
        *deltas,
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": stop}},
        {"metadata": {"usage": usage, "metrics": {}}} | invocation_metrics(exchange),
    ]


# Anthropic


def anthropic_request(exchange: Exchange) -> JsonObject:
    """The Messages API; content is a string or a list of blocks, and both are common."""
    as_blocks = len(exchange.turns) > 1
    body: JsonObject = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 1024,
        "messages": [
            {"role": role, "content": [{"type": "text", "text": text}] if as_blocks else text}
            for role, text in exchange.turns
        ],
        "temperature": 0.2,
    }
    return body | ({"system": exchange.system} if exchange.system else {})


def anthropic_response(exchange: Exchange, stop: str) -> JsonObject:
    """The Messages API's answer."""
    return {
        "id": f"msg_bdrk_01{zlib.crc32(exchange.answer.encode()):08x}",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": exchange.answer}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": exchange.input_tokens, "output_tokens": exchange.output_tokens},
    }


def anthropic_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """The Messages API's event list."""
    start = anthropic_response(exchange, stop) | {"content": [], "stop_reason": None}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces(exchange.answer)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": exchange.output_tokens},
        },
        {"type": "message_stop"} | invocation_metrics(exchange),
    ]


def legacy_request(exchange: Exchange) -> JsonObject:
    """Text completions of old Claude models."""
    prompt = templates.human_assistant(exchange.system, exchange.turns)
    return {
        "prompt": prompt,
        "max_tokens_to_sample": 1000,
        "stop_sequences": ["\n\nHuman:"],
        "temperature": 0.5,
    }


def legacy_response(exchange: Exchange, stop: str) -> JsonObject:
    """The completion, with the blank that old Claude models start with."""
    return {
        "type": "completion",
        "completion": f" {exchange.answer}",
        "stop_reason": stop,
        "stop": "\n\nHuman:" if stop == "stop_sequence" else None,
    }


def legacy_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Completion fragments; the last one is empty and has the stop reason."""
    fragments = [
        {"type": "completion", "completion": p, "stop_reason": None, "stop": None}
        for p in pieces(f" {exchange.answer}")
    ]
    last = legacy_response(exchange, stop) | {"completion": ""}
    return [*fragments, last | invocation_metrics(exchange)]


# Prompt in, text out


def prompt_request(template: templates.Template, extra: JsonObject, exchange: Exchange) -> JsonObject:
    """A `prompt` string in some template, with the family's own limits."""
    return {"prompt": template(exchange.system, exchange.turns)} | extra


def llama_response(exchange: Exchange, stop: str) -> JsonObject:
    """Meta Llama."""
    return {
        "generation": exchange.answer,
        "prompt_token_count": exchange.input_tokens,
        "generation_token_count": exchange.output_tokens,
        "stop_reason": stop,
    }


def llama_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Meta Llama fragments; only the last has a stop reason."""
    empty = {"generation": "", "prompt_token_count": None, "generation_token_count": 1, "stop_reason": None}
    fragments = [empty | {"generation": piece} for piece in pieces(exchange.answer)]
    return [*fragments, empty | {"stop_reason": stop} | invocation_metrics(exchange)]


def titan_request(exchange: Exchange) -> JsonObject:
    """Titan Text: `User:` and `Bot:` for conversations, the bare text otherwise."""
    template = templates.user_bot if len(exchange.turns) > 1 or exchange.system else templates.plain
    config = {"maxTokenCount": 512, "stopSequences": ["User:"], "temperature": 0.3, "topP": 0.9}
    return {"inputText": template(exchange.system, exchange.turns), "textGenerationConfig": config}


def titan_response(exchange: Exchange, stop: str) -> JsonObject:
    """Titan Text."""
    result = {"tokenCount": exchange.output_tokens, "outputText": exchange.answer, "completionReason": stop}
    return {"inputTextTokenCount": exchange.input_tokens, "results": [result]}


def titan_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Titan chunks; here the service writes FINISH where the whole response has FINISHED."""
    whole = pieces(exchange.answer, words=40)
    chunks: list[JsonObject] = [
        {
            "outputText": piece,
            "index": 0,
            "totalOutputTextTokenCount": None,
            "completionReason": None,
            "inputTextTokenCount": exchange.input_tokens,
        }
        for piece in whole
    ]
    final = {"completionReason": stop, "totalOutputTextTokenCount": exchange.output_tokens}
    return [*chunks[:-1], chunks[-1] | final | invocation_metrics(exchange)]


def mistral_response(exchange: Exchange, stop: str) -> JsonObject:
    """Mistral text models."""
    return {"outputs": [{"text": exchange.answer, "stop_reason": stop}]}


def mistral_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Mistral text fragments."""
    fragments = [{"outputs": [{"text": piece, "stop_reason": None}]} for piece in pieces(exchange.answer)]
    return [*fragments, {"outputs": [{"text": "", "stop_reason": stop}]} | invocation_metrics(exchange)]


def command_response(exchange: Exchange, stop: str) -> JsonObject:
    """Cohere Command."""
    generation = {"id": "gen-0", "text": f" {exchange.answer}", "finish_reason": stop}
    return {"id": "cmd-0", "prompt": "", "generations": [generation]}


def command_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Cohere Command fragments; the last text can be the literal end token."""
    fragments = [{"text": piece, "is_finished": False, "index": 0} for piece in pieces(exchange.answer)]
    final = {"text": "<EOS_TOKEN>", "is_finished": True, "finish_reason": stop, "index": 0}
    return [*fragments, final | invocation_metrics(exchange)]


def jurassic_response(exchange: Exchange, stop: str) -> JsonObject:
    """AI21 Jurassic-2."""
    completion = {"data": {"text": exchange.answer, "tokens": []}, "finishReason": {"reason": stop}}
    return {"id": 1234, "prompt": {"text": "", "tokens": []}, "completions": [completion]}


def choice_text_response(stop_key: str, exchange: Exchange, stop: str) -> JsonObject:
    """Text completions with `choices`: DeepSeek R1, gpt-oss, imported models."""
    return {"choices": [{"index": 0, "text": exchange.answer, stop_key: stop}]}


def choice_text_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Fragments of text completions."""
    fragments = [{"choices": [{"text": piece, "stop_reason": None}]} for piece in pieces(exchange.answer)]
    return [*fragments, {"choices": [{"text": "", "stop_reason": stop}]} | invocation_metrics(exchange)]


def deepseek_response(exchange: Exchange, stop: str) -> JsonObject:
    """DeepSeek R1: reasoning first; its opening tag stands in the prompt, only the closing one here."""
    return choice_text_response("stop_reason", _reasoned(exchange), stop)


def deepseek_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """DeepSeek R1 fragments, reasoning included."""
    return choice_text_stream(_reasoned(exchange), stop)


def _reasoned(exchange: Exchange) -> Exchange:
    thought = "The request is clear. I should name the reference, answer each point in turn and stay brief."
    return replace(exchange, answer=f"{thought}\n</think>\n\n{exchange.answer}")


# Chat with choices: Mistral, Jamba, OpenAI style


def chat_request(limit: str, system_role: str, exchange: Exchange) -> JsonObject:
    """A list of role and string content; `limit` is the family's name for the token limit."""
    turns = [(system_role, exchange.system), *exchange.turns] if exchange.system else exchange.turns
    return {
        "messages": [{"role": role, "content": text} for role, text in turns],
        limit: 900,
        "temperature": 0.3,
    }


def chat_response(stop_key: str, exchange: Exchange, stop: str) -> JsonObject:
    """`choices` with messages; the stop key is `stop_reason` in Mistral's documents, else `finish_reason`."""
    answer = {"role": "assistant", "content": exchange.answer}
    usage = _usage(exchange, "prompt_tokens", "completion_tokens", "total_tokens")
    return {"id": "chatcmpl-0", "choices": [{"index": 0, "message": answer, stop_key: stop}], "usage": usage}


def chat_stream(stop_key: str, exchange: Exchange, stop: str) -> list[JsonObject]:
    """Deltas; the role comes first and the stop reason last."""

    def chunk(delta: JsonObject, reason: str | None) -> JsonObject:
        return {"id": "chatcmpl-0", "choices": [{"index": 0, "delta": delta, stop_key: reason}]}

    fragments = [chunk({"content": piece}, None) for piece in pieces(exchange.answer)]
    final = chunk({}, stop) | invocation_metrics(exchange)
    return [chunk({"role": "assistant", "content": ""}, None), *fragments, final]


def command_r_request(exchange: Exchange) -> JsonObject:
    """Cohere Command R: the last turn is `message`, earlier ones are `chat_history`."""
    names = {"user": "USER", "assistant": "CHATBOT"}
    body: JsonObject = {"message": exchange.question, "max_tokens": 700, "temperature": 0.3}
    if len(exchange.turns) > 1:
        body["chat_history"] = [{"role": names[role], "message": text} for role, text in exchange.turns[:-1]]
    return body | ({"preamble": exchange.system} if exchange.system else {})


def command_r_response(exchange: Exchange, stop: str) -> JsonObject:
    """Cohere Command R."""
    return {"response_id": "resp-0", "generation_id": "gen-0", "text": exchange.answer, "finish_reason": stop}


def command_r_stream(exchange: Exchange, stop: str) -> list[JsonObject]:
    """Command R events; `stream-end` repeats the whole answer."""
    start = {"event_type": "stream-start", "generation_id": "gen-0", "is_finished": False}
    fragments = [
        {"event_type": "text-generation", "text": piece, "is_finished": False}
        for piece in pieces(exchange.answer)
    ]
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": stop}
    whole = command_r_response(exchange, stop)
    return [start, *fragments, end | {"response": whole} | invocation_metrics(exchange)]
