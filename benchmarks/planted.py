"""Pairs with planted faults of every kind that curation and redaction look for, and the truth beside them.

Most pairs are sound: sentences of the sample logs' prose, drawn anew for each, some with JSON, lists, code or an
apology, which rules must leave alone. Planted ones are as people and models spoil them; a rule's own list of phrases
was not looked at. Everything is drawn from a seed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
from personal import PERSONAL

from logminer.pairs import PromptResponsePair

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sample_logs"))

from prose import PROJECTS, Dice, compose

PERCENT_PLANTED = 0.4
"""Of each fault, in percent of all pairs; a near duplicate of each strength takes twice as much."""
STRENGTHS = (1, 2, 5, 10)
"""Near duplicates by the share of words that are changed, in percent."""


class Planted(msgspec.Struct, frozen=True):
    """A pair, the fault that was planted in it, and the personal data that were.

    `likeness` is the smaller Jaccard index, of three words, of a near duplicate's prompt and answer with those of
    its original.
    """

    pair: PromptResponsePair
    fault: str | None = None
    personal: dict[str, str] = {}
    likeness: float | None = None


@dataclass
class Draft:
    """A pair before it gets its place in time. `said` are its turns, the user's first."""

    said: list[str]
    answer: str
    system: str | None
    time: float
    fault: str | None = None
    personal: dict[str, str] | None = None
    likeness: float | None = None
    params: str | None = None
    output_tokens: int | None = None


# --- sound pairs --------------------------------------------------------------------------------------------


class Prose:
    """Sentences and single words to draw from."""

    def __init__(self, dice: Dice) -> None:
        exchanges = [compose(dice, dice.pick(PROJECTS)) for _ in range(4000)]
        self.asked = _sentences(exchange.question for exchange in exchanges)
        self.answered = _sentences(exchange.answer for exchange in exchanges)
        self.systems = sorted({exchange.system for exchange in exchanges if exchange.system})
        self.words = sorted({word for text in self.asked for word in re.findall(r"[a-z]{3,}", text)})


def _sentences(texts: Iterator[str]) -> list[str]:
    """Whole sentences of plain prose, none with an address in it or with an apology."""
    found = {
        part.strip() for text in texts for part in re.findall(r"[A-Z][^.?!\n{}`]{15,200}[.?!](?=\s|$)", text)
    }
    return sorted(part for part in found if not re.search("(?i)@|sorry|apolog", part))


def sound(dice: Dice, prose: Prose, time: float) -> Draft:
    """A pair without a fault."""
    question = _some(dice, prose.asked, 2, 7)
    answer = _some(dice, prose.answered, 2, 9)
    draft = Draft([f"{question} Ticket {dice.digits(7)}."], answer, dice.pick([None, *prose.systems]), time)
    if dice.chance(12):
        _CONTROLS[dice.below(len(_CONTROLS))](draft, dice)
    return draft


def _some(dice: Dice, sentences: Sequence[str], low: int, high: int) -> str:
    return " ".join(dice.pick(sentences) for _ in range(dice.between(low, high)))


def _with_json(draft: Draft, dice: Dice) -> None:
    draft.said[0] += " Give me the fields as JSON."
    draft.answer = json.dumps(_fields(dice), indent=dice.pick([None, 2]))


def _with_fenced_json(draft: Draft, dice: Dice) -> None:
    draft.answer = f"{draft.answer}\n\n```json\n{json.dumps(_fields(dice), indent=2)}\n```"


def _with_list(draft: Draft, dice: Dice) -> None:
    lines = [f"{number}. Check part {dice.digits(4)} of the {dice.pick(_THINGS)}" for number in range(1, 9)]
    draft.answer += "\n\n" + "\n".join(lines)


def _with_table(draft: Draft, dice: Dice) -> None:
    rows = [f"| {dice.pick(_THINGS)} | {dice.between(1, 9)} | {dice.between(5, 90)}.00 |" for _ in range(8)]
    draft.answer = "\n".join(["| item | count | price |", "| --- | --- | --- |", *rows])


