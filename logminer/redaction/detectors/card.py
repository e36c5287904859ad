"""Payment card numbers.

Issuers and lengths: https://en.wikipedia.org/wiki/Payment_card_number (identification numbers, ISO/IEC 7812). The
check digit is Luhn's. One in thirty random numbers of 16 digits would pass, therefore digits without separators
that are called an order, a tracking number or the like are left alone, and Visa's 13 digits, which no card has had
for decades, are left to the article numbers (EAN).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted_in_runs, follows, refill, without_separators
from logminer.redaction.draws import Draws

_NUMBER = re.compile(
    r"(?<![\w.,/+])"
    r"(?:[0-9]{14,19}"
    r"|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![\w/-]|[.,][0-9])"
)
_WITH_FIFTH_GROUP = len("4111 1111 1111 1111 123")
_NUMBERED_THING = re.compile(
    r"(?i)(?<![^\W_])(?:order|invoice|ticket|tracking|shipment|parcel|reference|ref|serial|imei|isbn|ean|sku|id|event|request"
    r"|transaction|timestamp|trace|session|case|account)(?:[ _-]?(?:number|no\.?|nr\.?|id))?[\"']?[\s:=#.]{0,4}(?:is )?[\"'#]?$"
)
_NETWORKS = (
    # What a number of the network starts with, the lengths it can have, and the range that its test numbers are of.
    (re.compile(r"4"), (16, 19), "424242"),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,), "555555"),  # Mastercard
    (re.compile(r"3[47]"), (15,), "378282"),  # American Express
    (re.compile(r"6011|64[4-9]|65"), (16, 17, 18, 19), "601111"),  # Discover
    (re.compile(r"30[0-5]|3[689]"), (14,), "305693"),  # Diners Club
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19), "356600"),  # JCB
    (re.compile(r"62"), (16, 17, 18, 19), "620000"),  # UnionPay
    (re.compile(r"220[0-4]"), (16, 17, 18, 19), "220000"),  # Mir
    (re.compile(r"5018|5020|5038|5893|6304|6759|676[1-3]"), (16, 17, 18, 19), "676200"),  # Maestro
)


def _find(text: str) -> Iterator[Span]:
    return accepted_in_runs(_NUMBER, text, lambda match: _card(text, match))


def _card(text: str, match: re.Match[str]) -> Span | None:
    start, end = match.span()
    if match[0].isdecimal() and follows(_NUMBERED_THING, text, start):
        return None
    # Three digits after four groups may be a number of their own.
    ends = (end, end - 4) if match[1] and end - start == _WITH_FIFTH_GROUP else (end,)
    return next(((start, last) for last in ends if _is_card(without_separators(text[start:last]))), None)


def _is_card(digits: str) -> bool:
    return _test_range(digits) is not None and luhn_digit(digits[:-1]) == digits[-1]


def _test_range(digits: str) -> str | None:
    return next(
        (tests for start, lengths, tests in _NETWORKS if start.match(digits) and len(digits) in lengths), None
    )


def luhn_digit(digits: str) -> str:
    """The check digit that follows `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def _stand_in(value: str, draws: Draws) -> str:
    """A number of the same network and length, from the range of its test numbers, with a right check digit."""
    digits = without_separators(value)
    start = _test_range(digits)
    assert start is not None, "what was found is of a network"
    number = start + draws.digits(len(digits) - len(start) - 1)
    return refill(value, number + luhn_digit(number))


DETECTOR = Detector(
    name="card",
    about="14 to 19 digits in a card's grouping or none, of a known network and its length, with Luhn's check digit",
    rank=70,
    find=_find,
    normal=without_separators,
    stand_in=_stand_in,
)
