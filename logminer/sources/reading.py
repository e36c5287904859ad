"""Log objects and offloaded bodies opened, wherever they lie, with the access that their source has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import msgspec

from logminer.errors import LogminerError
from logminer.s3.access import S3Access, S3Settings
from logminer.s3.fetching import Fetcher
from logminer.s3.ranges import open_object
from logminer.s3.uris import is_s3, split_s3
from logminer.sources.bucket import read_bucket_body
from logminer.sources.local import open_local, read_local_body
from logminer.sources.objects import LogObject

# Larger objects are read in ranges and never held whole.
_WHOLE_BYTES = 32 << 20


class SourceRule(msgspec.Struct, frozen=True):
    """How what lies below an S3 prefix is reached, and in which buckets its bodies may lie beside its own."""

    prefix: str
    s3: S3Settings = S3Settings()
    body_buckets: tuple[str, ...] = ()


class SourceReader:
    """Opens log objects and bodies by the rules of their sources; the longest prefix decides."""

    def __init__(self, rules: Sequence[SourceRule] = ()) -> None:
        self._rules = sorted(rules, key=lambda rule: -len(rule.prefix))
        self._accesses: dict[S3Settings, S3Access] = {}
        self._fetchers: dict[S3Settings, Fetcher] = {}

    def access(self, uri: str) -> S3Access:
        """The access to an S3 address."""
        settings = self._rule(uri).s3
        if settings not in self._accesses:
            self._accesses[settings] = S3Access(settings)
        return self._accesses[settings]

    def _rule(self, uri: str) -> SourceRule:
        for rule in self._rules:
            if uri == rule.prefix or uri.startswith(rule.prefix.rstrip("/") + "/"):
                return rule
        return SourceRule("")

    def _fetcher(self, uri: str) -> Fetcher:
        settings = self._rule(uri).s3
        if settings not in self._fetchers:
            self._fetchers[settings] = Fetcher(self.access(uri))
        return self._fetchers[settings]

    def open_each(self, logs: Sequence[LogObject]) -> Iterator[tuple[LogObject, BinaryIO | LogminerError]]:
        """Each log object with its stored bytes, or with the error that kept it from being opened.

        Small objects from S3 are fetched ahead, side by side.
        """
        from_s3: list[LogObject] = []
        for log in logs:
            if is_s3(log.uri):
                from_s3.append(log)
            else:
                yield log, _opened(log)
        small = [log for log in from_s3 if log.size_bytes <= _WHOLE_BYTES]
        for log in from_s3:
            if log.size_bytes > _WHOLE_BYTES:
                stream = open_object(self._fetcher(log.uri), log.uri, log.size_bytes)
                yield log, cast(BinaryIO, stream)
        yield from self._fetch_small(small)

    def _fetch_small(self, logs: list[LogObject]) -> Iterator[tuple[LogObject, BinaryIO | LogminerError]]:
        by_fetcher: dict[Fetcher, list[LogObject]] = {}
        for log in logs:
            by_fetcher.setdefault(self._fetcher(log.uri), []).append(log)
        for fetcher, own in by_fetcher.items():
            contents = fetcher.get_many((log.uri, log.size_bytes) for log in own)
            for log, content in zip(own, contents, strict=True):
                yield log, content if isinstance(content, LogminerError) else io.BytesIO(content)

    def read_body(self, log: LogObject, path: str) -> bytes:
        """The stored bytes of the body that a record of `log` names. Raises BodyUnavailable, LogminerError."""
        if not is_s3(log.uri):
            return read_local_body(log, path)
        bucket, _ = split_s3(log.uri)
        allowed = frozenset({bucket, *self._rule(log.uri).body_buckets})
        return read_bucket_body(self._fetcher(log.uri), path, allowed)


def _opened(log: LogObject) -> BinaryIO | LogminerError:
    try:
        return open_local(log)
    except LogminerError as error:
        return error
