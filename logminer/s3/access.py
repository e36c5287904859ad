"""Who reaches S3, where and how: boto3's chain finds credentials, Region and endpoint, obstore moves the bytes.

Credentials are asked for again before they expire, so that a run may outlast them. Proxies (`HTTPS_PROXY`),
`AWS_CA_BUNDLE` and `AWS_ENDPOINT_URL` count on every path.
"""

from __future__ import annotations

import functools
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logminer.errors import ConfigurationError, CredentialsError
from logminer.s3.encryption import write_encryption
from logminer.s3.failures import role_failure
from logminer.source_rules import S3Settings

if TYPE_CHECKING:
    import boto3
    from obstore.store import ClientConfig, S3Config, S3Store

_CREDENTIALS_LAST = timedelta(minutes=5)
_DEFAULT_REGION = "us-east-1"
_SESSION_NAME = "logminer"


class S3Access:
    """Makes obstore stores and boto3 clients for one set of settings. Safe to use from several threads."""

    def __init__(self, settings: S3Settings | None = None) -> None:
        self.settings = settings or S3Settings()
        self._session: boto3.Session | None = None
        self._credentials: Any = None
        self._regions: dict[str, str] = {}
        self._stores: dict[tuple[str, str], S3Store] = {}
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    @property
    def session(self) -> boto3.Session:
        """The boto3 session; with a role to assume it is that role's."""
        if self._session is None:
            self._session = _make_session(self.settings)
        return self._session

    def store(self, bucket: str, prefix: str = "") -> S3Store:
        """The obstore store of a bucket, whose keys are relative to `prefix`."""
        known = self._stores.get((bucket, prefix))
        if known is None:
            known = self._stores[bucket, prefix] = self._make_store(bucket, prefix)
        return known

    def _make_store(self, bucket: str, prefix: str) -> S3Store:
        from obstore.store import S3Store

        self.require_credentials()  # what is wrong with them is said here, not by a request that fails
        config: S3Config = {"region": self.region_of(bucket)}
        endpoint = self.endpoint()
        if endpoint is not None:
            config["endpoint"] = endpoint
        if self.settings.requester_pays:
            config["request_payer"] = True
        encryption = write_encryption()
        if encryption is not None:
            config["server_side_encryption"] = encryption.algorithm
            if encryption.kms_key_id is not None:
                config["sse_kms_key_id"] = encryption.kms_key_id
        return S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options=_client_options(endpoint),
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=30)},
            credential_provider=self._provide,
        )

    def client(self, bucket: str) -> Any:
        """A boto3 client for a bucket: for the keys that obstore cannot name. It does not retry by itself."""
        from botocore.config import Config

        self.require_credentials()
        with self._making:
            if bucket not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=120)
                self._clients[bucket] = self.session.client(
                    "s3", region_name=self.region_of(bucket), endpoint_url=self.endpoint(), config=config
                )
            return self._clients[bucket]

    @property
    def payer(self) -> dict[str, str]:
        """What a boto3 request says of who pays."""
        return {"RequestPayer": "requester"} if self.settings.requester_pays else {}

    def _provide(self) -> Any:
        frozen = self._frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _CREDENTIALS_LAST,
        }

    def require_credentials(self) -> None:
        """See that there are credentials. Raises CredentialsError."""
        self._frozen_credentials()

    def _frozen_credentials(self) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._credentials is None:
                self._credentials = self.session.get_credentials()
            if self._credentials is None:
                raise _no_credentials("none were found")
            return self._credentials.get_frozen_credentials()
        except ClientError as error:
            raise role_failure(error, self.settings.role_arn) from error
        except BotoCoreError as error:
            raise _no_credentials(str(error)) from error

    def storage_options(self, bucket: str) -> dict[str, str]:
        """The same access in the words that deltalake takes; good until the credentials expire."""
        frozen = self._frozen_credentials()
        options = {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_REGION": self.region_of(bucket),
        }
        if frozen.token:
            options["AWS_SESSION_TOKEN"] = frozen.token
        endpoint = self.endpoint()
        if endpoint is not None:
            options |= {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ALLOW_HTTP": str(endpoint.startswith("http:")).lower(),
            }
        if self.settings.requester_pays:
            options["AWS_REQUEST_PAYER"] = "true"
        encryption = write_encryption()
        if encryption is not None:
            options["AWS_SERVER_SIDE_ENCRYPTION"] = encryption.algorithm
            if encryption.kms_key_id is not None:
                options["AWS_SSE_KMS_KEY_ID"] = encryption.kms_key_id
        return options

    def endpoint(self) -> str | None:
        """An endpoint other than AWS's own, from the environment or the profile."""
        asked = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if asked:
            return asked
        scoped = self.session._session.get_scoped_config()
        found = scoped.get("endpoint_url")
        return found if isinstance(found, str) else None

    def region_of(self, bucket: str) -> str:
        """The bucket's Region; S3 tells it even to those who may not read the bucket."""
        if self.settings.region is not None:
            return self.settings.region
        if bucket not in self._regions:
            own = self.session.region_name or _DEFAULT_REGION
            self._regions[bucket] = own if self.endpoint() is not None else self._asked_region(bucket, own)
        return self._regions[bucket]

    def _asked_region(self, bucket: str, own: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self.session.client("s3", region_name=own).head_bucket(Bucket=bucket)
        except ClientError as error:
            answer = error.response
        except BotoCoreError:
            return own  # the first request will say what is wrong
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return str(headers.get("x-amz-bucket-region", own))


def _make_session(settings: S3Settings) -> boto3.Session:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        # botocore itself knows the older AWS_DEFAULT_REGION alone.
        session = boto3.Session(region_name=settings.region or os.environ.get("AWS_REGION") or None)
    except BotoCoreError as error:
        raise _no_credentials(str(error)) from error
    return session if settings.role_arn is None else _assume(session, settings)


def _assume(session: boto3.Session, settings: S3Settings) -> boto3.Session:
    """A session of the role, whose credentials renew themselves."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session

    own = session.get_credentials()
    if own is None:
        raise _no_credentials(f"none were found to assume {settings.role_arn} with")
    extra = {"RoleSessionName": _SESSION_NAME}
    if settings.external_id is not None:
        extra["ExternalId"] = settings.external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=functools.partial(
            session._session.create_client, region_name=session.region_name or _DEFAULT_REGION
        ),
        source_credentials=own,
        role_arn=settings.role_arn,
        extra_args=extra,
    )
    inner = get_session()
    inner._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=inner, region_name=settings.region or session.region_name)


def _client_options(endpoint: str | None) -> ClientConfig:
    options: ClientConfig = {"connect_timeout": timedelta(seconds=10), "timeout": timedelta(seconds=120)}
    if endpoint is not None and endpoint.startswith("http:"):
        options["allow_http"] = True
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle:
        try:
            options["root_certificate"] = Path(bundle).read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"cannot read: {error.strerror}", where=f"AWS_CA_BUNDLE={bundle}", fix="Check the path."
            ) from error
    return options


def _no_credentials(reason: str) -> CredentialsError:
    return CredentialsError(
        f"no AWS credentials: {reason}",
        where="AWS",
        fix="Log in (aws sso login, aws configure), or set AWS_PROFILE; check with: aws sts get-caller-identity",
    )
