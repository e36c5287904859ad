"""One GET: by obstore, or by boto3 for the keys that obstore cannot name, such as `logs//AWSLogs/...`."""

from __future__ import annotations

from logminer.s3.access import S3Access
from logminer.s3.uris import is_plain_key


def read_object(access: S3Access, bucket: str, key: str, limit_bytes: int | None = None) -> bytes | None:
    """An object's bytes; None where they are more than `limit_bytes`. Raises what obstore and boto3 raise."""
    if not is_plain_key(key):
        return _read_any(access, bucket, key, limit_bytes)
    import obstore

    answer = obstore.get(access.store(bucket), key)
    if limit_bytes is not None and answer.meta["size"] > limit_bytes:
        return None
    return bytes(answer.bytes())


def _read_any(access: S3Access, bucket: str, key: str, limit_bytes: int | None) -> bytes | None:
    answer = access.client(bucket).get_object(Bucket=bucket, Key=key, **access.payer)
    with answer["Body"] as body:
        if limit_bytes is not None and answer["ContentLength"] > limit_bytes:
            return None
        data: bytes = body.read()
    return data


def read_range(access: S3Access, bucket: str, key: str, start: int, length: int) -> bytes:
    """`length` bytes of an object from `start` on. Raises what obstore and boto3 raise."""
    if not is_plain_key(key):
        span = f"bytes={start}-{start + length - 1}"
        answer = access.client(bucket).get_object(Bucket=bucket, Key=key, Range=span, **access.payer)
        with answer["Body"] as body:
            data: bytes = body.read()
        return data
    import obstore

    return bytes(obstore.get_range(access.store(bucket), key, start=start, length=length))


def object_head(access: S3Access, bucket: str, key: str) -> tuple[int, str]:
    """An object's size and etag (without quotes). Raises what obstore and boto3 raise."""
    if not is_plain_key(key):
        answer = access.client(bucket).head_object(Bucket=bucket, Key=key, **access.payer)
        return int(answer["ContentLength"]), str(answer["ETag"]).strip('"')
    import obstore

    found = obstore.head(access.store(bucket), key)
    return found["size"], (found["e_tag"] or "").strip('"')
