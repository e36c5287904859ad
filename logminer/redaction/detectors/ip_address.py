"""IP addresses of both versions.

Not taken: what says nothing about anybody (unspecified, loopback, multicast and broadcast addresses, netmasks, and
the private networks as a whole, such as 10.0.0.0/8), and what is a version or a section: after a letter, `v`,
`version`, a product and a slash, or a comparison (`>=1.2.3.4`), with leading zeros, or with zeros at the
end; and four small numbers that nothing calls an address: of all addresses it is one in four hundred.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from logminer.redaction.detector import Detector, Span, accepted, accepted_in_runs, follows
from logminer.redaction.draws import Draws

_V4 = re.compile(r"(?<![\w.])[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w+]|-[^\W\d]|\.[\w*])")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w]|:[0-9A-Fa-f:])")
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_VERSION_BEFORE = re.compile(
    r"(?i)(?:\b(?:v|ver|version|release|build|firmware|driver|rev|revision|section|chapter|clause|article|paragraph"
    r"|sdk|update|upgrade|oid|identifier)s?(?:[_ -]?(?:name|number|code|id))?[\s.:=#\"'(]{0,6}(?:to |from |is )?|[~^<>!§#]=?\s?|==\s?|[^\W\d]-|[^\s:/=\"'(\[]/)$"
)
_ADDRESS_BEFORE = re.compile(
    r"(?i)(?:://|@|\b(?:ip|ipv4|hosts?|addr|address(?:es)?|server|dns|client|remote|ping|gateway|peer)[\s\"':=([]{1,4}(?:is )?)$"
)
_PORT_AFTER = re.compile(r":[0-9]{2,5}(?![0-9])|/[0-9]{1,2}(?![0-9.])")
_DOCUMENTATION = ("192.0.2", "198.51.100", "203.0.113")
"""Reserved for examples by RFC 5737, as 2001:db8::/32 is by RFC 3849."""
_HEX = "0123456789abcdef"


def _find(text: str) -> Iterator[Span]:
    fourth = accepted_in_runs(_V4, text, lambda match: _v4(text, match))
    sixth = accepted(_V6, text, lambda match: _v6(match)) if _COLONS.search(text) else iter(())
    # A version 4 address at the end of a version 6 address is found by itself, right after a colon.
    yield from sorted((*fourth, *sixth))


def _v4(text: str, match: re.Match[str]) -> Span | None:
    try:
        address = ipaddress.IPv4Address(match[0])
    except ValueError:
        return None
    numbers = address.packed
    if _says_nothing(address) or numbers[0] in (0, 255) or numbers[2:] == b"\0\0":
        return None
    if text.startswith("/", match.end()) and numbers[3] == 0 and address.is_private:
        return None
    if follows(_VERSION_BEFORE, text, match.start(), 32):
        return None
    like_a_version = numbers[0] < 10 and max(numbers) < 100
    return match.span() if not like_a_version or _is_called_address(text, match) else None


def _is_called_address(text: str, match: re.Match[str]) -> bool:
    return (
        follows(_ADDRESS_BEFORE, text, match.start(), 24) or _PORT_AFTER.match(text, match.end()) is not None
    )


def _says_nothing(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_unspecified or address.is_loopback or address.is_multicast


def _v6(match: re.Match[str]) -> Span | None:
    """An address in colons, unless it may as well be a time, a fingerprint or names joined by `::`."""
    value = match[0]
    if value.endswith(":") and not value.endswith("::"):
        value = value[:-1]
    groups = [group for group in value.split(":") if group]
    few = len(groups) < 3 and not value.lower().startswith(("fe80:", "2001:", "fd", "2a"))
    if few or {len(group) for group in groups} == {2} or not any(map(str.isdecimal, value)):
        return None
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    return None if _says_nothing(address) else (match.start(), match.start() + len(value))


def _normal(value: str) -> str:
    return ipaddress.ip_address(value).compressed


def _stand_in(value: str, draws: Draws) -> str:
    """An address from the ranges for documentation; a version 6 address keeps its groups and where it is cut."""
    if ":" not in value:
        return f"{draws.pick(_DOCUMENTATION)}.{1 + draws.below(254)}"
    head, cut, tail = value.partition("::")
    front = ["2001", "db8", *(_hex_like(group, draws) for group in head.split(":")[2:])]
    back = [_hex_like(group, draws) for group in tail.split(":") if group]
    back = back[max(0, len(front) + len(back) - 7) :] if cut else back
    new = ":".join(front) + cut + ":".join(back)
    return new.upper() if value.isupper() else new


def _hex_like(group: str, draws: Draws) -> str:
    """As many hexadecimal digits, the first of them not zero."""
    first = _HEX[1 + draws.below(15)]
    return first + "".join(draws.pick(_HEX) for _ in group[1:])


DETECTOR = Detector(
    name="ip",
    about="four numbers up to 255 that are no version, or IPv6 in colons of three groups; hosts and not networks",
    rank=80,
    find=_find,
    normal=_normal,
    stand_in=_stand_in,
)
