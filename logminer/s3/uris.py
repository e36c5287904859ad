"""S3 addresses: `s3://bucket/key`."""

from __future__ import annotations

import re

from logminer.errors import UsageError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What a Bedrock job takes as an S3 URI.
# Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_TrainingDataConfig.html
_BEDROCK_KEY_CHARACTER = re.compile(r"[-!_*'().a-zA-Z0-9/]")
MAX_BEDROCK_URI = 1024


def is_s3(uri: str) -> bool:
    """Whether `uri` names something in S3."""
    return uri.startswith("s3://")


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key has no slash at its ends. Raises UsageError."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not is_s3(uri) or not _BUCKET.fullmatch(bucket):
        raise UsageError("is no S3 address", where=uri, fix="Write s3://bucket/prefix.")
    return bucket, key.strip("/")


def split_object(uri: str) -> tuple[str, str]:
    """Bucket and key of an object's own address, whose key may begin and end with slashes."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def is_plain_key(key: str) -> bool:
    """Whether obstore can name a key: it takes keys for paths, in which `a//b` and `a/../b` are no names."""
    return {"", ".", ".."}.isdisjoint(key.split("/"))


def refused_by_bedrock(uri: str) -> tuple[str, ...]:
    """What of an S3 URI a Bedrock job refuses: characters of the key, `//`, or `length`."""
    _, _, key = uri.removeprefix("s3://").partition("/")
    refused = list(dict.fromkeys(each for each in key if not _BEDROCK_KEY_CHARACTER.match(each)))
    if "//" in key:
        refused.append("//")
    if len(uri) > MAX_BEDROCK_URI:
        refused.append("length")
    return tuple(refused)
