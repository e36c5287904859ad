"""Lines of existing training files as pairs: the formats are told apart by the shape of the line.

Read are `{"prompt", "completion"}`, evaluation's `{"prompt", "referenceResponse"}`, OpenAI chat messages (with a
`reference_answer` too), Anthropic's `{"system", "messages"}`, and bedrock-conversation-2024 with Nova's tools and
reasoning. Every one goes through the normal form of logged prompts: system turns become the system prompt,
neighbouring turns of one role one turn. A last assistant turn is the answer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import msgspec

from logminer.conversations.families import anthropic_messages, converse, openai_chat
from logminer.conversations.parts import Block, Content, Prompt, Turn
from logminer.conversations.prompt_form import NormalPrompt, converse_block, join_texts, normal_prompt
from logminer.conversations.service_fields import ServiceFields
from logminer.conversations.shapes import merge_body_types
from logminer.json_text import encode_canonical_json, encode_json, json_value
from logminer.pairs import PromptResponsePair, pair_hashes


class BadLine(Exception):  # noqa: N818 - a finding about input, counted or turned into an error
    """A line that is no pair: `reason` says why, without any text of it, `fix` what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        self.reason, self.fix = reason, fix
        super().__init__(reason)


class _Read(msgspec.Struct, gc=False):
    """A line as a prompt and the contents of its answer; None where it has none."""

    prompt: Prompt
    answer: list[Content] | None
    reasoning: str | None = None


_FORMATS = (
    "Lines have prompt and completion, or messages as of OpenAI, Anthropic or bedrock-conversation-2024."
)
_MEND = "Mend the line, or leave such lines out with --skip-bad."


def read_training_line(line: bytes, position: int, *, model: str | None = None) -> PromptResponsePair:
    """One line as a pair, with `model` as the one that answered. Raises BadLine."""
    value = _decode(line)
    read = _read_flat(value) if "prompt" in value else _read_messages(value)
    normal = normal_prompt(read.prompt)
    _check_prompt(normal)
    return _pair(normal, read, position, model)


def _decode(line: bytes) -> dict[str, Any]:
    try:
        value = json_value(line)
    except UnicodeDecodeError as error:
        raise BadLine("is not UTF-8", "Save the file as UTF-8.") from error
    except RecursionError as error:
        raise BadLine("is nested too deep", _MEND) from error
    except ValueError as error:
        raise BadLine("is not JSON", "Each line is one whole JSON object.") from error
    if not isinstance(value, dict):
        raise BadLine("is JSON, but no object", "Each line is one whole JSON object.")
    return value


def _read_flat(value: dict[str, Any]) -> _Read:
    prompt = value["prompt"]
    answer = value.get("completion", value.get("referenceResponse"))
    system = value.get("system")
    if not isinstance(prompt, str):
        raise BadLine('has a "prompt" that is no text', _MEND)
    if not isinstance(answer, str | None):
        raise BadLine('has a "completion" that is no text', _MEND)
    if not isinstance(system, str | None):
        raise BadLine('has a "system" that is no text', _MEND)
    return _Read(
        Prompt(turns=[Turn("user", [prompt])], system=[system] if system is not None else []),
        [answer] if answer is not None else None,
    )


# --- messages -----------------------------------------------------------------------------------------------


_INDEX = re.compile(r"\[[0-9]+\]")

# The request bodies that training formats are made after, in the order in which they are asked.
_SHAPES = sorted((anthropic_messages.SHAPE, converse.SHAPE, openai_chat.SHAPE), key=lambda shape: shape.rank)


@functools.cache
def _decode_body() -> Callable[[bytes], Any]:
    types = merge_body_types(_SHAPES, every_response=ServiceFields)
    return msgspec.json.Decoder(types.request).decode


