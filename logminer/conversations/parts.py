"""The values a body shape produces: the prompt that was sent and the answer that came back.

A piece of content is a `str` (text) or a `Block` (everything that is not text). Block kinds carry the member
names of a Converse content block, whatever family the body came from.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MEDIA_KINDS = frozenset({"image", "document", "video", "audio", "searchResult"})
TOOL_KINDS = frozenset({"toolUse", "toolResult"})

BlockKind = Literal[
    "image", "document", "video", "audio", "searchResult", "toolUse", "toolResult", "unknown"
]  # fmt: skip


class Block(msgspec.Struct, frozen=True, gc=False):
    """Content other than text, as the one member of a Converse content block.

    `value` is plain JSON data (dict, list, str, int, float, bool, None) in Converse's spelling; media has no
    bytes in it. An `unknown` block is one that no shape knows: the record is then `unrecognized`.
    """

    kind: BlockKind
    value: Any


Content = str | Block


class Turn(msgspec.Struct, gc=False):
    """One message of a prompt as it was sent. `role` is user, assistant, system or developer."""

    role: str
    content: list[Content]


class Prompt(msgspec.Struct, gc=False):
    """A request body, read but not yet in normal form.

    `system` holds system texts that stand outside the turns. `tools` are the offered tools as a list of
    Converse `{"toolSpec": ...}` objects. `params` uses one spelling for all families: max_tokens,
    temperature, top_p, top_k, stop_sequences, response_schema, tool_choice, n. `template` names the prompt
    template that a raw prompt string was unpacked from. `not_text` marks requests for embeddings, ranking or
    images. `details` are words for `status_detail`.
    """

    turns: list[Turn] = []
    system: list[str] = []
    tools: list[Any] | None = None
    params: dict[str, Any] = {}
    template: str | None = None
    not_text: bool = False
    details: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token counts as a body reports them; None where it does not. `input_tokens` excludes cached tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None


NO_USAGE = Usage()


class Answer(msgspec.Struct, gc=False):
    """A response body, read but not yet in normal form.

    `content` keeps the order of text and tool calls; `reasoning` stands apart. `stop_reason` is exactly what
    was logged, None where the body has none. `ended` is False for a stream that stops in the middle.
    `inline_reasoning` says that this shape writes its reasoning into the text as `<think>` or `<reasoning>`.
    `latency_ms` is the model's own figure. `refused` marks a refusal that only the body tells of.
    """

    content: list[Content] = []
    reasoning: list[str] = []
    stop_reason: str | None = None
    ended: bool = True
    usage: Usage = NO_USAGE
    latency_ms: int | None = None
    inline_reasoning: bool = False
    refused: bool = False
    not_text: bool = False
    details: tuple[str, ...] = ()


def tool_details(content: list[Content]) -> tuple[str, ...]:
    """The details of an answer's tool calls: `server_tool` where one is of a tool that the service itself ran."""
    for piece in content:
        if type(piece) is not str:
            assert isinstance(piece, Block)
            if isinstance(piece.value, dict) and piece.value.get("type") == "server_tool_use":
                return ("server_tool",)
    return ()
