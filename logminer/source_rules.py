"""How what lies below an address is reached: the rules of a configuration, and which of them counts for a source."""

from __future__ import annotations

import msgspec

LOG_GROUP = "cloudwatch:"


class S3Settings(msgspec.Struct, frozen=True):
    """What a configuration may say of an account's S3; everything else is found by the AWS chain."""

    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    requester_pays: bool = False


class SourceRule(msgspec.Struct, frozen=True):
    """How what lies below an S3 prefix is reached, and in which buckets its bodies may lie beside its own."""

    prefix: str
    s3: S3Settings = S3Settings()
    body_buckets: tuple[str, ...] = ()


def is_log_group(source: str) -> bool:
    """Whether a source is `cloudwatch:GROUP`, and not a folder or a bucket."""
    return source.startswith(LOG_GROUP)
