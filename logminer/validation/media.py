"""Images, videos and documents in the lines of Nova and Llama: their format, their place in S3, their number.

    {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/key.jpg", "bucketOwner": "..."}}}}

The files themselves are not looked at, so their size, length and pixels are not checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from logminer.validation.rules import Finding
from logminer.validation.values import check_keys, items_of, wrong_type

MEDIA = ("image", "video", "document")

# What AWS's validator for Nova takes.
_NOVA_URI = re.compile(r"s3://[\w\-/.]+", re.ASCII)
# Elsewhere any key is taken.
_ANY_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)


def check_medium(kind: str, medium: Any, path: str, formats: tuple[str, ...]) -> Iterator[Finding]:
    """A medium as Nova takes it; `kind` is one of `MEDIA`."""
    if not isinstance(medium, dict):
        yield wrong_type(path, medium, "an object")
        return
    named = ("name",) if kind == "document" else ()
    yield from check_keys(medium, path, ("format", "source"), named)
    yield from _check_format(medium, path, formats)
    if "source" in medium:
        yield from _check_source(medium["source"], f"{path}.source", _NOVA_URI, strict=True)


def check_loose_image(image: Any, path: str) -> Iterator[Finding]:
    """An image as AWS's script for Llama takes it: other keys may stand beside."""
    if not isinstance(image, dict):
        yield wrong_type(path, image, "an object")
        return
    for key in ("format", "source"):
        if key not in image:
            yield Finding("missing_key", path, f"the key `{key}` is missing")
    if not isinstance(image.get("format", ""), str):
        yield wrong_type(f"{path}.format", image["format"], "a string")
    if "source" in image:
        yield from _check_source(image["source"], f"{path}.source", _ANY_URI, strict=False)


def _check_format(medium: dict[str, Any], path: str, formats: tuple[str, ...]) -> Iterator[Finding]:
    if "format" in medium and medium["format"] not in formats:
        yield Finding("media_format", f"{path}.format", f"is none of {', '.join(formats)}")


def _check_source(source: Any, path: str, uri: re.Pattern[str], *, strict: bool) -> Iterator[Finding]:
    if not isinstance(source, dict):
        yield wrong_type(path, source, "an object")
        return
    if strict or "s3Location" not in source:
        yield from check_keys(source, path, ("s3Location",), () if strict else tuple(source))
    location = source.get("s3Location", {"uri": "s3://bucket/key"})
    place = f"{path}.s3Location"
    if not isinstance(location, dict):
        yield wrong_type(place, location, "an object")
        return
    yield from check_keys(location, place, ("uri",), ("bucketOwner",) if strict else tuple(location))
    if "uri" in location:
        yield from check_uri(location["uri"], f"{place}.uri", uri)


def check_uri(value: Any, path: str, uri: re.Pattern[str] = _ANY_URI) -> Iterator[Finding]:
    """The address of an S3 object."""
    if not isinstance(value, str):
        yield wrong_type(path, value, "a string")
    elif not uri.fullmatch(value):
        yield Finding("media_uri", path, "is no address of an S3 object")


def check_counts(messages: Any, most: Mapping[str, int]) -> Iterator[Finding]:
    """Not too many media of a kind in one line, and images and videos not both."""
    counts = Counter(
        kind
        for _, message in items_of(messages, "")
        if isinstance(message, dict)
        for _, item in items_of(message.get("content"), "")
        if isinstance(item, dict)
        for kind in MEDIA
        if kind in item
    )
    for kind, count in sorted(counts.items()):
        if count > most.get(kind, count):
            yield Finding("media_count", "$.messages", f"has {count} {kind}s, the most is {most[kind]}")
    if counts["image"] and counts["video"]:
        yield Finding("media_count", "$.messages", "has images and videos, which must not be mixed")
