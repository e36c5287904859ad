"""How objects that are written to S3 are encrypted, where the bucket's own setting will not do.

Some bucket policies refuse a write that does not name the key. It is one choice for all that a process writes:
stores and outputs alike. Reading needs no word of it.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html
"""

from __future__ import annotations

from typing import Literal

import msgspec

Algorithm = Literal["AES256", "aws:kms", "aws:kms:dsse"]


class Encryption(msgspec.Struct, frozen=True):
    """An algorithm, and the KMS key for those that have one; None is the account's own key for S3."""

    algorithm: Algorithm
    kms_key_id: str | None = None


_chosen: dict[str, Encryption] = {}


def encrypt_writes(encryption: Encryption | None) -> None:
    """Encrypt what this process writes to S3 from now on so; None leaves it to the bucket."""
    _chosen.clear()
    if encryption is not None:
        _chosen["all"] = encryption


def write_encryption() -> Encryption | None:
    """What was chosen."""
    return _chosen.get("all")
