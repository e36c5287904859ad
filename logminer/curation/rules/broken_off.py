"""Drops answers that break off, though the model's stop reason says that they are complete.

Four signs: a code fence that nothing closes, brackets of JSON that nothing closes, prose that ends with a comma or
a conjunction, and a last sentence without an end in an answer whose other sentences have one. All are careful:
lists, tables, headings, links, signatures and short answers end as they like, and nothing is said of an answer
that a stop sequence of the caller's may have cut.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.fences import read_fences
from logminer.curation.json_answers import begins_as_json, open_brackets
from logminer.curation.options import RuleOptions
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.stopping import may_be_cut_by_caller
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.pairs import PromptResponsePair

_NAME = "broken_off"

# Lower case, and such as never end a sentence in another language of the list: German "an" and "ein", for example,
# end many, and "a" and "y" are names in mathematics.
_OPEN_WORDS = frozenset(
    {
        "and", "or", "but", "the", "of", "because", "und", "oder", "aber", "weil", "sowie", "et", "ou", "mais", "les", "des",
        "parce", "pero", "porque", "mas", "os", "uma", "perché", "gli", "della", "delle", "degli", "dei", "oppure",
    }
)  # fmt: skip
_COMMAS = frozenset(",，、")
_LEAST_OPEN_LINE = 40

_LEAST_SENTENCES = 3
_LEAST_LINE_AFTER_SENTENCES = 60
_LEAST_LINE_OF_ONE_SENTENCE = 100
# The end of an answer tells how it is written.
_MOST_CHARACTERS = 20_000

_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"'”’»)\]*_])|[。！？।]")
_LIST_ITEM = re.compile(r"(?:[-*+•–—]|(?:\d{1,3}|[A-Za-z])[.)])\s")
_TABLE_HEADING_OR_QUOTE = re.compile(r"[#>]|.*\|")
_ADDRESS = re.compile(r"://|www\.|[@#/\\]")

_PUNCTUATION = frozenset(",.;:!?'’\"“”„«»-–—…%，、。")
_LEAST_SHARE_OF_PROSE = 0.95


def find_break(answer: str, *, min_characters: int) -> Fault | None:
    """The fault of an answer that breaks off. `min_characters` is the shortest that is judged by its sentences."""
    fenced = read_fences(answer)
    if fenced.is_open:
        return Fault("open_fence", "a code fence that nothing closes")
    if begins_as_json(answer):
        brackets = open_brackets(answer)
        return Fault("open_json", f"brackets that nothing closes: {brackets}") if brackets else None
    line = fenced.last_line[-_MOST_CHARACTERS:]
    if _TABLE_HEADING_OR_QUOTE.match(line) is not None or not _is_prose(line):
        return None
    fault = _find_open_clause(line)
    if fault is None and _LIST_ITEM.match(line) is None:
        fault = _find_open_sentence("\n".join(fenced.outside)[-_MOST_CHARACTERS:], line, min_characters)
    return fault


def _find_open_clause(line: str) -> Fault | None:
    """A long last line that ends with a comma or with a word that something has to follow."""
    if len(line) < _LEAST_OPEN_LINE:
        return None
    if line[-1] in _COMMAS:
        return Fault("open_clause", "ends with a comma")
    last_word = line.rpartition(" ")[2]
    return Fault("open_clause", f"ends with the word {last_word!r}") if last_word in _OPEN_WORDS else None


def _find_open_sentence(text: str, line: str, min_characters: int) -> Fault | None:
    """A long last line that ends with a letter or a digit, where sentences before have an end.

    A line with no end of a sentence in it may be a title or a signature, so it must be longer.
    """
    if len(text) < min_characters or not line[-1].isalnum() or _ADDRESS.search(line.rpartition(" ")[2]):
        return None
    ends = sum(1 for _ in itertools.islice(_SENTENCE_END.finditer(text), _LEAST_SENTENCES))
    follows_sentences = _SENTENCE_END.search(line) is not None
    least = _LEAST_LINE_AFTER_SENTENCES if follows_sentences else _LEAST_LINE_OF_ONE_SENTENCE
    if ends < _LEAST_SENTENCES or len(line) < least:
        return None
    return Fault(
        "open_sentence", f"the last line has {len(line)} characters and no end of a sentence at its end"
    )


def _is_prose(line: str) -> bool:
    """Whether a line is made of words; code and formulas have other signs."""
    words = sum(
        1 for sign in line if sign.isalnum() or sign.isspace() or sign in _PUNCTUATION or _is_mark(sign)
    )
    return words > 0 and words >= _LEAST_SHARE_OF_PROSE * len(line)


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("M")


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    min_characters = RuleOptions(_NAME, options).whole_number("min_characters")

    def judge(pair: PromptResponsePair) -> Fault | None:
        if pair.response is None or may_be_cut_by_caller(pair):
            return None
        return find_break(pair.response, min_characters=min_characters)

    return pair_by_pair(judge)


RULE = Rule(
    name=_NAME,
    about="drops answers that end in the middle of a code block, of JSON or of a sentence",
    reasons={
        "open_fence": "a code block is not closed",
        "open_json": "the answer begins as JSON, and brackets of it are not closed",
        "open_clause": "the answer ends with a comma, or with a word that something has to follow",
        "open_sentence": "the last sentence of a longer answer has no end, and others have one",
    },
    order=60,
    make=_make,
    options={"min_characters": 400},
)