def _with_apology(draft: Draft, dice: Dice) -> None:
    draft.answer, draft.fault = f"{dice.pick(_APOLOGIES)} {draft.answer}", "apology"


def _with_numbers(draft: Draft, dice: Dice) -> None:
    """What looks like personal data, and is none."""
    draft.said[0] += (
        f" It is order {dice.digits(16)}, tracking number 1Z{dice.digits(16)}, version {dice.between(1, 9)}.2.3.4"
        f" of 2026-06-0{dice.between(1, 9)} 10:15:00, commit {dice.hexadecimal(40)}, for $1,{dice.digits(3)}.00."
    )


_CONTROLS = (_with_json, _with_fenced_json, _with_list, _with_table, _with_apology, _with_numbers)
_THINGS = ("lamp", "kettle", "tent", "desk", "chair", "blanket", "speaker")
_APOLOGIES = (
    "I'm sorry to hear that the parcel is late.",
    "Sorry about the mix-up with your invoice!",
    "We apologize for the delay.",
    "Thank you for your patience, and sorry for the trouble.",
)


def _fields(dice: Dice) -> dict[str, object]:
    return {
        "order": dice.digits(6),
        "items": [
            {"name": dice.pick(_THINGS), "count": dice.between(1, 9)} for _ in range(dice.between(1, 5))
        ],
        "paid": dice.chance(50),
    }


# --- faults -------------------------------------------------------------------------------------------------


