"""Drops answers that go in circles, as models do when they lose their thread.

Three looks, each linear in the text and each careful in its own way:

- the end of the answer, where the same words follow each other many times without a gap;
- sentences and lines of prose that stand in it again and again, and make up most of it;
- prose that is made of few sequences of words.

Code blocks and tables repeat themselves by nature and are left out of the last two, numbered items of the last
one; and what looks like data must repeat itself far longer at the end. Of an answer longer than a million
characters, which is more than a model writes, only the last million are looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logminer.curation.fences import read_fences
from logminer.curation.options import RuleOptions
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.verdicts import Fault, answer_by_answer
from logminer.printable import counted

_NAME = "repetition"
_MOST_CHARACTERS = 1_000_000

_PROBE = 24
"""So many last characters are looked for before them; where they stand, the loop's last round begins."""
_LEAST_LOOP = 100
_DATA_SIGNS = re.compile(r"[{}\[\]<>|;=\t\\]")
_DATA_REPEATS = 4

_LEAST_SEGMENT = 12
_LEAST_TIMES = 3
_LEAST_REPEATED = 100
# Not behind a digit: the number of a list's item belongs to it, and tells it from others.
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?])\s+|(?<=[。！？।])")
_BULLET = re.compile(r"\s*[-*+•–—]\s+")
_NUMBERED = re.compile(r"\s*(?:[-*+•]\s*)?\d{1,4}[.):]")
_TABLE_OR_DATA = re.compile(r"\s*[|{}\[\]<]|[^|]*\|[^|]*\||[^\t]*\t")
_LETTER = re.compile(r"[^\W\d_]")

_WORD = re.compile(r"\w+")
_NGRAM = 5
_LEAST_WORDS = 100
_MOST_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class RepetitionLimits:
    """What is too much: rounds of a loop at the end; the share of the text that was said before; and the share of
    word sequences that must differ.
    """

    repeats: int
    max_repeated: float
    min_distinct: float


def find_repetition(answer: str, limits: RepetitionLimits) -> Fault | None:
    """The fault of an answer that repeats itself. The evidence has figures, and none of the words."""
    text = answer[-_MOST_CHARACTERS:]
    lines = [line for line in read_fences(text).outside if _is_prose(line)]
    return (
        _find_loop(text, limits.repeats)
        or _find_repeated_segments(lines, limits.max_repeated)
        or _find_few_ngrams(lines, limits.min_distinct)
    )


def _is_prose(line: str) -> bool:
    return _TABLE_OR_DATA.match(line) is None and _LETTER.search(line) is not None


def _find_loop(text: str, repeats: int) -> Fault | None:
    """The same characters at the end, round after round. The last round may be cut anywhere."""
    text = text.rstrip()
    before = text.rfind(text[-_PROBE:], 0, len(text) - 1)
    if before < 0 or len(text) <= _PROBE:
        return None
    period = len(text) - _PROBE - before
    length = _periodic_length(text, period)
    rounds = length // period
    unit = text[-period:]
    least = repeats * _DATA_REPEATS if _DATA_SIGNS.search(unit) is not None else repeats
    if rounds < least or length < _LEAST_LOOP or _LETTER.search(unit) is None:
        return None
    return Fault("loop", f"ends with the same {counted(period, 'character')} {rounds} times in a row")


def _periodic_length(text: str, period: int) -> int:
    """How many characters at the end are periodic. Compares whole slices, at most some twenty times."""
    low, high = 0, len(text) - period
    while low < high:
        middle = (low + high + 1) // 2
        end = len(text) - period
        if text[len(text) - middle :] == text[end - middle : end]:
            low = middle
        else:
            high = middle - 1
    return low + period


def _find_repeated_segments(lines: Iterable[str], max_repeated: float) -> Fault | None:
    """Sentences and lines that stand three times or more make up most of the prose, the first of each not counted."""
    times: Counter[str] = Counter()
    total = 0
    for segment in _segments(lines):
        total += len(segment)
        if len(segment) >= _LEAST_SEGMENT and _LETTER.search(segment) is not None:
            times[segment.casefold()] += 1
    repeated = sum(len(each) * (count - 1) for each, count in times.items() if count >= _LEAST_TIMES)
    if repeated < _LEAST_REPEATED or repeated <= max_repeated * total:
        return None
    return Fault(
        "repeated_text",
        f"{repeated / total:.0%} of the text was said before, one sentence or line {max(times.values())} times",
    )


def _segments(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        bullet = _BULLET.match(line)
        for piece in _SENTENCE_END.split(line[bullet.end() :] if bullet is not None else line):
            segment = piece.strip()
            if segment:
                yield segment


def _find_few_ngrams(lines: Iterable[str], min_distinct: float) -> Fault | None:
    """Few of the sequences of five words are different. Items of numbered lists may be as alike as they like."""
    words = _words(line for line in lines if _NUMBERED.match(line) is None and _BULLET.match(line) is None)
    if len(words) < _LEAST_WORDS:
        return None
    ngrams = set(zip(*(words[start:] for start in range(_NGRAM)), strict=False))
    share = len(ngrams) / (len(words) - _NGRAM + 1)
    if share >= min_distinct:
        return None
    return Fault("few_distinct_words", f"{share:.0%} of the sequences of {_NGRAM} words are different")


def _words(lines: Iterable[str]) -> list[str]:
    words: list[str] = []
    for line in lines:
        words += _WORD.findall(line.casefold())
        if len(words) >= _MOST_WORDS:
            break
    return words[:_MOST_WORDS]


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    given = RuleOptions(_NAME, options)
    limits = RepetitionLimits(
        repeats=given.whole_number("repeats", least=2),
        max_repeated=given.share("max_repeated"),
        min_distinct=given.share("min_distinct"),
    )
    return answer_by_answer(lambda answer: find_repetition(answer, limits))


RULE = Rule(
    name=_NAME,
    about="drops answers that repeat themselves in loops",
    reasons={
        "loop": "the answer ends with the same words many times in a row",
        "repeated_text": "most of the answer's prose is sentences or lines that it has said before",
        "few_distinct_words": "few of the answer's sequences of words are different",
    },
    order=70,
    make=_make,
    options={"repeats": 5, "max_repeated": 0.5, "min_distinct": 0.2},
)
