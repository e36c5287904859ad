"""What S3 says when something is wrong, in words that say what to do."""

from __future__ import annotations

import re

from logminer.errors import ConfigurationError, CredentialsError, LogminerError, StorageError

# S3's error codes, as they stand in the answer that obstore quotes.
_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_WRONG_KEYS = frozenset(
    {"InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidToken"}
)
_ARCHIVED = "InvalidObjectState"
# Of a key that is disabled, about to be deleted, or gone: `KMS.DisabledException` and its like.
_KMS_CODES = "KMS."
# A HEAD has no body to say more in.
_MISSING = frozenset({"NoSuchKey", "404"})
_THROTTLED = frozenset({"SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "Throttling"})

_ACTIONS = {
    "get": "s3:GetObject",
    "list": "s3:ListBucket",
    "put": "s3:PutObject",
    "delete": "s3:DeleteObject",
}


def error_code(error: BaseException) -> str:
    """S3's own code for an error, such as `SlowDown`; empty where there is none.

    boto3 has it as a value, obstore in the text that it quotes.
    """
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str(answer.get("Error", {}).get("Code", ""))
    match = _CODE.search(str(error))
    return match[1] if match else ""


def is_missing(error: BaseException) -> bool:
    """Whether the object is not there."""
    from obstore.exceptions import NotFoundError

    return isinstance(error, NotFoundError | FileNotFoundError) or error_code(error) in _MISSING


def came_of_missing(error: LogminerError) -> bool:
    """Whether an error of ours was raised because an object is not there."""
    return error.__cause__ is not None and is_missing(error.__cause__)


def is_denied(error: BaseException) -> bool:
    """Whether permission is missing."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return True
    if error_code(error) == "AccessDenied" or error_code(error).startswith(_KMS_CODES):
        return True
    # So deltalake says it, and so obstore quotes the answer to a DELETE of many objects.
    return "lacked the necessary privileges" in str(error) or "(code: AccessDenied)" in str(error)


def is_archived(error: BaseException) -> bool:
    """Whether the object lies in an archive storage class and must be restored first."""
    return error_code(error) == _ARCHIVED


def is_throttled(error: BaseException) -> bool:
    """Whether S3 asked for fewer requests."""
    return error_code(error) in _THROTTLED or " 503 " in str(error)


def is_final(error: BaseException) -> bool:
    """Whether asking again cannot help."""
    from obstore.exceptions import AlreadyExistsError

    if isinstance(error, AlreadyExistsError) or error_code(error) in _EXPIRED | _WRONG_KEYS | {
        "NoSuchBucket"
    }:
        return True
    return is_missing(error) or is_denied(error) or is_archived(error)


def s3_failure(error: BaseException, action: str, bucket: str, key: str) -> LogminerError:
    """The error to raise for what went wrong with `action` (get, list, put or delete) on a key."""
    where = f"s3://{bucket}/{key}"
    code = error_code(error)
    if code in _EXPIRED:
        return CredentialsError(
            "the AWS credentials have expired", where=where, fix="Log in again, and run again."
        )
    if code in _WRONG_KEYS:
        return CredentialsError(
            f"AWS does not take these credentials ({code})",
            where=where,
            fix="Check them: aws sts get-caller-identity",
        )
    if is_archived(error):
        return StorageError("lies in an archive storage class", where=where, fix="Restore it, and run again.")
    if is_denied(error):
        return _denied(error, action, bucket, key, where)
    if code == "NoSuchBucket":
        return ConfigurationError("there is no such bucket", where=f"s3://{bucket}", fix="Check its name.")
    if is_missing(error):
        return StorageError(
            "there is no such object", where=where, fix="It was deleted meanwhile; run again."
        )
    reason = code or str(error).splitlines()[0][:200]
    return StorageError(f"S3 failed: {reason}", where=where, fix="Run again: what is committed stays.")


def role_failure(error: BaseException, role: str | None) -> CredentialsError:
    """The error to raise where AWS gives no credentials for a role, that of a profile where none is named."""
    code = error_code(error)
    if code in _EXPIRED | _WRONG_KEYS:
        return CredentialsError(
            f"AWS does not take the credentials that assume it ({code})",
            where=role or "AWS",
            fix="Log in again, and run again; check with: aws sts get-caller-identity",
        )
    return CredentialsError(
        f"the role cannot be assumed ({code})",
        where=role or "AWS",
        fix="Allow sts:AssumeRole on it in your IAM policy, and your identity (with external_id, if it asks for one) "
        "in the role's trust policy.",
    )


def _denied(error: BaseException, action: str, bucket: str, key: str, where: str) -> ConfigurationError:
    resource = f"arn:aws:s3:::{bucket}" if action == "list" else f"arn:aws:s3:::{bucket}/{key}"
    if error_code(error).startswith(_KMS_CODES):
        return ConfigurationError(
            f"its KMS key cannot be used ({error_code(error)})",
            where=where,
            fix="Enable the key, or restore it before it is deleted.",
        )
    if "kms" in str(error).lower():
        key_arn = _KMS_KEY.search(str(error))
        return ConfigurationError(
            f"access denied: {_kms_action(action)} on {key_arn[0] if key_arn else 'the KMS key of the bucket'} is missing",
            where=where,
            fix=f"Allow it in the key's policy and yours, beside {_ACTIONS[action]} on {resource}.",
        )
    return ConfigurationError(
        f"access denied: {_ACTIONS[action]} on {resource} is missing",
        where=where,
        fix=f"Allow it in your IAM policy; where the bucket is encrypted with a KMS key, {_kms_action(action)} on that too.",
    )


def _kms_action(action: str) -> str:
    return "kms:GenerateDataKey and kms:Decrypt" if action == "put" else "kms:Decrypt"
