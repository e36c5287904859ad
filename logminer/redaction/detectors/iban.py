"""International bank account numbers (IBAN): the lengths are those of SWIFT's IBAN registry, ISO 13616."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted, refill, without_separators
from logminer.redaction.draws import Draws

_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FK FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}
_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9]{2})")
# Nobody writes longer groups than these with a separator between them, or more than one separator.
_REST = re.compile(r"(?:[ -]?[A-Za-z0-9]){11,29}")


def _find(text: str) -> Iterator[Span]:
    return accepted(_START, text, lambda match: _account(text, match))


def _account(text: str, start: re.Match[str]) -> Span | None:
    length = _LENGTHS.get(start[0][:2].upper())
    rest = _REST.match(text, start.end())
    if length is None or rest is None:
        return None
    end = _end_after(text, start.end(), length - 4)
    if end is None or text[end : end + 1].isalnum():
        return None
    value = text[start.start() : end]
    letters = "".join(filter(str.isalpha, value))
    one_case = letters.isupper() or letters.islower()
    return (
        (start.start(), end) if one_case and _check_digits(without_separators(value)) == value[2:4] else None
    )


def _end_after(text: str, at: int, count: int) -> int | None:
    """Where `count` letters and digits have passed, with at most single separators between them."""
    while count and at < len(text):
        if text[at] in " -":
            at += 1
        if not (text[at : at + 1].isascii() and text[at : at + 1].isalnum()):
            return None
        at, count = at + 1, count - 1
    return None if count else at


def _check_digits(account: str) -> str:
    """The check digits that belong to country and account, whatever stands in their place."""
    turned = account[4:] + account[:2] + "00"
    return f"{98 - int(''.join(str(int(character, 36)) for character in turned)) % 97:02d}"


def _stand_in(value: str, draws: Draws) -> str:
    """An account of the same country and build, with right check digits."""
    account = without_separators(value)
    new = account[:4] + draws.like(account[4:])
    whole = new[:2] + _check_digits(new) + new[4:]
    return refill(value, whole.lower() if value[0].islower() else whole)


DETECTOR = Detector(
    name="iban",
    about="a country's two letters and as many letters and digits as its IBANs have, with check digits modulo 97",
    rank=60,
    find=_find,
    normal=without_separators,
    stand_in=_stand_in,
)
