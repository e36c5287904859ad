"""Bulk traffic for benchmarks: any number of records, made about as fast as gzip can pack them.

Each kind of record is built once by the corpus's own code with markers for its changing parts, becomes a
format string, and is then filled per record from pools of prepared, JSON-escaped prose. A prompt is a
ticket number, a question and notes of a length that varies widely; the answer is the question's own.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import layout
from bodies import latency_ms
from layout import Call, Moment
from planting import call_of, tags
from prose import PROJECTS, Dice, Exchange, compose
from shapes import SHAPES

FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)
MIX = (
    ("converse", 36), ("converse_stream", 26), ("anthropic", 12), ("nova", 8), ("llama", 8),
    ("anthropic_stream", 2), ("nova_stream", 1), ("llama_stream", 1), ("mistral_chat", 2), ("openai_chat", 2),
    ("cohere_command_r", 1), ("titan", 1),
)  # fmt: skip
"""Shapes in percent: mostly Converse, four percent streams that are logged as lists."""
MULTI_TURN, ERROR, TRUNCATED, UNTAGGED = 15, 2, 3, 10
FRAGMENTS = 12
"""Chunks of a streamed answer."""
TEMPLATES = 700
STORIES = 1500

_IN, _OUT = 987654321, 987654322
_MARKED = Exchange("@@system@@", (("user", "@@question@@"),), "@@answer@@", _IN, _OUT)
_NUMBERS = {_IN: "asked", _OUT: "answered", _IN + _OUT: "both", latency_ms(_MARKED): "latency"}
_MARKER = re.compile(r'"@@(tags)@@"|@@(\w+)@@|\b(' + "|".join(map(str, _NUMBERS)) + r")\b")


@dataclass(frozen=True, slots=True)
class Load:
    """What to write: `object_records` None varies from 100 to 400, `record_bytes` is the mean of raw JSON."""

    records: int
    seed: int
    days: int
    object_records: int | None
    record_bytes: int


@dataclass(frozen=True, slots=True)
class Story:
    """A composed exchange, its texts JSON-escaped."""

    system: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Pools:
    """Prepared material: `notes` and `fragments` are read in slices, as on a ring."""

    templates: list[tuple[str, bool]]
    stories: list[Story]
    notes: list[str]
    fragments: list[str]
    tags: list[str]


def write(load: Load, out: Path) -> int:
    """Write all objects below `out`; gives the bytes written. Holds one object in memory."""
    pools, draw = prepare(load), random.Random(f"bulk {load.seed}")  # noqa: S311 - sample data, not a secret
    fill, sizes = filler(load, pools, draw), list(object_sizes(load, draw))
    written = 0
    for number, size in enumerate(sizes):
        region, hour = place(load, number, len(sizes))
        stamp = hour + timedelta(
            seconds=60 + int(draw.random() * 3500), milliseconds=int(draw.random() * 1000)
        )
        name = layout.object_name(stamp, f"{draw.getrandbits(64):016x}")
        path = out / layout.hour_folder(region, hour) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        times = [f"{stamp - timedelta(seconds=56 - second):%Y-%m-%dT%H:%M:%SZ}" for second in range(50)]
        lines = [fill(times[place_in * 50 // size], region) for place_in in range(size)]
        written += path.write_bytes(layout.gzip_member("".join(lines).encode(), level=1))
    return written


def object_sizes(load: Load, draw: random.Random) -> Iterator[int]:
    """Records per object, together `load.records`."""
    left = load.records
    while left > 0:
        size = min(left, load.object_records or 100 + int(draw.random() * 301))
        yield size
        left -= size


def place(load: Load, number: int, objects: int) -> tuple[str, datetime]:
    """Region and hour of an object: evenly over the hours, regions by turns."""
    hour = number * load.days * 24 // objects
    return layout.REGIONS[number % 2], FIRST_DAY + timedelta(hours=hour)


def prepare(load: Load) -> Pools:
    """Compose the prose and the record templates; takes a fraction of a second."""
    dice = Dice(f"bulk {load.seed}")
    exchanges = [compose(dice, dice.pick(PROJECTS)) for _ in range(STORIES)]
    stories = [Story(_escaped(e.system or ""), _escaped(e.question), _escaped(e.answer)) for e in exchanges]
    notes = dice.shuffled([text for s in stories for text in (s.question, s.answer)])
    sentences = [part for e in exchanges for part in re.findall(r"[^.?!]+[.?!]+", e.answer)]
    metadata = [layout.dumps(tags(dice, dice.pick(PROJECTS))) for _ in range(400)]
    return Pools([template(dice) for _ in range(TEMPLATES)], stories, notes,
                 [_escaped(part) for part in dice.shuffled(sentences)], metadata)  # fmt: skip


def _escaped(text: str) -> str:
    return layout.dumps(text)[1:-1]


def template(dice: Dice) -> tuple[str, bool]:
    """A format string of one record and whether it takes stream fragments."""
    shape = SHAPES[dice.pick([name for name, share in MIX for _ in range(share)])]
    streamed = shape.operation == "InvokeModelWithResponseStream"
    asked = _MARKED
    if streamed:
        # Six words make a chunk, so six markers stand for one fragment until the body is built.
        asked = replace(asked, answer=" ".join(f"@@piece{n // 6}@@" for n in range(6 * FRAGMENTS)))
    if dice.chance(MULTI_TURN):
        asked = replace(asked, turns=(("user", "@@before@@"), ("assistant", "@@reply@@"), *asked.turns))
    stop = shape.truncated if dice.chance(TRUNCATED) else shape.complete
    call = call_of("bulk", shape.name, asked, stop=stop, model=dice.pick(shape.models))
    if not dice.chance(UNTAGGED):
        call = replace(call, metadata={"@@tags@@": ""})
    if dice.chance(ERROR):
        call = replace(call, error_code="ThrottlingException", response=None)
    return format_string(call), streamed


def format_string(call: Call) -> str:
    """The record of a marked call as a `%` format with named fields, a line feed at its end."""
    moment = Moment(FIRST_DAY, "@@region@@", "0@@id@@", "")
    caller = {"arn": f"arn:aws:sts::{layout.ACCOUNT}:assumed-role/app/i-@@caller@@"}
    fields = layout.record(call, moment) | {"timestamp": "@@time@@", "identity": caller}
    text = layout.dumps(fields).replace("0@@id@@", "@@id@@").replace('{"@@tags@@":""}', '"@@tags@@"')
    text = re.sub(r"(@@piece\d+@@)(?: \1){5}", r"\1", text).replace("%", "%%")

    def field(found: re.Match[str]) -> str:
        name = found[1] or found[2] or _NUMBERS[int(found[3])]
        return f"%({name})s"

    return _MARKER.sub(field, text) + "\n"


def filler(load: Load, pools: Pools, draw: random.Random) -> Callable[[str, str], str]:
    """The function that makes one line, given time and region. Speed matters here: no call per field."""
    note_bytes = sum(map(len, pools.notes)) / len(pools.notes) + 4
    bare = sum(len(fmt) for fmt, _ in pools.templates) / TEMPLATES + 2.4 * note_bytes
    mean_notes = max(0.0, (load.record_bytes - bare) / note_bytes)
    chance, bits = draw.random, draw.getrandbits
    templates, stories, notes, fragments, metadata = (
        pools.templates, pools.stories, pools.notes, pools.fragments, pools.tags,
    )  # fmt: skip

    def line(time: str, region: str) -> str:
        fmt, streamed = templates[int(chance() * TEMPLATES)]
        story, start = stories[int(chance() * STORIES)], int(chance() * STORIES)
        # An exponential spread: many short prompts, some very long ones.
        count = min(STORIES, int(mean_notes * -math.log(1 - chance()) + chance()))
        question = f"[#{bits(34)}] {story.question}\\n\\n" + "\\n\\n".join(notes[start : start + count])
        asked, answered = len(question) >> 2, len(story.answer) >> 2
        digits = f"{bits(128):032x}"
        values = {
            "id": f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}",
            "caller": digits[:6], "time": time,
            "region": region, "tags": metadata[int(chance() * 400)], "system": story.system,
            "question": question, "answer": story.answer, "before": notes[start], "reply": notes[start + 1],
            "asked": asked, "answered": answered, "both": asked + answered, "latency": 240 + 11 * answered,
        }  # fmt: skip
        if streamed:
            first = int(chance() * (len(fragments) - FRAGMENTS))
            values |= {f"piece{n}": fragments[first + n] for n in range(FRAGMENTS)}
        return fmt % values

    return line
