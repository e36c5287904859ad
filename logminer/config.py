"""Configuration: `logminer.toml` in the working folder, then the user's own file.

Flags come first, then `LOGMINER_*` variables, then these files, then defaults. What concerns AWS belongs to the
AWS chain and has no place here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logminer.errors import ConfigurationError

DEFAULT_STORE = "./logminer-store"
_PROJECT_FILE = "logminer.toml"


@dataclass(frozen=True)
class Config:
    """Settings that commands fall back on. `aliases` maps opaque model ids to models."""

    store: str = DEFAULT_STORE
    aliases: Mapping[str, str] = field(default_factory=dict)


def user_file(environment: Mapping[str, str]) -> Path:
    """Where a user's own settings lie: `$XDG_CONFIG_HOME/logminer/config.toml`."""
    base = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "logminer" / "config.toml"


def read_config(folder: Path, environment: Mapping[str, str]) -> Config:
    """The settings of both files, the project's over the user's. Raises ConfigurationError."""
    settings: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for path in (user_file(environment), folder / _PROJECT_FILE):
        found = _read_toml(path)
        aliases.update(_aliases(found, path))
        settings.update({key: value for key, value in found.items() if key != "models"})
    store = environment.get("LOGMINER_STORE") or settings.get("store", DEFAULT_STORE)
    if not isinstance(store, str) or not store:
        raise ConfigurationError(
            "`store` must be a path",
            where=str(folder / _PROJECT_FILE),
            fix='Write: store = "./logminer-store"',
        )
    return Config(store=store, aliases=aliases)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read: {error}", where=str(path)) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"is not TOML: {error}", where=str(path), fix="Mend that line.") from error


def _aliases(settings: dict[str, Any], path: Path) -> dict[str, str]:
    models = settings.get("models", {})
    aliases = models.get("aliases", {}) if isinstance(models, dict) else None
    if not isinstance(aliases, dict) or not all(isinstance(target, str) for target in aliases.values()):
        raise ConfigurationError(
            "[models.aliases] must map model ids to model ids",
            where=str(path),
            fix='Write: "abcd1234efgh" = "meta.llama3-1-405b-instruct-v1:0"',
        )
    return aliases
