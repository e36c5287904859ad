"""Records from a CloudWatch Logs group, where invocation logging was pointed at one.

A record is one log event. `cloudwatch:GROUP` reads the stream that Bedrock writes, `cloudwatch:GROUP:PREFIX` all
streams that begin so. Each event counts as a log object of its own, since only its id names it for ever:
`cloudwatch://account/region/group/stream#id`, group and stream percent-encoded.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import os
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logminer.errors import ConfigurationError, LogminerError, StorageError, UsageError
from logminer.source_rules import LOG_GROUP, SourceRule
from logminer.sources.objects import LogObject, TimeSpan, file_uri
from logminer.sources.reading import SourceReader

if TYPE_CHECKING:
    import boto3

_BEDROCK_STREAM = "aws/bedrock/modelinvocations"
# An event comes up to some minutes after the call that it tells of, and is found by its own time.
_MARGIN = timedelta(hours=1)
# So much is committed at a time, and lies in temporary files until then.
_BATCH_EVENTS = 10_000
_BATCH_BYTES = 64 << 20
_ATTEMPTS = 8
_FORBIDDEN = 403
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Some events of a log group as log objects, and the time (UTC) of the newest one."""

    logs: tuple[LogObject, ...]
    newest: datetime


@dataclass(frozen=True)
class LogGroup:
    """A log group that was reached: what its events' URIs begin with, and the rule for the bodies they name.

    `streams_uri` is what the URIs begin with of those streams alone that are read.
    """

    uri: str
    streams_uri: str
    rule: SourceRule
    _client: Any
    _name: str
    _streams: str

    def events(self, span: TimeSpan, spool: str, stop: threading.Event) -> Iterator[EventBatch]:
        """The events of a time span, oldest first, as files in the folder `spool`, which last until the next batch.

        Once `stop` is set nothing more is asked for. Raises ConfigurationError or StorageError.
        """
        logs: list[LogObject] = []
        newest_ms = size_bytes = 0
        for event in self._pages(span, stop):
            content = event["message"].encode("utf-8", "surrogatepass")
            logs.append(self._log_object(event, content, spool))
            newest_ms = max(newest_ms, event["timestamp"])
            size_bytes += len(content)
            if len(logs) >= _BATCH_EVENTS or size_bytes >= _BATCH_BYTES:
                yield EventBatch(tuple(logs), _instant(newest_ms))
                _delete(logs)
                logs, size_bytes = [], 0
        if logs:
            yield EventBatch(tuple(logs), _instant(newest_ms))
            _delete(logs)

    def _log_object(self, event: Mapping[str, Any], content: bytes, spool: str) -> LogObject:
        path = os.path.join(spool, _quoted(event["eventId"]))
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(content)
        except OSError as error:
            raise StorageError(
                error.strerror or str(error), where=spool, fix="Point TMPDIR to a larger disk, and run again."
            ) from error
        uri = f"{self.uri}/{_quoted(event['logStreamName'])}#{_quoted(event['eventId'])}"
        return LogObject(uri=uri, root="", size_bytes=len(content), etag="", copy=file_uri(path))

    def _pages(self, span: TimeSpan, stop: threading.Event) -> Iterator[Mapping[str, Any]]:
        from botocore.exceptions import BotoCoreError, ClientError

        asked: dict[str, Any] = {"logGroupName": self._name, "logStreamNamePrefix": self._streams}
        if span.since is not None:
            asked["startTime"] = _milliseconds(span.since)
        if span.until is not None:
            asked["endTime"] = _milliseconds(span.until + _MARGIN)
        try:
            for page in self._client.get_paginator("filter_log_events").paginate(**asked):
                # Not every service that speaks the protocol heeds the prefix.
                yield from (
                    each for each in page["events"] if each["logStreamName"].startswith(self._streams)
                )
                # Pages can be many and empty where events are few and far between.
                if stop.is_set():
                    return
        except (ClientError, BotoCoreError) as error:
            raise _failure(error, self._name, self.uri) from error


def open_log_group(source: str, reader: SourceReader) -> LogGroup:
    """Reach the log group that `cloudwatch:GROUP` or `cloudwatch:GROUP:PREFIX` names.

    Raises UsageError, ConfigurationError or StorageError.
    """
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    name, _, streams = source.removeprefix(LOG_GROUP).partition(":")
    if not name or name.startswith("//") or name == "arn":
        raise UsageError("names no log group", where=source, fix="Write it as: cloudwatch:GROUP")
    rule = reader.rule(source)
    access = reader.access(source)
    access.require_credentials()
    session: boto3.Session = access.session
    if session.region_name is None:
        raise ConfigurationError(
            "in which Region?", where=source, fix="Set AWS_REGION, or region in [[sources]]."
        )
    config = Config(retries={"mode": "adaptive", "max_attempts": _ATTEMPTS})
    try:
        account = session.client("sts", config=config).get_caller_identity()["Account"]
        client = session.client("logs", config=config)
    except (ClientError, BotoCoreError) as error:
        raise _failure(error, name, source) from error
    uri = f"cloudwatch://{account}/{session.region_name}/{_quoted(name)}"
    of_group = SourceRule(uri, rule.s3, rule.body_buckets)
    streams = streams or _BEDROCK_STREAM
    return LogGroup(uri, f"{uri}/{_quoted(streams)}", of_group, client, name, streams)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _milliseconds(instant: datetime) -> int:
    return max(int(instant.timestamp() * 1000), 0)


def _instant(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _delete(logs: Sequence[LogObject]) -> None:
    for log in logs:
        Path(log.path).unlink(missing_ok=True)


def _failure(error: Exception, group: str, where: str) -> LogminerError:
    answer = getattr(error, "response", {})
    code = answer.get("Error", {}).get("Code", "")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "ResourceNotFoundException":
        return ConfigurationError(
            f"there is no log group {group!r} in this account and Region",
            where=where,
            fix="Check its name and the Region: aws logs describe-log-groups",
        )
    if code in _BAD_CREDENTIALS:
        return ConfigurationError(
            "the AWS credentials have expired or are not known",
            where=where,
            fix="Log in again, and run again.",
        )
    if code.startswith("AccessDenied") or status == _FORBIDDEN:
        return ConfigurationError(
            f"access denied: logs:FilterLogEvents on arn:aws:logs:*:*:log-group:{group}:* is missing",
            where=where,
            fix="Allow it in your IAM policy; for a group that is encrypted, kms:Decrypt on its key too.",
        )
    if not code and type(error).__name__ in (
        "NoCredentialsError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
    ):
        return ConfigurationError(
            f"no AWS credentials: {error}", where=where, fix="Log in, or set AWS_PROFILE."
        )
    return StorageError(
        f"CloudWatch Logs failed: {code or str(error).splitlines()[0][:200]}",
        where=where,
        fix="Run again: what is committed stays.",
    )
