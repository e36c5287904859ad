"""Prompt templates: how callers spell a conversation inside one `prompt` string.

Each function takes the system text (or None) and the turns and returns the string, with the assistant's
turn left open at the end. A last turn of the assistant is a prefill: its text starts the open turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prose import Turn

Template = Callable[[str | None, Sequence[Turn]], str]


def llama3(system: str | None, turns: Sequence[Turn]) -> str:
    """Llama 3.x headers; https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html."""
    parts = [("system", system)] if system else []
    told = "".join(_header(role, text) + "<|eot_id|>" for role, text in [*parts, *_closed(turns)])
    return "<|begin_of_text|>" + told + _header("assistant", _prefill(turns))


def _header(role: str, text: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}"


def llama4(system: str | None, turns: Sequence[Turn]) -> str:
    """Llama 4: shorter token names, the same order."""
    text = llama3(system, turns).replace("<|start_header_id|>", "<|header_start|>")
    return text.replace("<|end_header_id|>", "<|header_end|>").replace("<|eot_id|>", "<|eot|>")


def llama2(system: str | None, turns: Sequence[Turn]) -> str:
    """Llama 2: the system text sits inside the first instruction."""
    first = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    parts = []
    for place, (role, text) in enumerate(_closed(turns)):
        lead = first if place == 0 else ""
        parts.append(f"<s>[INST] {lead}{text} [/INST]" if role == "user" else f" {text} </s>")
    return "".join(parts)


def mistral(system: str | None, turns: Sequence[Turn]) -> str:
    """Mistral instructions; there is no system role, so the text leads the first user turn."""
    parts = ["<s>"]
    for place, (role, text) in enumerate(_closed(turns)):
        lead = f"{system}\n\n" if system and place == 0 else ""
        parts.append(f"[INST] {lead}{text} [/INST]" if role == "user" else f" {text}</s>")
    return "".join(parts)


def human_assistant(system: str | None, turns: Sequence[Turn]) -> str:
    """The text completions of old Claude models: blank line, speaker, colon."""
    names = {"user": "Human", "assistant": "Assistant"}
    told = "".join(f"\n\n{names[role]}: {text}" for role, text in _closed(turns))
    prefill = _prefill(turns)
    return (system or "") + told + "\n\nAssistant:" + (f" {prefill}" if prefill else "")


def user_bot(system: str | None, turns: Sequence[Turn]) -> str:
    """Titan's `User:` and `Bot:` lines."""
    names = {"user": "User", "assistant": "Bot"}
    told = "".join(f"{names[role]}: {text}\n" for role, text in _closed(turns))
    return (f"{system}\n\n" if system else "") + told + "Bot:"


def deepseek(system: str | None, turns: Sequence[Turn]) -> str:
    """DeepSeek R1, with the fullwidth bars of its real tokens and an open thinking part."""
    names = {"user": "<｜User｜>", "assistant": "<｜Assistant｜>"}
    told = "".join(
        names[role] + text + ("<｜end▁of▁sentence｜>" if role == "assistant" else "")
        for role, text in _closed(turns)
    )
    return "<｜begin▁of▁sentence｜>" + (system or "") + told + "<｜Assistant｜><think>\n"


def chatml(system: str | None, turns: Sequence[Turn]) -> str:
    """ChatML, as imported Qwen models take it."""
    parts = [("system", system)] if system else []
    told = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in [*parts, *_closed(turns)])
    return told + "<|im_start|>assistant\n" + _prefill(turns)


def harmony(system: str | None, turns: Sequence[Turn]) -> str:
    """Harmony, the format of gpt-oss; instructions are the developer's, answers go to the final channel."""
    head = f"<|start|>developer<|message|>{system}<|end|>" if system else ""
    told = "".join(
        f"<|start|>{role}{'<|channel|>final' if role == 'assistant' else ''}<|message|>{text}<|end|>"
        for role, text in _closed(turns)
    )
    return head + told + "<|start|>assistant<|channel|>final<|message|>"


def gemma(system: str | None, turns: Sequence[Turn]) -> str:
    """Gemma turns; there is no system role, so the text leads the first user turn."""
    names = {"user": "user", "assistant": "model"}
    parts = []
    for place, (role, text) in enumerate(_closed(turns)):
        lead = f"{system}\n\n" if system and place == 0 else ""
        parts.append(f"<start_of_turn>{names[role]}\n{lead}{text}<end_of_turn>\n")
    return "".join(parts) + "<start_of_turn>model\n"


def plain(system: str | None, turns: Sequence[Turn]) -> str:
    """No template at all: what many callers send to a completion model."""
    return (f"{system}\n\n" if system else "") + "\n\n".join(text for _, text in turns)


def _closed(turns: Sequence[Turn]) -> Sequence[Turn]:
    return turns[:-1] if turns[-1][0] == "assistant" else turns


def _prefill(turns: Sequence[Turn]) -> str:
    return turns[-1][1] if turns[-1][0] == "assistant" else ""
