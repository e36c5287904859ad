"""Log objects and offloaded bodies opened, wherever they lie, with the access that their source has."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, cast

from logminer.errors import LogminerError
from logminer.s3.access import S3Access
from logminer.s3.fetching import Fetcher
from logminer.s3.ranges import RANGE_BYTES, open_object
from logminer.s3.uris import is_s3, split_s3
from logminer.source_rules import S3Settings, SourceRule
from logminer.sources.bucket import ask_bucket_body
from logminer.sources.local import open_local, read_local_body
from logminer.sources.objects import LogObject, is_log_event

# Larger objects are read in ranges and never held whole.
_WHOLE_BYTES = 32 << 20


class SourceReader:
    """Opens log objects and bodies by the rules of their sources; the longest prefix decides."""

    def __init__(self, rules: Sequence[SourceRule] = ()) -> None:
        self._rules = sorted(rules, key=lambda rule: -len(rule.prefix))
        self._accesses: dict[S3Settings, S3Access] = {}
        self._fetchers: dict[S3Settings, Fetcher] = {}

    def access(self, uri: str) -> S3Access:
        """The access to an S3 address."""
        settings = self.rule(uri).s3
        if settings not in self._accesses:
            self._accesses[settings] = S3Access(settings)
        return self._accesses[settings]

    def rule(self, uri: str) -> SourceRule:
        """The rule for an address; one that says nothing where there is none."""
        for rule in self._rules:
            if uri == rule.prefix or uri.startswith(rule.prefix.rstrip("/") + "/"):
                return rule
        return SourceRule("")

    def _fetcher(self, uri: str) -> Fetcher:
        settings = self.rule(uri).s3
        if settings not in self._fetchers:
            self._fetchers[settings] = Fetcher(self.access(uri))
        return self._fetchers[settings]

    def open_each(self, logs: Sequence[LogObject]) -> Iterator[tuple[LogObject, BinaryIO | LogminerError]]:
        """Each log object with its stored bytes, or with the error that kept it from being opened.

        Small objects from S3 are fetched ahead, side by side.
        """
        from_s3: list[LogObject] = []
        for log in logs:
            if is_s3(log.place):
                from_s3.append(log)
            else:
                yield log, _opened(log)
        small = [log for log in from_s3 if log.size_bytes <= _WHOLE_BYTES]
        for log in from_s3:
            if log.size_bytes > _WHOLE_BYTES:
                stream = open_object(self._fetcher(log.place), log.place, log.size_bytes)
                yield log, cast(BinaryIO, stream)
        yield from self._fetch_small(small)

    def _fetch_small(self, logs: list[LogObject]) -> Iterator[tuple[LogObject, BinaryIO | LogminerError]]:
        by_fetcher: dict[Fetcher, list[LogObject]] = {}
        for log in logs:
            by_fetcher.setdefault(self._fetcher(log.place), []).append(log)
        for fetcher, own in by_fetcher.items():
            contents = fetcher.get_many((log.place, log.size_bytes) for log in own)
            for log, content in zip(own, contents, strict=True):
                yield log, content if isinstance(content, LogminerError) else io.BytesIO(content)

    def ask_body(self, log: LogObject, path: str) -> Callable[[], bytes]:
        """Begin to fetch the body that a record of `log` names; what comes back gives its stored bytes.

        That raises BodyUnavailable, LogminerError.
        """
        if is_log_event(log.uri):  # large bodies lie in a bucket of their own
            return ask_bucket_body(self._fetcher(log.uri), path, frozenset(self.rule(log.uri).body_buckets))
        if not is_s3(log.place):
            return functools.partial(read_local_body, log, path)
        bucket, _ = split_s3(log.place)
        allowed = frozenset({bucket, *self.rule(log.place).body_buckets})
        return ask_bucket_body(self._fetcher(log.place), _moved(log, path), allowed)


def requests_for(log: LogObject) -> int:
    """How many GETs it takes to read a log object from S3."""
    return 1 if log.size_bytes <= _WHOLE_BYTES else -(-log.size_bytes // RANGE_BYTES)


def _moved(log: LogObject, path: str) -> str:
    """Where a body lies now: logs that were moved still name the place that they were written to."""
    if not log.copy:
        return path
    old, new = log.uri.split("/"), log.copy.split("/")
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    before = "/".join(old)
    return "/".join(new) + path.removeprefix(before) if path.startswith(f"{before}/") else path


def _opened(log: LogObject) -> BinaryIO | LogminerError:
    try:
        return open_local(log)
    except LogminerError as error:
        return error
