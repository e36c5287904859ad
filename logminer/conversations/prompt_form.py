"""The normal form of a prompt, and the judgement of the prompt alone.

System and developer turns become `system`, joined with a blank line. Neighbouring turns of one role merge.
Text blocks of one turn join with a line feed. An open assistant turn at the end is a prefill and no turn.
"""

from __future__ import annotations

from typing import Any

import msgspec

from logminer.conversations.parts import MEDIA_KINDS, TOOL_KINDS, Block, Content, Prompt, Turn
from logminer.conversations.templates import holds_special_token
from logminer.json_text import encode_canonical_json, encode_json

_PROMPT_ROLES = frozenset({"user", "assistant"})
_SYSTEM_ROLES = frozenset({"system", "developer"})


class NormalPrompt(msgspec.Struct, gc=False):
    """A prompt in normal form, with what its judgement needs."""

    system: str | None
    turns: list[Turn]
    messages: bytes  # JSON list of Converse messages
    canonical: bytes  # the same with sorted keys, for hashing
    prefill: str
    status: str
    details: list[str]
    has_media: bool
    has_tool_turns: bool


def normal_prompt(prompt: Prompt) -> NormalPrompt:
    """The prompt in normal form, judged."""
    system_texts = [text for text in prompt.system if text and not text.isspace()]
    turns: list[Turn] = []
    details: list[str] = []
    for turn in prompt.turns:
        role = turn.role
        if role in _SYSTEM_ROLES:
            system_texts.extend(piece for piece in turn.content if type(piece) is str and piece.strip())
        elif turns and turns[-1].role == role:
            turns[-1] = Turn(role, [*turns[-1].content, *turn.content])
        else:
            if role not in _PROMPT_ROLES:
                details.append("unknown_role")
            turns.append(turn)
    system = "\n\n".join(system_texts) if system_texts else None
    prefill = _take_prefill(turns)
    messages, canonical = _encode_turns(turns)
    normal = NormalPrompt(system, turns, messages, canonical, prefill, "ok", details, False, False)
    _judge_prompt(normal)
    return normal


def _take_prefill(turns: list[Turn]) -> str:
    """Take an open assistant turn off the end; one that holds a tool call is a turn like others."""
    if len(turns) < 2 or turns[-1].role != "assistant":
        return ""
    content = turns[-1].content
    if any(type(piece) is not str for piece in content):
        return ""
    turns.pop()
    return "".join(content)  # type: ignore[arg-type]


def _encode_turns(turns: list[Turn]) -> tuple[bytes, bytes]:
    """The turns as a JSON list of Converse messages, and the same in canonical form (sorted keys)."""
    messages: list[bytes] = []
    canonical: list[bytes] = []
    for turn in turns:
        role = encode_json(turn.role)
        plain, ordered = _encode_content(turn.content)
        messages.append(b'{"role":' + role + b',"content":[' + plain + b"]}")
        canonical.append(b'{"content":[' + ordered + b'],"role":' + role + b"}")
    return b"[" + b",".join(messages) + b"]", b"[" + b",".join(canonical) + b"]"


def _encode_content(content: list[Content]) -> tuple[bytes, bytes]:
    pieces = join_texts(content, "\n")
    if len(pieces) == 1 and type(pieces[0]) is str:
        block = b'{"text":' + encode_json(pieces[0]) + b"}"
        return block, block
    plain = [converse_block(piece) for piece in pieces]
    return encode_json(plain)[1:-1], encode_canonical_json(plain)[1:-1]


def converse_block(piece: Content) -> dict[str, Any]:
    """A piece of content as a Converse content block."""
    if type(piece) is str:
        return {"text": piece}
    assert isinstance(piece, Block)
    return {piece.kind: piece.value}


def join_texts(content: list[Content], separator: str) -> list[Content]:
    """`content` with neighbouring texts joined."""
    if len(content) == 1:
        return content
    pieces: list[Content] = []
    for piece in content:
        if pieces and type(piece) is str and type(pieces[-1]) is str:
            pieces[-1] = pieces[-1] + separator + piece
        else:
            pieces.append(piece)
    return pieces


def _judge_prompt(normal: NormalPrompt) -> None:
    """Set `status` (a prompt status), details, and what kinds of content there are."""
    blank = any_text = unknown = False
    for turn in normal.turns:
        turn_is_blank = True
        for piece in turn.content:
            if type(piece) is str:
                if piece and not piece.isspace():
                    turn_is_blank = False
                    any_text = True
            else:
                assert isinstance(piece, Block)
                turn_is_blank = False
                normal.has_media = normal.has_media or piece.kind in MEDIA_KINDS
                normal.has_tool_turns = normal.has_tool_turns or piece.kind in TOOL_KINDS
                unknown = unknown or piece.kind == "unknown"
                if piece.kind == "searchResult" or (piece.kind == "document" and _is_text_document(piece)):
                    normal.details.append("text_document")
        blank = blank or turn_is_blank
    if blank:
        normal.details.append("blank_turn")
    if unknown:
        normal.details.append("unknown_block")
    if normal.turns and normal.turns[0].role != "user":
        normal.details.append("starts_with_assistant")
    if _keeps_template_tokens(normal):
        normal.details.append("template_tokens")
    normal.status = _prompt_status(normal, any_text, unknown)


def _prompt_status(normal: NormalPrompt, any_text: bool, unknown: bool) -> str:
    if unknown:
        return "missing"
    if not any_text and not normal.has_media and not normal.has_tool_turns:
        return "empty"
    if normal.has_media:
        return "media"
    if normal.has_tool_turns:
        return "tools"
    bad = {"blank_turn", "starts_with_assistant", "template_tokens", "unknown_role"}
    return "bad_turns" if bad.intersection(normal.details) else "ok"


def _is_text_document(block: Block) -> bool:
    source = block.value.get("source") if isinstance(block.value, dict) else None
    return isinstance(source, dict) and ("text" in source or "content" in source)


def _keeps_template_tokens(normal: NormalPrompt) -> bool:
    if normal.system is not None and holds_special_token(normal.system):
        return True
    return any(
        type(piece) is str and holds_special_token(piece) for turn in normal.turns for piece in turn.content
    )
