"""AWS credentials: access key ids, the secret keys and session tokens that go with them, and Bedrock's API keys.

Prefixes of ids: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (unique identifiers).
A secret key is 40 characters without any mark of its own, like a hash in base64: it is taken where `secret` or an
access key id stands shortly before it, and only if it has capitals, small letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted, follows
from logminer.redaction.draws import Draws

_MARKED = re.compile(
    r"(?<![A-Za-z0-9/+])(?:"
    r"(?P<id>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9]))"
    r"|(?P<session>(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9/+]{80,4000}={0,2})"
    r"|(?P<bedrock>ABSKQmVkcm9ja0FQSUtleS[A-Za-z0-9/+]{20,400}={0,2}"
    r"|bedrock-api-key-[A-Za-z0-9/+=_-]{40,4000}))"
)
_MARKS = ("AKIA", "ASIA", "ABIA", "ACCA", "b3JpZ2lu", "ZXIvYXdz", "ABSKQm", "bedrock-api-key-")
_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])")
_SECRET_NAMED = re.compile(
    r"(?i)secret[ _-]?(?:access)?[ _-]?(?:key)?[^A-Za-z0-9/+]{0,6}(?:is|of)?[^A-Za-z0-9/+]{0,6}$"
)
_ID_BEFORE = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9](?s:.){0,120}$")
_ALL_CLASSES = (re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[0-9]"))


def _find(text: str) -> Iterator[Span]:
    marked = any(mark in text for mark in _MARKS)
    spans = list(accepted(_MARKED, text, re.Match.span)) if marked else []
    if marked or "ecret" in text or "ECRET" in text:
        spans += accepted(_SECRET, text, lambda match: _secret(text, match))
    yield from sorted(spans)


def _secret(text: str, match: re.Match[str]) -> Span | None:
    if not all(kind.search(match[0]) for kind in _ALL_CLASSES):
        return None
    named = follows(_SECRET_NAMED, text, match.start(), 40) or follows(_ID_BEFORE, text, match.start(), 144)
    return match.span() if named else None


def _stand_in(value: str, draws: Draws) -> str:
    """A key that says that it is an example, as those of AWS's documentation do."""
    marked = _MARKED.fullmatch(value)
    if marked is None:
        return draws.like(value[:-10]) + "EXAMPLEKEY"
    if marked["id"]:
        return value[:4] + draws.like(value[4:-7]) + "EXAMPLE"
    start = len("ABSKQmVkcm9ja0FQSUtleS") if marked["bedrock"] else len("IQoJb3JpZ2lu")
    return value[:start] + draws.like(value[start:])


DETECTOR = Detector(
    name="aws_key",
    about="AKIA, ASIA, ABIA or ACCA and 16 capitals or digits; 40 characters called a secret key or after such an id;"
    " session tokens and Bedrock API keys by how they start",
    rank=20,
    find=_find,
    normal=str,
    stand_in=_stand_in,
    repeats=True,
)
