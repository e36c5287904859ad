"""The table of body shapes: which bodies, stop reasons and models go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import templates
from bodies import (
    Body,
    JsonObject,
    anthropic_request,
    anthropic_response,
    anthropic_stream,
    chat_request,
    chat_response,
    chat_stream,
    choice_text_response,
    command_r_request,
    command_r_response,
    command_r_stream,
    command_response,
    command_stream,
    converse_request,
    converse_response,
    deepseek_response,
    deepseek_stream,
    event_stream,
    jurassic_response,
    legacy_request,
    legacy_response,
    legacy_stream,
    llama_response,
    llama_stream,
    mistral_response,
    mistral_stream,
    nova_request,
    nova_response,
    prompt_request,
    titan_request,
    titan_response,
    titan_stream,
)
from prose import Exchange


@dataclass(frozen=True, slots=True)
class Shape:
    """One body shape: `complete` and `truncated` are its stop reasons, `models` the ids it is seen with."""

    name: str
    operation: str
    models: tuple[str, ...]
    complete: str
    truncated: str
    request: Callable[[Exchange], Body]
    response: Callable[[Exchange, str], Body]


_INVOKE, _STREAM = "InvokeModel", "InvokeModelWithResponseStream"
_LLAMA_LIMITS = {"max_gen_len": 512, "temperature": 0.2, "top_p": 0.9}
_MISTRAL_LIMITS = {"max_tokens": 512, "temperature": 0.2}
CLAUDE = (
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "global.anthropic.claude-opus-4-6-v1",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
)
OLD_CLAUDE = ("anthropic.claude-v2:1", "anthropic.claude-instant-v1")
LLAMA = (
    "meta.llama3-1-405b-instruct-v1:0",
    "meta.llama3-1-70b-instruct-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "meta.llama3-1-8b-instruct-v1:0",
)
LLAMA4 = ("us.meta.llama4-maverick-17b-instruct-v1:0", "us.meta.llama4-scout-17b-instruct-v1:0")
NOVA = (
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-premier-v1:0",
    "amazon.nova-lite-v1:0",
    "amazon.nova-micro-v1:0",
)
OPENAI = (
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
    "google.gemma-3-27b-it",
    "minimax.minimax-m2",
    "moonshot.kimi-k2-thinking",
    "nvidia.nemotron-nano-12b-v2",
    "zai.glm-4.7",
    "us.writer.palmyra-x5-v1:0",
    "deepseek.v3-v1:0",
)
_IMPORTED = "arn:aws:bedrock:us-east-1:111122223333:imported-model/"

_llama3 = partial(prompt_request, templates.llama3, _LLAMA_LIMITS)
_instruct = partial(prompt_request, templates.mistral, _MISTRAL_LIMITS)
_command = partial(
    prompt_request, templates.plain, {"max_tokens": 400, "p": 0.75, "return_likelihoods": "NONE"}
)
_r1 = partial(prompt_request, templates.deepseek, {"max_tokens": 2048, "temperature": 0.6})
_mistral_chat = partial(chat_request, "max_tokens", "system")
_openai_chat = partial(chat_request, "max_completion_tokens", "system")
_developer_chat = partial(chat_request, "max_completion_tokens", "developer")
_finish, _stop = partial(chat_response, "finish_reason"), partial(chat_response, "stop_reason")
_finish_stream = partial(chat_stream, "finish_reason")


def _with_template(template: templates.Template, extra: JsonObject) -> Callable[[Exchange], Body]:
    return partial(prompt_request, template, extra)


_TABLE: Sequence[Shape] = (
    Shape(
        "converse",
        "Converse",
        (*CLAUDE, *NOVA, *LLAMA),
        "end_turn",
        "max_tokens",
        converse_request,
        converse_response,
    ),
    Shape(
        "converse_stream",
        "ConverseStream",
        (*CLAUDE, *NOVA, *LLAMA),
        "end_turn",
        "max_tokens",
        converse_request,
        converse_response,
    ),
    Shape(
        "converse_stream_events",
        "ConverseStream",
        (NOVA[0],),
        "end_turn",
        "max_tokens",
        converse_request,
        event_stream,
    ),
    Shape("nova", _INVOKE, NOVA, "end_turn", "max_tokens", nova_request, nova_response),
    Shape("nova_stream", _STREAM, NOVA, "end_turn", "max_tokens", nova_request, event_stream),
    Shape("anthropic", _INVOKE, CLAUDE, "end_turn", "max_tokens", anthropic_request, anthropic_response),
    Shape("anthropic_stream", _STREAM, CLAUDE, "end_turn", "max_tokens", anthropic_request, anthropic_stream),
    Shape(
        "anthropic_legacy",
        _INVOKE,
        OLD_CLAUDE,
        "stop_sequence",
        "max_tokens",
        legacy_request,
        legacy_response,
    ),
    Shape(
        "anthropic_legacy_stream",
        _STREAM,
        OLD_CLAUDE,
        "stop_sequence",
        "max_tokens",
        legacy_request,
        legacy_stream,
    ),
    Shape("llama", _INVOKE, LLAMA, "stop", "length", _llama3, llama_response),
    Shape("llama_stream", _STREAM, LLAMA, "stop", "length", _llama3, llama_stream),
    Shape(
        "llama4",
        _INVOKE,
        LLAMA4,
        "stop",
        "length",
        _with_template(templates.llama4, _LLAMA_LIMITS),
        llama_response,
    ),
    Shape(
        "llama2",
        _INVOKE,
        ("meta.llama2-70b-chat-v1",),
        "stop",
        "length",
        _with_template(templates.llama2, _LLAMA_LIMITS),
        llama_response,
    ),
    Shape(
        "titan",
        _INVOKE,
        ("amazon.titan-text-express-v1", "amazon.titan-text-premier-v1:0"),
        "FINISHED",
        "LENGTH",
        titan_request,
        titan_response,
    ),
    Shape(
        "titan_stream",
        _STREAM,
        ("amazon.titan-text-express-v1",),
        "FINISH",
        "LENGTH",
        titan_request,
        titan_stream,
    ),
    Shape(
        "mistral_text",
        _INVOKE,
        ("mistral.mixtral-8x7b-instruct-v0:1", "mistral.mistral-7b-instruct-v0:2"),
        "stop",
        "length",
        _instruct,
        mistral_response,
    ),
    Shape(
        "mistral_text_stream",
        _STREAM,
        ("mistral.mixtral-8x7b-instruct-v0:1",),
        "stop",
        "length",
        _instruct,
        mistral_stream,
    ),
    Shape(
        "mistral_chat", _INVOKE, ("mistral.mistral-large-2407-v1:0",), "stop", "length", _mistral_chat, _stop
    ),
    Shape(
        "mistral_chat_stream",
        _STREAM,
        ("mistral.mistral-large-2407-v1:0",),
        "stop",
        "length",
        _mistral_chat,
        partial(chat_stream, "stop_reason"),
    ),
    Shape(
        "cohere_command",
        _INVOKE,
        ("cohere.command-text-v14", "cohere.command-light-text-v14"),
        "COMPLETE",
        "MAX_TOKENS",
        _command,
        command_response,
    ),
    Shape(
        "cohere_command_stream",
        _STREAM,
        ("cohere.command-text-v14",),
        "COMPLETE",
        "MAX_TOKENS",
        _command,
        command_stream,
    ),
    Shape(
        "cohere_command_r",
        _INVOKE,
        ("cohere.command-r-plus-v1:0", "cohere.command-r-v1:0"),
        "COMPLETE",
        "MAX_TOKENS",
        command_r_request,
        command_r_response,
    ),
    Shape(
        "cohere_command_r_stream",
        _STREAM,
        ("cohere.command-r-plus-v1:0",),
        "COMPLETE",
        "MAX_TOKENS",
        command_r_request,
        command_r_stream,
    ),
    Shape(
        "ai21_j2",
        _INVOKE,
        ("ai21.j2-ultra-v1", "ai21.j2-mid-v1"),
        "endoftext",
        "length",
        _with_template(templates.plain, {"maxTokens": 300, "stopSequences": []}),
        jurassic_response,
    ),
    Shape("ai21_jamba", _INVOKE, ("ai21.jamba-1-5-large-v1:0",), "stop", "length", _mistral_chat, _finish),
    Shape(
        "ai21_jamba_stream",
        _STREAM,
        ("ai21.jamba-1-5-large-v1:0",),
        "stop",
        "length",
        _mistral_chat,
        _finish_stream,
    ),
    Shape("deepseek_r1", _INVOKE, ("us.deepseek.r1-v1:0",), "stop", "length", _r1, deepseek_response),
    Shape("deepseek_r1_stream", _STREAM, ("us.deepseek.r1-v1:0",), "stop", "length", _r1, deepseek_stream),
    Shape("openai_chat", _INVOKE, OPENAI, "stop", "length", _openai_chat, _finish),
    Shape("openai_chat_developer", _INVOKE, OPENAI[:1], "stop", "length", _developer_chat, _finish),
    Shape("openai_chat_stream", _STREAM, OPENAI, "stop", "length", _openai_chat, _finish_stream),
    Shape(
        "openai_text_harmony",
        _INVOKE,
        (f"{_IMPORTED}h4rm0nyoss20",),
        "stop",
        "length",
        _with_template(templates.harmony, {"max_tokens": 700}),
        partial(choice_text_response, "finish_reason"),
    ),
    Shape(
        "openai_text_gemma",
        _INVOKE,
        (f"{_IMPORTED}g3mmaimport1",),
        "stop",
        "length",
        _with_template(templates.gemma, {"max_tokens": 700}),
        partial(choice_text_response, "finish_reason"),
    ),
    Shape(
        "imported_chatml",
        _INVOKE,
        (f"{_IMPORTED}qw3nimport01",),
        "stop",
        "length",
        _with_template(templates.chatml, _LLAMA_LIMITS),
        llama_response,
    ),
)
SHAPES = {shape.name: shape for shape in _TABLE}
