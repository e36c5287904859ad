"""API tokens: those that say by a prefix whose they are, JSON Web Tokens, and what is called a token or API key.

Prefixes as their makers publish them, such as
https://github.blog/engineering/behind-githubs-new-authentication-token-formats/ and
https://api.slack.com/concepts/token-types. Not taken: names that merely start the same way
(`sk-learn-pipeline-steps`), variables in the place of a token (`$API_KEY`), and hashes that nothing calls a token.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

import msgspec

from logminer.json_text import encode_json
from logminer.redaction.detector import Detector, Span, accepted
from logminer.redaction.draws import Draws

_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?P<sure>gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{30,255}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,250}|xapp-[A-Za-z0-9-]{20,250}"  # Slack
    r"|AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{30,500}"  # Google
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,100}"  # Stripe
    r"|npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{50,500}"
    r"|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"  # SendGrid
    r"|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})"
    r"|(?P<likely>sk-[A-Za-z0-9_-]{20,250}|hf_[A-Za-z0-9]{30,60}|glpat-[A-Za-z0-9_.-]{20,100}"
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{33})"
    r")(?![A-Za-z0-9])"
)
_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(eyJ[\w-]{8,2000})\.(eyJ[\w-]{4,20000})\.([\w-]{0,2000})(?![\w-])", re.ASCII
)
_CALLED_TOKEN = re.compile(
    r"(?i)(?:bearer[ ]{1,2}|(?:api[ _-]?key|api[ _-]?token|access[ _-]?token|auth[ _-]?token|client[ _-]?secret)"
    r"[\"']?\s?(?:is|[:=])\s?[\"'`]?)([A-Za-z0-9_.~+/-]{20,2000}={0,2})(?![A-Za-z0-9_$(\[])"
)
_ANY_PREFIX = re.compile(
    r"(?:ghp|gho|ghu|ghs|ghr|github_pat|npm|hf|dop_v1|shp(?:at|ca|pa|ss)|[rs]k_(?:live|test)|whsec)_"
    r"|(?:xox[abeprs]|xapp|GOCSPX|glpat|pypi-AgE|sk-(?:proj|ant|or)-(?:[a-z]{1,8}[0-9]{1,2}-)?|sk)-?"
    r"|AIza|ya29\.|SG\.|dapi|[0-9]{8,10}:AA"
)
_MARKS = (
    "gh", "xox", "xapp-", "AIza", "GOCSPX-", "ya29.", "k_live_", "k_test_", "whsec_", "npm_", "pypi-AgE", "SG.",
    "dapi", "dop_v1_", "shp", "sk-", "hf_", "glpat-", ":AA",
)  # fmt: skip
# Parts of what calls something a token, that are there in each way to write it.
_WORDS = ("earer ", "EARER ", "key", "Key", "KEY", "oken", "OKEN", "ecret", "ECRET")
_DIGIT = re.compile("[0-9]")


def _find(text: str) -> Iterator[Span]:
    spans: list[Span] = []
    if any(mark in text for mark in _MARKS):
        spans += accepted(_PREFIXED, text, _prefixed)
    if "eyJ" in text:
        spans += accepted(_JWT, text, _web_token)
    if any(word in text for word in _WORDS):
        spans += accepted(_CALLED_TOKEN, text, _called_token)
    yield from _without_overlap(sorted(spans))


def _without_overlap(spans: list[Span]) -> Iterator[Span]:
    end = 0
    for span in spans:
        if span[0] >= end:
            yield span
            end = span[1]


def _prefixed(match: re.Match[str]) -> Span | None:
    return match.span() if match["sure"] or _looks_drawn(match[0]) else None


def _looks_drawn(token: str) -> bool:
    """Whether it may come from a random source: capitals, small letters and digits, or many digits."""
    digits = len(_DIGIT.findall(token))
    return digits >= 6 or (digits >= 2 and not token.islower() and not token.isupper())


def _called_token(match: re.Match[str]) -> Span | None:
    return match.span(1) if _looks_drawn(match[1]) else None


def _web_token(match: re.Match[str]) -> Span | None:
    header = _json_part(match[1])
    return match.span() if isinstance(header, dict) and "alg" in header else None


def _json_part(part: str) -> object:
    """What a part of a JSON Web Token says, None if it says nothing (RFC 7515, section 2: base64url, no padding)."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _stand_in(value: str, draws: Draws) -> str:
    """The same prefix and other characters; of a web token the same header, another subject and signature."""
    token = _JWT.fullmatch(value)
    if token and _web_token(token):
        return f"{token[1]}.{_claims(token[2], draws)}.{draws.like(token[3])}"
    prefix = _ANY_PREFIX.match(value)
    kept = prefix.end() if prefix else 0
    return value[:kept] + draws.like(value[kept:])


def _claims(part: str, draws: Draws) -> str:
    """Claims with a subject alone, as long as those of `part` were."""
    room = len(part) * 3 // 4 - len('{"sub":""}')
    claims = encode_json({"sub": draws.digits(max(4, room))})
    return base64.urlsafe_b64encode(claims).rstrip(b"=").decode()


DETECTOR = Detector(
    name="api_token",
    about="the published prefix and length of a known service's tokens, a web token whose header has an algorithm, or"
    " 20 random characters after `Bearer`, `api_key:` and the like",
    rank=30,
    find=_find,
    normal=str,
    stand_in=_stand_in,
    repeats=True,
)
