"""E-mail addresses.

Not taken: names without a dot (`user@localhost`), versions of packages (`react@18.3.0-rc.next`), names of pictures
(`icon@2x.png`), method calls after a matrix product (`a@b.sum()`), the user of
a URL (`ssh://ann@acme.co`), and `git@`, which is no person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted, follows
from logminer.redaction.draws import Draws

_DOMAIN = re.compile(r"(?<=[\w+%'-])@([^\W_][\w-]{0,62}(?:\.[\w-]{1,63}){1,8})(?![\w(-])")
# Read from the right to the left, from the at sign on.
_LOCAL_BACKWARDS = re.compile(r"[\w.%+'-]{1,64}(?![\w%+'-])")
_TOP_LEVEL = re.compile(r"[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}", re.IGNORECASE)
_URL_USER = re.compile(r"://[^\s/@]{0,100}$")
_PICTURE = re.compile(r"[0-9]x\.[a-z]{3,4}", re.IGNORECASE)
_PIECE = re.compile(r"[^\W\d_]+|[0-9]+")
_DOMAINS = ("example.com", "example.org", "example.net")
"""Reserved for examples by RFC 2606: no mail to them arrives anywhere."""


def _find(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from accepted(_DOMAIN, text, lambda match: _address(text, match))


def _address(text: str, domain: re.Match[str]) -> Span | None:
    at = domain.start()
    before = text[max(0, at - 65) : at][::-1]
    local = _LOCAL_BACKWARDS.match(before)
    if not local or not _is_domain(domain[1]):
        return None
    # An address starts with a letter or a digit: the dots before it are the sentence's, a quote is a quote.
    name = local[0].partition("..")[0].rstrip(".%+'-")
    if not name or name == "tig" or follows(_URL_USER, text, at - len(name), 104):
        return None
    return at - len(name), domain.end()


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    if any(label.startswith("-") or label.endswith("-") for label in labels):
        return False
    if labels[0].isdecimal() and labels[1].isdecimal():
        return False
    return _TOP_LEVEL.fullmatch(labels[-1]) is not None and not _PICTURE.fullmatch(domain)


def _stand_in(value: str, draws: Draws) -> str:
    """A name of the same build at a domain for examples: `Ann.Lee7@acme.co` -> `Ozi.Bev3@example.org`."""
    local, _, domain = value.rpartition("@")
    name = _PIECE.sub(lambda piece: _like(piece[0], draws), local)
    new = draws.pick(_DOMAINS)
    return f"{name}@{new.upper() if domain.isupper() else new}"


def _like(piece: str, draws: Draws) -> str:
    return draws.like(piece) if piece.isdecimal() else draws.word_like(piece)


DETECTOR = Detector(
    name="email",
    about="a name of at most 64 characters, an at sign, and a domain of at least two labels that ends in letters",
    rank=50,
    find=_find,
    normal=str.casefold,
    stand_in=_stand_in,
)
