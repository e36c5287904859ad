"""Telephone numbers: with a country code, in the national forms that are plain to see, or called a phone number.

Codes: ITU-T E.164 and its list of assigned country codes; lengths of the countries below from their own plans.
Digits alone, without a plus sign or a word such as `phone:` before them, are never taken; nor is a national form
that is called an order, a ticket, an invoice or the like, nor dates, versions and prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted_in_runs, follows
from logminer.redaction.draws import Draws

_INTERNATIONAL = re.compile(r"(?<![\w+.])\+(\(?[0-9](?:[ .()/-]{0,3}[0-9]){7,14})(?![\w+]|[.,/-][0-9]|%)")
_NATIONAL = re.compile(
    r"(?<![\w.,/+$€£#=-])(?:"
    r"(?:1[ .-])?\([2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[ .-][0-9]{4}"  # (212) 555-0123, North America
    r"|(?:1([.-]))?[2-9][0-9]{2}([.-])[2-9][0-9]{2}\2[0-9]{4}"  # 212-555-0123, 1-800-555-0199
    r"|\(0[1-9][0-9]{0,3}\) ?[0-9]{3,4}[ -]?[0-9]{3,5}"  # (020) 7946 0018, (030) 1234567, (02) 5550 1234
    r"|0[1-9][0-9] [0-9]{4} [0-9]{4}"  # 020 7946 0018, Britain
    r"|01[0-9]{2} [0-9]{3} [0-9]{4}"  # 0161 496 0018
    r"|07[0-9]{3} (?:[0-9]{6}|[0-9]{3} [0-9]{3})"  # 07700 900123
    r"|04[0-9]{2} [0-9]{3} [0-9]{3}"  # 0491 570 156, Australia
    r"|0[1-9]([ .])[0-9]{2}\3[0-9]{2}\3[0-9]{2}\3[0-9]{2}"  # 06 39 98 12 34, France
    r"|\([1-9][0-9]\) ?9?[0-9]{4}-[0-9]{4}"  # (11) 91234-5678, Brazil
    r"|0[1-9]0-[0-9]{4}-[0-9]{4}"  # 090-1234-5678, Japan and Korea
    r")(?![\w/+-]|[.,][0-9]|%)"
)
_ANY_DIGITS = re.compile(
    r"(?<![\w.,/+(-])(?<![0-9)][ ])\(?[0-9](?:[ ./()-]{0,2}[0-9]){7,13}(?![\w+]|[.,/-][0-9]|%)"
)
_CALLED_PHONE = re.compile(
    r"(?i)(?<![^\W_])(?:(?:tele|cell|smart)?(?:phone|fon|phon|fono)|tel|mobile|mobil|m[oó]vil|celular|cell|handy|fax"
    r"|whatsapp|hotline|rufnummer|t[eé]l[eé]phone|tel[eé]fono|portable|reach me|call me|text me|ring me|dial)"
    r"(?:\.|[ _-]?(?:number|nummer|no\.?|nr\.?|#))?[\"'*]{0,3}\s?(?:is|ist|est|es|at|on|under)?\s?[:=]?[\"'*\s]{0,4}$"
)
_NUMBERED_THING = re.compile(
    r"(?i)(?<![^\W_])(?:order|invoice|ticket|tracking|case|claim|reference|ref|sku|part|item|model|serial|policy|contract|customer"
    r"|account|isbn|article|id|bestellung|auftrag|rechnung|commande|pedido)(?:s|[ _-]?(?:number|nummer|no\.?|nr\.?|id))?"
    r"[\"']?[\s:=#.]{0,4}(?:is )?[\"'#]?$"
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}([./ -]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"
    r"|[0-3]?[0-9][./ -][0-3]?[0-9][./ -](?:19|20)[0-9]{2}(?![0-9])"
)
_COUNTRY = re.compile(
    r"1|7|2(?:0|7|[1-689][0-9])|3(?:[0-469]|[578][0-9])|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])|6(?:[0-6]|[789][0-9])"
    r"|8(?:[1246]|[0578][0-9])|9(?:[0-58]|[679][0-9])"
)
# Digits after the country code, least and most, where they are few enough to tell a number from what follows it.
_LENGTHS = {
    "1": (10, 10), "7": (10, 10), "20": (8, 10), "27": (9, 9), "30": (10, 10), "31": (9, 9), "32": (8, 9),
    "33": (9, 9), "34": (9, 9), "36": (8, 9), "39": (8, 11), "40": (9, 9), "41": (9, 9), "44": (9, 10),
    "45": (8, 8), "46": (7, 9), "47": (8, 8), "48": (9, 9), "49": (6, 12), "52": (10, 11), "54": (10, 11),
    "55": (10, 11), "56": (9, 9), "57": (10, 10), "60": (8, 10), "61": (9, 9), "63": (8, 10), "64": (8, 10),
    "65": (8, 8), "66": (8, 9), "81": (9, 10), "82": (8, 10), "84": (9, 10), "86": (10, 11), "90": (10, 10),
    "91": (10, 10), "92": (9, 10), "94": (9, 9), "351": (9, 9), "352": (6, 9), "353": (7, 9), "358": (6, 11),
    "380": (9, 9), "420": (9, 9), "421": (9, 9), "852": (8, 8), "886": (8, 9), "971": (8, 9), "972": (8, 9),
}  # fmt: skip
_ANY_LENGTH = (7, 12)
_NORTH_AMERICAN = re.compile(r"1[2-9][0-9]{2}[2-9][0-9]{6}")
_TRUNK_ZERO = re.compile(r"\(0\)")
_FRACTION = re.compile(r"\.[0-9]$")
_BYTE_BEFORE = re.compile(r"(?<!\w)[0-9A-Fa-f]{2} $")
_BYTE_AFTER = re.compile(r" [0-9A-Fa-f]{2}(?!\w)")
_GROUP = re.compile(r"[0-9]+")


def _find(text: str) -> Iterator[Span]:
    spans = sorted((*_international(text), *_national(text), *_called_phone(text)))
    end = 0
    for span in spans:
        if span[0] >= end:
            yield span
            end = span[1]


def _international(text: str) -> Iterator[Span]:
    if "+" not in text:
        return iter(())
    return accepted_in_runs(_INTERNATIONAL, text, _with_country_code)


def _with_country_code(match: re.Match[str]) -> Span | None:
    """The groups of digits that belong to the number, by the country's lengths; numbers after it do not."""
    number = _TRUNK_ZERO.sub("___", match[1])
    digits = "".join(filter(str.isdecimal, number))
    country = _COUNTRY.match(digits)
    if country is None or _starts_with_zero(digits[country.end() :], country[0]):
        return None
    if _FRACTION.search(number) or not _GROUP.findall(number)[0].startswith(country[0]):
        return None
    least, most = (len(country[0]) + bound for bound in _LENGTHS.get(country[0], _ANY_LENGTH))
    end = _group_end(number, least, most)
    return (match.start(), match.start(1) + end) if end else None


