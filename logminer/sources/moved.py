"""Logs that were moved or copied, recorded as if they were read from where they were first."""

from __future__ import annotations

import os
from operator import attrgetter

import msgspec

from logminer.errors import UsageError
from logminer.s3.uris import is_s3, split_s3
from logminer.sources.local import base_folder
from logminer.sources.objects import COPY_ETAG, Listing, LogObject, file_uri, path_of_uri, quote_path


def check_base(base: str) -> str:
    """A base as URI without a slash at its end. Raises UsageError where it is none."""
    if is_s3(base):
        split_s3(base)
        return base.rstrip("/")
    if not base or "\0" in base or ("://" in base and not base.startswith("file://")):
        raise UsageError(
            f"{base!r} is neither s3://bucket/prefix nor a folder",
            where="--source-base",
            fix="Give the place that the logs were copied from.",
        )
    path = path_of_uri(base) if base.startswith("file://") else os.path.abspath(base)
    return file_uri(path).rstrip("/")


def rename_listing(listing: Listing, source: str, base: str) -> None:
    """Give every object of a listing the URI that it has below `base`, and its own as that of a copy.

    `base` is what `check_base` gave. The etag of a copy says nothing of the original, and is marked.
    """
    here = source.rstrip("/") if is_s3(source) else file_uri(base_folder(source)).rstrip("/")
    listing.objects = sorted((_renamed(log, here, base) for log in listing.objects), key=attrgetter("uri"))


def _renamed(log: LogObject, here: str, base: str) -> LogObject:
    if log.uri == here:  # a single object of a bucket
        here = here.rpartition("/")[0]
    uri = base + _respelled(log.uri.removeprefix(here), is_s3(log.uri), is_s3(base))
    return msgspec.structs.replace(log, uri=uri, copy=log.uri, etag=COPY_ETAG + log.etag)


def _respelled(path: str, from_key: bool, to_key: bool) -> str:
    """The end of a URI in the spelling of another place: keys stand as they are, paths are quoted."""
    if from_key == to_key:
        return path
    if from_key:
        return quote_path(path)
    plain = path_of_uri(path)
    return plain if plain.isprintable() else path  # no key is made of bytes that are no text