def jaccard(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of runs of three words that two lists of texts have in common, text by text.

    Written apart from what it is to check.
    """
    sets: list[set[tuple[int, str]]] = []
    for texts in (left, right):
        sets.append(set())
        for number, text in enumerate(texts):
            words = re.findall(r"\w+", text.lower())
            sets[-1] |= {(number, " ".join(words[at : at + 3])) for at in range(max(1, len(words) - 2))}
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def _changed(dice: Dice, prose: Prose, text: str, percent: int) -> str:
    """The text with some of its words replaced, left out or doubled: one at least, neither the first nor the last."""
    words = text.split(" ")
    places = [place for place in range(1, len(words) - 1) if dice.chance(percent)]
    for place in places or [dice.between(1, len(words) - 2)]:
        words[place] = (dice.pick(prose.words), "", f"{words[place]} {words[place]}")[dice.below(3)]
    return " ".join(word for word in words if word)


def _near(percent: int) -> Callable[[Draft, Dice, Prose], list[Draft]]:
    def plant(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
        draft.answer = _some(dice, prose.answered, 2, 9)
        said = [_changed(dice, prose, draft.said[0], percent)]
        answer = _changed(dice, prose, draft.answer, percent)
        likeness = min(jaccard(said, draft.said), jaccard([answer], [draft.answer]))
        copy = Draft(said, answer, draft.system, _later(draft, dice), f"near_{percent}", likeness=likeness)
        return [draft, copy]

    return plant


def _later(draft: Draft, dice: Dice) -> float:
    return draft.time + (1 - draft.time) * (dice.between(1, 1_000_000) / 1_000_001)


def _copy(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    return [draft, Draft(draft.said, draft.answer, draft.system, _later(draft, dice), "exact_duplicate")]


def _other_spaces(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    said = [draft.said[0].replace(". ", ".\n") + "\n"]
    return [draft, Draft(said, draft.answer, draft.system, _later(draft, dice), "other_spaces")]


def _conflict(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    """The earlier answer is the one that has to go."""
    draft.fault = "conflicting_answer"
    return [draft, Draft(draft.said, _some(dice, prose.answered, 2, 9), draft.system, _later(draft, dice))]


def _history(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    """One chat, logged at each of its turns."""
    texts = [draft.said[0], draft.answer]
    for _ in range(dice.between(1, 4)):
        texts += [_some(dice, prose.asked, 1, 2), _some(dice, prose.answered, 1, 4)]
    logged = [
        Draft(
            texts[:end],
            texts[end] + dice.pick(["", "\n"]),
            draft.system,
            draft.time + end * 1e-7,
            "shorter_history",
        )
        for end in range(1, len(texts), 2)
    ]
    logged[-1].fault = None
    return logged


def _answer(fault: str, spoil: Callable[[str, Dice], str]) -> Callable[[Draft, Dice, Prose], list[Draft]]:
    def plant(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
        draft.answer, draft.fault = spoil(_some(dice, prose.answered, 4, 9), dice), fault
        return [draft]

    return plant


def _loop(text: str, dice: Dice) -> str:
    sentence = dice.pick(re.findall(r"[^.?!]+[.?!]", text)).strip()
    words = " ".join(sentence.split()[:3])
    kind = dice.below(3)
    if kind == 0:
        return f"{text} {' '.join([sentence] * dice.between(10, 40))}"
    if kind == 1:
        return text + "\n" + "\n".join([f"- {sentence}"] * dice.between(12, 40))
    return f"{text} {' '.join([words] * dice.between(20, 80))}"


def _cut(text: str, dice: Dice) -> str:
    kept, last = (
        text[: text.rindex(" ", 0, -40)],
        dice.pick(["and the", "because", "which is,", "so that the order"]),
    )
    return f"{kept} {last}" if dice.chance(50) else f"{text}\n\n```python\ndef total(prices):\n    return su"


def _broken_json(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    good = json.dumps(_fields(dice), indent=2)
    broken = (
        good.replace(",", ",,", 1),
        good.replace('"', "'"),
        good.replace("true", "True").replace("false", "False"),
        good.replace(": ", " ", 1),
    )[dice.below(4)]
    draft.said[0] += " Return JSON only."
    draft.answer, draft.fault = broken, "broken_json"
    if dice.chance(40):
        draft.params = json.dumps({"response_schema": {"type": "json_object"}})
    return [draft]


def _too_long(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    draft.fault, draft.output_tokens = "too_long", dice.between(4001, 9000)
    return [draft]


def _blank(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
    sign = dice.pick(["…", "???", "---", "👍", " . ", "。", "***"])
    draft.fault = "blank"
    if dice.chance(50):
        draft.said = [sign]
    else:
        draft.answer = sign
    return [draft]


_REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with this, as it goes against my guidelines.",
    "As an AI language model, I am not able to give you that information.",
    "Sorry, I can't share details about other customers.",
    "I apologize, but I'm unable to fulfil this request.",
    "Unfortunately, I can't provide legal advice.",
    "I'm not able to do that.",
    "I won't be able to help you write that.",
    "Hello! I am afraid I cannot answer this question.",
    "I must decline to answer that.",
    "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
    "Das kann ich leider nicht beantworten.",
    "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "Je ne suis pas en mesure de répondre à cette question.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "No puedo proporcionar esa información.",
    "Desculpe, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
)
_TEMPLATE_TOKENS = (
    "<|eot_id|>", "[INST]", "<|im_end|>", "<start_of_turn>", "<|start_header_id|>", "<end_of_turn>", "[/INST]",
)  # fmt: skip
_RESERVED_WORDS = ("User: ", "Bot: ", "System: ", "Assistant: ", "<image>", "<video>", "[EOS]", "Thought: ")


def _refusal(text: str, dice: Dice) -> str:
    return f"{dice.pick(_REFUSALS)} {text.partition('. ')[0]}." if dice.chance(30) else dice.pick(_REFUSALS)


def _template_token(text: str, dice: Dice) -> str:
    token = dice.pick(_TEMPLATE_TOKENS)
    return f"{text}{token}" if dice.chance(50) else f"{token} {text}"


def _reserved_word(text: str, dice: Dice) -> str:
    first, _, rest = text.partition(". ")
    return f"{first}.\n{dice.pick(_RESERVED_WORDS)}{rest}"


# --- personal data ------------------------------------------------------------------------------------------


def _with_personal(kind: str) -> Callable[[Draft, Dice, Prose], list[Draft]]:
    sentence, make = PERSONAL[kind]

    def plant(draft: Draft, dice: Dice, prose: Prose) -> list[Draft]:
        value = make(dice)
        if dice.chance(70):
            draft.said[0] += sentence.format(value)
        else:
            draft.answer += sentence.format(value)
        draft.personal = {kind: value}
        return [draft]

    return plant


# --- the corpus ---------------------------------------------------------------------------------------------

_SPOILT: dict[str, Callable[[Draft, Dice, Prose], list[Draft]]] = {
    "exact_duplicate": _copy,
    "other_spaces": _other_spaces,
    "conflicting_answer": _conflict,
    "shorter_history": _history,
    "refusal": _answer("refusal", _refusal),
    "loop": _answer("loop", _loop),
    "cut": _answer("cut", _cut),
    "template_token": _answer("template_token", _template_token),
    "reserved_word": _answer("reserved_word", _reserved_word),
    "broken_json": _broken_json,
    "blank": _blank,
    "too_long": _too_long,
} | {kind: _with_personal(kind) for kind in PERSONAL}


def draw(count: int, seed: int) -> list[Draft]:
    """About `count` pairs, in the order of time."""
    dice = Dice(f"quality {seed}")
    prose = Prose(dice)
    plans = [(plant, PERCENT_PLANTED) for plant in _SPOILT.values()]
    plans += [(_near(percent), 2 * PERCENT_PLANTED) for percent in STRENGTHS]
    drafts: list[Draft] = []
    for plant, percent in plans:
        for _ in range(max(1, round(count * percent / 100))):
            drafts += plant(sound(dice, prose, dice.below(1_000_000) / 1_000_000), dice, prose)
    while len(drafts) < count:
        drafts.append(sound(dice, prose, dice.below(1_000_000) / 1_000_000))
    drafts.sort(key=lambda draft: draft.time)
    return drafts


def write(count: int, seed: int, path: Path) -> None:
    """Write the corpus to a file, whole or not at all."""
    unfinished = path.with_suffix(".part")
    with open(unfinished, "wb") as stream:
        for number, draft in enumerate(draw(count, seed)):
            content = _encode(
                Planted(_pair(number, draft), draft.fault, draft.personal or {}, draft.likeness)
            )
            stream.write(len(content).to_bytes(4, "big") + content)
    unfinished.rename(path)


def read(path: Path) -> Iterator[Planted]:
    """The pairs of such a file, one at a time."""
    with open(path, "rb") as stream:
        while content := _next(stream):
            yield _decode(content)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Planted).decode


def _next(stream: BinaryIO) -> bytes:
    return stream.read(int.from_bytes(stream.read(4), "big"))


def _pair(number: int, draft: Draft) -> PromptResponsePair:
    turns = [
        {"role": "assistant" if place % 2 else "user", "content": [{"text": text}]}
        for place, text in enumerate(draft.said)
    ]
    return PromptResponsePair(
        source_uri=f"file:///logs/{number // 500:05}.json.gz",
        source_position=number % 500,
        request_id=f"r{number}",
        time_us=1_750_000_000_000_000 + number * 1000,
        account_id="111122223333",
        region="us-east-1",
        operation="Converse",
        identity_arn=None,
        model_id="meta.llama3-1-405b-instruct-v1:0",
        model="meta.llama3-1-405b",
        request_metadata={},
        system=draft.system,
        messages=json.dumps(turns, ensure_ascii=False),
        response=draft.answer,
        response_blocks=json.dumps([{"text": draft.answer}], ensure_ascii=False),
        reasoning=None,
        tools=None,
        params=draft.params,
        stop_reason="end_turn",
        turns=(len(draft.said) + 1) // 2,
        input_tokens=sum(map(len, draft.said)) // 4,
        output_tokens=draft.output_tokens or max(1, len(draft.answer) // 4),
        prompt_hash=f"{number:032x}",
        pair_hash=f"{number:032x}",
    )