def _starts_with_zero(national: str, country: str) -> bool:
    """No national number starts with a zero, save in Italy."""
    return national.startswith("0") and country != "39"


def _group_end(number: str, least: int, most: int) -> int:
    """Where the last group of digits ends that keeps the number in bounds; 0 if none does."""
    count, end = 0, 0
    for group in _GROUP.finditer(number):
        count += len(group[0])
        if count > most:
            break
        if count >= least:
            end = group.end()
    return end


def _national(text: str) -> Iterator[Span]:
    return accepted_in_runs(_NATIONAL, text, lambda match: _not_numbered(text, match.span()))


def _not_numbered(text: str, span: Span) -> Span | None:
    """A national form, unless it is called something else, counts, or is a row of bytes."""
    counting = text[span[0] : span[1]].startswith("01 02 03")
    of_bytes = follows(_BYTE_BEFORE, text, span[0]) or _BYTE_AFTER.match(text, span[1]) is not None
    return None if counting or of_bytes or follows(_NUMBERED_THING, text, span[0]) else span


def _called_phone(text: str) -> Iterator[Span]:
    return accepted_in_runs(_ANY_DIGITS, text, lambda match: _labelled(text, match))


def _labelled(text: str, match: re.Match[str]) -> Span | None:
    if _DATE.match(match[0]) or not follows(_CALLED_PHONE, text, match.start(), 48):
        return None
    end = _group_end(match[0], 8, 13)
    return (match.start(), match.start() + end) if end else None


def _normal(value: str) -> str:
    """The digits; those of North America without the 1 before them, since it comes and goes."""
    digits = "".join(filter(str.isdecimal, _TRUNK_ZERO.sub("", value)))
    return digits[1:] if _NORTH_AMERICAN.fullmatch(digits) else digits


def _stand_in(value: str, draws: Draws) -> str:
    """A number in the same form: its country and the start of its plan, then what ends in 55501 and two digits.

    555-0100 to 555-0199 are kept for films in North America; elsewhere the end is at least a rare one.
    """
    digits = "".join(filter(str.isdecimal, value))
    drawn = _fictitious(_kept(value, digits), len(digits), draws)
    new = iter(drawn)
    return "".join(next(new) if character.isdecimal() else character for character in value)


def _kept(value: str, digits: str) -> str:
    """What stays: the country code, a trunk zero, and the digit or two that say which kind of number it is."""
    if (
        len(_normal(value)) == 10
        and not digits.startswith("0")
        and ("+" not in value or digits.startswith("1"))
    ):
        return digits[:-10]
    if "+" not in value:
        return digits[:3]
    country = _COUNTRY.match(digits)
    assert country is not None, "what was found has a country code"
    zero = "0" if "(0)" in value else ""
    return digits[: country.end() + len(zero) + 1]


def _fictitious(kept: str, length: int, draws: Draws) -> str:
    end = "55501" + draws.digits(2)
    between = length - len(kept) - len(end)
    if between < 0:
        return kept + end[-(length - len(kept)) :]
    # A first digit of 2 to 9 and a second of 0 to 8 make any three digits an area code of North America.
    area = f"{2 + draws.below(8)}{draws.below(9)}" + draws.digits(between)
    return kept + area[:between] + end


DETECTOR = Detector(
    name="phone",
    about="a plus sign, a country code and as many digits as the country has; a usual national form; or 8 to 13"
    " digits that are called a phone number",
    rank=90,
    find=_find,
    normal=_normal,
    stand_in=_stand_in,
    repeats=True,
)
