"""How answers open: the phrase by which one refuses or apologizes.

The phrases are in `logminer.curation.refusal_phrases`. Only the first 200 characters count, after a greeting: what
comes later is rarely the answer's own voice.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from logminer.curation.refusal_phrases import LANGUAGES

_BEGINNING = 200
_WITH_GREETING = 600

_SAME = str.maketrans("’‘`´ʼ", "'''''", "*_#>")
_QUOTATION_MARKS = '"“”„«» '
_ANY_SPACE_BUT_LINE_END = re.compile(r"[^\S\n]+")
_SPACED_LINE_ENDS = re.compile(r" ?\n[\n ]*+")


def find_refusal(answer: str) -> str | None:
    """The phrase by which an answer refuses at its beginning; None where it does not."""
    return _find_phrase(answer, _any_refusal())


def find_apology(answer: str) -> str | None:
    """The phrase by which an answer apologizes at its beginning; None where it does not."""
    return _find_phrase(answer, _any_apology())


def _find_phrase(answer: str, phrases: re.Pattern[str]) -> str | None:
    beginning = _beginning(answer)
    for clause in _clause_start().finditer(beginning):
        found = phrases.match(beginning, clause.end())
        if found is not None:
            return _words_of_phrase(found)
    return None


def _beginning(answer: str) -> str:
    """The first characters in lower case, without marks of emphasis and without a greeting."""
    text = answer[:_WITH_GREETING].translate(_SAME).casefold()
    text = _ANY_SPACE_BUT_LINE_END.sub(" ", text)
    text = _SPACED_LINE_ENDS.sub("\n", text).strip()
    greeted = _greeting().match(text)
    # A mark within stays, and what it opens is not the answer's own voice; one at the start is around it all.
    return (text[greeted.end() :] if greeted is not None else text).lstrip(_QUOTATION_MARKS)[:_BEGINNING]


def _words_of_phrase(found: re.Match[str]) -> str:
    """The words of the phrase that were found, without those that stood for its `…`."""
    return " … ".join(piece.strip() for piece in found.groups() if piece is not None)


@functools.cache
def _any_refusal() -> re.Pattern[str]:
    return _any_phrase(phrase for language in LANGUAGES for phrase in language.refusals)


@functools.cache
def _any_apology() -> re.Pattern[str]:
    return _any_phrase(phrase for language in LANGUAGES for phrase in language.apologies)


def _any_phrase(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(map(_expression, phrases)) + r")(?!\w)")


def _expression(phrase: str) -> str:
    """A phrase as a regular expression with a group for each part between its `…`."""
    parts = [re.escape(part.strip(" ")) for part in phrase.casefold().split("…")]
    for sign in "(|)":
        parts = [part.replace("\\" + sign, sign) for part in parts]
    parts = ["(" + part.replace("(", "(?:") + ")" for part in parts]
    # The words before a part are each followed by a blank, and so is the part before them.
    return r",? (?:[^\s.!?]+ ){0,6}?".join(parts)


@functools.cache
def _clause_start() -> re.Pattern[str]:
    leads = sorted({lead for language in LANGUAGES for lead in language.leads})
    return re.compile(r"^|[.!?,;:\n()–—-] ?|\b(?:" + "|".join(map(re.escape, leads)) + r")\b ?")


@functools.cache
def _greeting() -> re.Pattern[str]:
    first_words = sorted({word for language in LANGUAGES for word in language.greetings})
    sentence = r"(?:" + "|".join(map(re.escape, first_words)) + r")\b[^.!?,:;\n]{0,80}[.!?,:;\n]+\s*"
    return re.compile(rf"(?:{sentence}){{1,3}}")
