"""Configuration: `logminer.toml` in the working folder, then the user's own file.

Flags come first, then `LOGMINER_*` variables, then these files, then defaults. What concerns AWS belongs to the
AWS chain and has no place here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from logminer.errors import ConfigurationError, UsageError
from logminer.s3.encryption import Algorithm, Encryption
from logminer.s3.uris import split_s3
from logminer.source_rules import S3Settings, SourceRule, is_log_group
from logminer.toml_tables import refuse_unknown

DEFAULT_STORE = "./logminer-store"
_PROJECT_FILE = "logminer.toml"


@dataclass(frozen=True)
class Config:
    """Settings that commands fall back on.

    `aliases` maps opaque model ids to models; `sources` are S3 prefixes and how each is reached. `text_for` (a
    filter) and `text_teacher` say whose text an ingest keeps; `encryption` is that of what is written to S3.
    """

    store: str = DEFAULT_STORE
    aliases: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[SourceRule, ...] = ()
    text_for: str | None = None
    text_teacher: str | None = None
    encryption: Encryption | None = None


def user_file(environment: Mapping[str, str]) -> Path | None:
    """Where a user's own settings lie: `$XDG_CONFIG_HOME/logminer/config.toml`; None for a user without a home.

    The variable falls back on `~/.config`, and counts only where it is absolute:
    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    base = environment.get("XDG_CONFIG_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "logminer" / "config.toml"
    home = environment.get("HOME")
    return Path(home) / ".config" / "logminer" / "config.toml" if home else None


def read_config(folder: Path, environment: Mapping[str, str]) -> Config:
    """The settings of both files, the project's over the user's. Raises ConfigurationError."""
    store = DEFAULT_STORE
    aliases: dict[str, str] = {}
    sources: dict[str, SourceRule] = {}
    ingest = _Ingest()
    encryption: Encryption | None = None
    for path in (user_file(environment), folder / _PROJECT_FILE):
        settings = _read_toml(path) if path is not None else {}
        refuse_unknown(
            settings, ("store", "models", "sources", "ingest", "s3"), "", str(path), ConfigurationError
        )
        store = _store(settings, store, str(path))
        aliases.update(_aliases(settings, str(path)))
        ingest = _ingest(settings, ingest, str(path))
        encryption = _encryption(settings, str(path)) or encryption
        sources.update((rule.prefix, rule) for rule in _sources(settings, str(path)))
    return Config(
        store=environment.get("LOGMINER_STORE") or store,
        aliases=aliases,
        sources=tuple(sources.values()),
        text_for=ingest.text_for,
        text_teacher=ingest.text_teacher,
        encryption=encryption,
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read: {error}", where=str(path)) from error
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"is not TOML: {error}", where=str(path), fix="Mend that line.") from error


def _store(settings: Mapping[str, Any], fallback: str, where: str) -> str:
    store = settings.get("store", fallback)
    if not isinstance(store, str) or not store:
        raise ConfigurationError(
            "`store` must be a path", where=where, fix='Write: store = "./logminer-store"'
        )
    return store


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    """An entry of `[[sources]]`, in the words of the file."""

    uri: str
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    requester_pays: bool = False
    body_buckets: list[str] = []


def _sources(settings: Mapping[str, Any], where: str) -> list[SourceRule]:
    try:
        entries = msgspec.convert(settings.get("sources", []), list[_Source])
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"[[sources]] is not as it should be: {error}",
            where=where,
            fix='Write: uri = "s3://bucket/prefix", and if needed region, role_arn, external_id, '
            "requester_pays, body_buckets",
        ) from error
    rules = []
    for entry in entries:
        access = S3Settings(entry.region, entry.role_arn, entry.external_id, entry.requester_pays)
        if is_log_group(entry.uri):
            rules.append(SourceRule(entry.uri, access, tuple(entry.body_buckets)))
            continue
        try:
            bucket, key = split_s3(entry.uri)
        except UsageError as error:
            raise ConfigurationError(
                f"[[sources]] uri {entry.uri!r} {error.problem}", where=where, fix=error.fix
            ) from error
        rules.append(SourceRule(f"s3://{bucket}/{key}".rstrip("/"), access, tuple(entry.body_buckets)))
    return rules


class _Ingest(msgspec.Struct, forbid_unknown_fields=True):
    """`[ingest]`, in the words of the file."""

    text_for: str | None = None
    text_teacher: str | None = None


def _ingest(settings: Mapping[str, Any], fallback: _Ingest, where: str) -> _Ingest:
    """The settings of one file over those of another."""
    try:
        own = msgspec.convert(settings.get("ingest", {}), _Ingest)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"[ingest] is not as it should be: {error}",
            where=where,
            fix='Write: text_for = "project=CustomerService", text_teacher = "meta.llama3-1-405b"',
        ) from error
    return _Ingest(own.text_for or fallback.text_for, own.text_teacher or fallback.text_teacher)


class _S3(msgspec.Struct, forbid_unknown_fields=True):
    """`[s3]`, in the words of the file."""

    sse: Algorithm | None = None
    kms_key_id: str | None = None


def _encryption(settings: Mapping[str, Any], where: str) -> Encryption | None:
    try:
        own = msgspec.convert(settings.get("s3", {}), _S3)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"[s3] is not as it should be: {error}", where=where, fix=_S3_FIX) from error
    if own.kms_key_id is not None and own.sse == "AES256":
        raise ConfigurationError("[s3] kms_key_id goes with sse aws:kms", where=where, fix=_S3_FIX)
    if own.sse is None:
        return Encryption("aws:kms", own.kms_key_id) if own.kms_key_id is not None else None
    return Encryption(own.sse, own.kms_key_id)


_S3_FIX = 'Write: sse = "aws:kms" (or "aws:kms:dsse", "AES256"), kms_key_id = "arn:aws:kms:..."'


def _aliases(settings: Mapping[str, Any], where: str) -> dict[str, str]:
    models = settings.get("models", {})
    aliases = models.get("aliases", {}) if isinstance(models, dict) else None
    if not isinstance(aliases, dict) or not all(isinstance(target, str) for target in aliases.values()):
        raise ConfigurationError(
            "[models.aliases] must map model ids to model ids",
            where=where,
            fix='Write: "abcd1234efgh" = "meta.llama3-1-405b-instruct-v1:0"',
        )
    refuse_unknown(models, ("aliases",), "models.", where, ConfigurationError)
    return aliases
