"""Passwords in URLs and connection strings: `postgres://app:SECRET@host/db`; the secret alone is taken.

Words that stand for a password in documentation (`password`, `$DB_PASSWORD`, `{pw}`, `<secret>`, `***`) stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted
from logminer.redaction.draws import Draws

_USER_INFO = re.compile(r"://[^\s:/@\"'<>\\]{0,100}:([^\s/@\"'<>\\]{1,200})@(?=[\w\[])")
_STANDS_FOR_ONE = re.compile(
    r"(?i)[$%{*\[(].*|x+|\.+|(?:my|your|db|the)?[_-]?(?:pass|passwd|password|passphrase|pwd|pw|secret|token)[0-9]?"
)


def _find(text: str) -> Iterator[Span]:
    if "://" in text and "@" in text:
        yield from accepted(_USER_INFO, text, _password)


def _password(match: re.Match[str]) -> Span | None:
    return None if _STANDS_FOR_ONE.fullmatch(match[1]) else match.span(1)


def _stand_in(value: str, draws: Draws) -> str:
    return draws.like(value)


DETECTOR = Detector(
    name="url_password",
    about="what stands between the colon and the at sign of a URL's user, unless it is a word for a password",
    rank=40,
    find=_find,
    normal=str,
    stand_in=_stand_in,
    repeats=True,
)
