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
    canonical: list[bytes]  # the same with sorted keys, in pieces, for hashing
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
    _judge_prompt(normal, is_unpacked=prompt.template is not None)
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


# Most turns are one text; their JSON is put together around it, in the order of the API and in that of the alphabet.
_AROUND_TEXT = {
    role: (
        (b'{"role":"%s","content":[{"text":' % role.encode(), b"}]}"),
        (b'{"content":[{"text":', b'}],"role":"%s"}' % role.encode()),
    )
    for role in _PROMPT_ROLES
}


def _encode_turns(turns: list[Turn]) -> tuple[bytes, list[bytes]]:
    """The turns as a JSON list of Converse messages, and the same in canonical form (sorted keys), in pieces."""
    messages: list[bytes] = [b"["]
    canonical: list[bytes] = [b"["]
    for turn in turns:
        if len(messages) > 1:
            messages.append(b",")
            canonical.append(b",")
        content = turn.content
        around = _AROUND_TEXT.get(turn.role)
        if len(content) == 1 and type(content[0]) is str and around is not None:
            text = encode_json(content[0])
            (before, after), (canonical_before, canonical_after) = around
            messages += (before, text, after)
            canonical += (canonical_before, text, canonical_after)
        else:
            message = {
                "role": turn.role,
                "content": [converse_block(piece) for piece in join_texts(content, "\n")],
            }
            messages.append(encode_json(message))
            canonical.append(encode_canonical_json(message))
    messages.append(b"]")
    canonical.append(b"]")
    return b"".join(messages), canonical


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


def _judge_prompt(normal: NormalPrompt, *, is_unpacked: bool) -> None:
    """Set `status` (a prompt status), details, and what kinds of content there are.

    A template fits no string in whose texts a special token would stay, so what is unpacked holds none.
    """
    details = normal.details
    any_content = any_blank = has_token = False
    kinds: set[str] = set()
    for turn in normal.turns:
        is_blank = True
        for piece in turn.content:
            if type(piece) is str:
                if piece and not piece.isspace():
                    is_blank = False
                    has_token = has_token or (not is_unpacked and holds_special_token(piece))
            else:
                assert isinstance(piece, Block)
                is_blank = False
                kinds.add(piece.kind)
                if _is_text_document(piece):
                    details.append("text_document")
        any_blank = any_blank or is_blank
        any_content = any_content or not is_blank
    if any_blank:
        details.append("blank_turn")
    if "unknown" in kinds:
        details.append("unknown_block")
    if normal.turns and normal.turns[0].role != "user":
        details.append("starts_with_assistant")
    if has_token or (normal.system is not None and not is_unpacked and holds_special_token(normal.system)):
        details.append("template_tokens")
    normal.has_media = not kinds.isdisjoint(MEDIA_KINDS)
    normal.has_tool_turns = not kinds.isdisjoint(TOOL_KINDS)
    normal.status = _prompt_status(normal, any_content)


_BAD_TURNS = frozenset({"blank_turn", "starts_with_assistant", "template_tokens", "unknown_role"})


def _prompt_status(normal: NormalPrompt, any_content: bool) -> str:
    if "unknown_block" in normal.details:
        return "missing"
    if not any_content:
        return "empty"
    if normal.has_media:
        return "media"
    if normal.has_tool_turns:
        return "tools"
    return "ok" if _BAD_TURNS.isdisjoint(normal.details) else "bad_turns"


def _is_text_document(block: Block) -> bool:
    """Whether a block is a document, or search results, given as text."""
    if block.kind == "searchResult":
        return True
    source = block.value.get("source") if block.kind == "document" and isinstance(block.value, dict) else None
    return isinstance(source, dict) and ("text" in source or "content" in source)
