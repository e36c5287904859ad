"""Prompt templates: golden prompts by glob, and properties of writing and reading them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer.conversations.parts import Block, Prompt, Turn
from logminer.conversations.templates import (
    holds_special_token,
    prompt_templates,
    special_tokens,
    unpack_prompt,
)

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*/*.txt"))
LEFT_WHOLE = "left_whole"
NAMES = [template.name for template in prompt_templates()]


def plain(prompt: Prompt) -> dict[str, object]:
    """A prompt as the JSON of an expectation."""
    return {
        "template": prompt.template,
        "system": prompt.system,
        "turns": [
            {
                "role": turn.role,
                "content": [{p.kind: p.value} if isinstance(p, Block) else p for p in turn.content],
            }
            for turn in prompt.turns
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_golden(case: Path) -> None:
    text = case.read_bytes().decode()
    found = plain(unpack_prompt(text))
    expected = case.with_suffix(".expect.json")
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))
    if case.parent.name == LEFT_WHOLE:
        assert found == plain(Prompt(turns=[Turn("user", [text])]))
    else:
        assert found["template"] == case.parent.name


def test_every_expectation_has_its_prompt() -> None:
    expectations = {path.name.removesuffix(".expect.json") for path in GOLDEN.glob("*/*.expect.json")}
    assert expectations == {path.stem for path in CASES}


@pytest.mark.parametrize("name", NAMES)
def test_every_template_has_a_golden_prompt(name: str) -> None:
    assert list((GOLDEN / name).glob("*.txt"))


def test_special_tokens_are_nothing_that_people_write() -> None:
    words = {
        "<s>",
        "</s>",
        "<bos>",
        "<think>",
        "User:",
        "Bot:",
        "Human:",
        "Assistant:",
        "<b>",
        "<|",
        "[",
        "]",
    }
    assert words.isdisjoint(special_tokens())
    assert not any(holds_special_token(word) for word in words)
    assert all(holds_special_token(f"a{token}b") for token in special_tokens())


# --- writing and reading ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conversation:
    """Turns that alternate from a user's to a user's, what stands before them, and how an answer begins."""

    system: str | None
    turns: tuple[str, ...]
    prefill: str

    def labelled(self) -> list[tuple[str, str]]:
        return [("assistant" if i % 2 else "user", text) for i, text in enumerate(self.turns)]

    def as_prompt(self, template: str) -> dict[str, object]:
        turns = [Turn(role, [text]) for role, text in self.labelled()]
        if self.prefill:
            turns.append(Turn("assistant", [self.prefill]))
        system = [] if self.system is None else [self.system]
        return plain(Prompt(turns=turns, system=system, template=template))


def write_headers(begin: str, header: str, end: str) -> Callable[[Conversation], str]:
    def write(conversation: Conversation) -> str:
        turns = conversation.labelled()
        if conversation.system is not None:
            turns.insert(0, ("system", conversation.system))
        closed = "".join(header.format(role) + f"\n\n{text}{end}" for role, text in turns)
        return begin + closed + header.format("assistant") + "\n\n" + conversation.prefill

    return write


def write_instructions(before_user: str, after_answer: str) -> Callable[[Conversation], str]:
    def write(conversation: Conversation) -> str:
        first = f"<<SYS>>\n{conversation.system}\n<</SYS>>\n\n" if conversation.system is not None else ""
        text = f"<s>[INST] {first}"
        for role, words in conversation.labelled():
            text += f"{words} [/INST] " if role == "user" else f"{words}{after_answer}{before_user}[INST] "
        return text + conversation.prefill

    return write


def write_role_lines(start: str, end: str, assistant: str) -> Callable[[Conversation], str]:
    def write(conversation: Conversation) -> str:
        text = f"{start}system\n{conversation.system}{end}\n" if conversation.system is not None else ""
        for role, words in conversation.labelled():
            text += f"{start}{role.replace('assistant', assistant)}\n{words}{end}\n"
        return f"{text}{start}{assistant}\n{conversation.prefill}"

    return write


def write_labels(user: str, assistant: str) -> Callable[[Conversation], str]:
    def write(conversation: Conversation) -> str:
        text = conversation.system or ""
        for role, words in conversation.labelled():
            text += f"\n\n{user}: {words}" if role == "user" else f"\n\n{assistant}: {words}"
        return f"{text}\n\n{assistant}: {conversation.prefill}"

    return write


def write_deepseek(conversation: Conversation) -> str:
    text = "<｜begin▁of▁sentence｜>" + (conversation.system or "")
    for role, words in conversation.labelled():
        text += f"<｜User｜>{words}" if role == "user" else f"<｜Assistant｜>{words}<｜end▁of▁sentence｜>"
    return f"{text}<｜Assistant｜>{conversation.prefill}"


def write_harmony(conversation: Conversation) -> str:
    text = (
        f"<|start|>system<|message|>{conversation.system}<|end|>" if conversation.system is not None else ""
    )
    for role, words in conversation.labelled():
        channel = "<|channel|>final" if role == "assistant" else ""
        text += f"<|start|>{role}{channel}<|message|>{words}<|end|>"
    return f"{text}<|start|>assistant<|channel|>final<|message|>{conversation.prefill}"


@dataclass(frozen=True)
class Writer:
    """How to write a template; `exact` where it keeps white space, `label` what its texts cannot hold."""

    write: Callable[[Conversation], str]
    exact: bool = False
    has_system: bool = True
    has_prefill: bool = True
    label: str = r"\Z."


WRITERS = {
    "llama3": Writer(
        write_headers("<|begin_of_text|>", "<|start_header_id|>{}<|end_header_id|>", "<|eot_id|>")
    ),
    "llama4": Writer(write_headers("", "<|header_start|>{}<|header_end|>", "<|eot|>")),
    "llama2": Writer(write_instructions("<s>", " </s>")),
    "mistral": Writer(write_instructions("", "</s>"), has_system=False),
    "chatml": Writer(write_role_lines("<|im_start|>", "<|im_end|>", "assistant"), exact=True),
    "gemma": Writer(write_role_lines("<start_of_turn>", "<end_of_turn>", "model"), has_system=False),
    "anthropic_legacy": Writer(write_labels("Human", "Assistant"), label=r"(\n\n|\A)(Human|Assistant):"),
    "titan": Writer(write_labels("User", "Bot"), has_prefill=False, label=r"(\n|\A)(User|Bot):"),
    "deepseek": Writer(write_deepseek, exact=True),
    "harmony": Writer(write_harmony, exact=True),
}

FRAGMENTS = [
    "a",
    "é",
    " ",
    "\n",
    "\n\n",
    "<",
    "<|",
    "|>",
    "[",
    "]",
    "[/",
    "<<",
    "｜",
    "▁",
    "user",
    "assistant",
]
LABELS = ["<s>", "</s>", "<think>", "Human:", "Assistant:", "User:", "Bot:", "to=a", "<tool>", "system"]
any_text = st.lists(st.sampled_from(FRAGMENTS + LABELS), min_size=1, max_size=6).map("".join)
texts = any_text.filter(lambda text: not text.isspace() and not holds_special_token(text))


@st.composite
def conversations(draw: st.DrawFn, name: str) -> Conversation:
    """Conversations that the template `name` can say; Llama 2 is told from Mistral by its system text."""
    writer = WRITERS[name]
    closed = texts if writer.exact else texts.map(str.strip)
    closed = closed.filter(lambda text: re.search(writer.label, text) is None)
    turns = draw(st.lists(closed, min_size=1, max_size=5).filter(lambda turns: len(turns) % 2))
    needs_system = name == "llama2"
    system = draw(closed if needs_system else st.none() | closed) if writer.has_system else None
    prefills = texts.filter(lambda text: re.search(writer.label, text) is None)
    prefills = prefills.filter(lambda text: not text.rstrip().endswith("</s>"))
    if name == "anthropic_legacy":
        prefills = prefills.filter(lambda text: "\n\n" not in text.strip())
    prefill = draw(st.just("") | prefills) if writer.has_prefill else ""
    return Conversation(system, tuple(turns), prefill)


def test_every_template_has_a_writer() -> None:
    assert sorted(WRITERS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_a_template_writes_is_unpacked(name: str, data: st.DataObject) -> None:
    conversation = data.draw(conversations(name))
    prompt = unpack_prompt(WRITERS[name].write(conversation))
    assert plain(prompt) == conversation.as_prompt(name)


def assert_whole_or_clean(text: str) -> None:
    """A string is unpacked with no special token left in any text, or it is left as it is."""
    prompt = unpack_prompt(text)
    if prompt.template is None:
        assert plain(prompt) == plain(Prompt(turns=[Turn("user", [text])]))
        return
    pieces = [piece for turn in prompt.turns for piece in turn.content if isinstance(piece, str)]
    assert prompt.turns
    assert not any(holds_special_token(piece) for piece in (*prompt.system, *pieces))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_stray_token_leaves_no_trace_in_a_turn(name: str, data: st.DataObject) -> None:
    text = WRITERS[name].write(data.draw(conversations(name)))
    place = data.draw(st.integers(0, len(text)))
    token = data.draw(st.sampled_from(special_tokens()))
    assert_whole_or_clean(text[:place] + token + text[place:])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from((*special_tokens(), *FRAGMENTS, *LABELS)), max_size=12).map("".join))
def test_any_mixture_of_tokens_is_whole_or_clean(text: str) -> None:
    assert_whole_or_clean(text)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_is_one_user_turn_without_a_template(text: str) -> None:
    assert_whole_or_clean(text)


# --- size ---------------------------------------------------------------------------------------------------

# Each part is repeated to about a megabyte, alone and between the two halves of a prompt that would parse. A
# parser whose time grows with the square of the length does not come to an end on these.
HOSTILE_PARTS = [
    *special_tokens(),
    "<",
    "<|",
    "\n",
    "\n\n",
    " ",
    "\n\nHuman:",
    "\n\nAssistant:",
    "\nUser: a\nBot: ",
]


@pytest.mark.parametrize("part", HOSTILE_PARTS, ids=repr)
def test_a_megabyte_of_one_part_is_read(part: str) -> None:
    assert_whole_or_clean(part * (1_000_000 // len(part)))


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_of_many_turns_is_read(name: str) -> None:
    system = "Be brief." if WRITERS[name].has_system else None
    conversation = Conversation(system, ("a",) * 20_001, "")
    prompt = unpack_prompt(WRITERS[name].write(conversation))
    assert prompt.template == name
    assert len(prompt.turns) == 20_001


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filler", [" ", "\n", "<", "[", "a\n\n"], ids=repr)
def test_a_turn_of_a_megabyte_is_read(name: str, filler: str) -> None:
    conversation = Conversation("s" if name == "llama2" else None, ("x" + filler * 300_000 + "y",), "")
    prompt = unpack_prompt(WRITERS[name].write(conversation))
    assert plain(prompt) == conversation.as_prompt(name)