def _read_messages(value: dict[str, Any]) -> _Read:
    if "messages" not in value:
        raise BadLine('has neither "prompt" nor "messages"', _FORMATS)
    try:
        # What stands twice in the line, or is half a character, is settled in `value`.
        body = _decode_body()(encode_json(value))
    except msgspec.ValidationError as error:
        place = _INDEX.sub("[…]", str(error).rpartition(" - at ")[2]).strip("`")
        raise BadLine(f"has messages of no known form, at {place}", _FORMATS) from error
    for shape in _SHAPES:
        assert shape.request is not None
        if shape.request.accepts(body):
            read = _split_answer(shape.request.read(body), value)
            if shape is converse.SHAPE and body.messages:
                read.reasoning = _reasoning(body.messages[-1])
            return read
    raise BadLine("has no messages", _FORMATS)


def _split_answer(prompt: Prompt, value: dict[str, Any]) -> _Read:
    """The last assistant turns are the answer, or what stands beside the messages."""
    turns = list(prompt.turns)
    answer: list[Content] = []
    while turns and turns[-1].role == "assistant":
        answer = [*turns.pop().content, *answer]
    prompt.turns = turns
    reference = value.get("reference_answer")
    if isinstance(reference, str) and not answer:
        return _Read(prompt, [reference])
    return _Read(prompt, answer or None)


def _reasoning(message: converse.ConverseMessage) -> str | None:
    """The reasoning of an answer in Converse's form, which is no part of its content."""
    texts = converse.read_message_content(message)[1] if message.role == "assistant" else []
    return "\n\n".join(texts) or None


# --- checks and the pair ------------------------------------------------------------------------------------

_PROBLEMS = {
    "unknown_role": "has a message whose role is not user, assistant, system or tool",
    "unknown_block": "has content of an unknown kind",
    "blank_turn": "has a turn without text",
    "starts_with_assistant": "does not begin with a user's turn",
}


def _check_prompt(normal: NormalPrompt) -> None:
    for detail, problem in _PROBLEMS.items():
        if detail in normal.details:
            raise BadLine(problem, _MEND)
    if not normal.turns:
        raise BadLine("has no user's turn", _MEND)
    if normal.has_media:
        raise BadLine("holds media, and only text and tools can be converted", _MEND)
    roles = [turn.role for turn in normal.turns]
    if roles[-1] != "user":
        raise BadLine("does not end with a user's turn and an answer", _MEND)


def _pair(normal: NormalPrompt, read: _Read, position: int, model: str | None) -> PromptResponsePair:
    response, blocks = _answer(read) if read.answer is not None else (None, None)
    canonical = encode_canonical_json(json_value(normal.messages))
    prompt_hash, pair_hash = pair_hashes(normal.system, canonical, encode_json(response))
    params = read.prompt.params
    return PromptResponsePair(
        source_uri="",
        source_position=position,
        request_id=None,
        time_us=0,
        account_id=None,
        region=None,
        operation=None,
        identity_arn=None,
        model_id=model,
        model=model,
        request_metadata={},
        system=normal.system,
        messages=normal.messages.decode(),
        response=response,
        response_blocks=blocks,
        reasoning=read.reasoning,
        tools=encode_json(read.prompt.tools).decode() if read.prompt.tools else None,
        params=encode_json(params).decode() if params else None,
        stop_reason=None,
        turns=[turn.role for turn in normal.turns].count("user"),
        input_tokens=None,
        output_tokens=None,
        prompt_hash=prompt_hash,
        pair_hash=pair_hash if response is not None else None,
    )


def _answer(read: _Read) -> tuple[str, str]:
    """The answer's text, and all of it as Converse blocks."""
    pieces = [piece for piece in join_texts(read.answer or [], "") if piece != ""]
    for piece in pieces:
        if isinstance(piece, Block) and piece.kind != "toolUse":
            raise BadLine("has an answer that is neither text nor a tool call", _MEND)
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    if not text.strip() and not any(isinstance(piece, Block) for piece in pieces):
        raise BadLine("has an answer without text", _MEND)
    return text, encode_json([converse_block(piece) for piece in pieces]).decode()
