"""A recipe: every option of an export as a TOML file, so that a dataset can be made the same way again.

    to = "bedrock-conversation"
    max = 15000
    curate = true
    held_out = 0.1

    [selection]
    teacher = "meta.llama3-1-405b"
    filter = "project=CustomerService"

    [rules.near_duplicates]
    threshold = 0.9

Names are those of the flags, with `_` for `-`. Paths are relative to the folder that logminer runs in.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

from logminer.datasets.settings import DatasetSettings
from logminer.errors import UsageError
from logminer.toml_tables import refuse_unknown

Kind = type | tuple[type, ...]

SETTINGS: Mapping[str, Kind] = {
    "store": str,
    "output": str,
    "to": str,
    "prompts_only": bool,
    "max": int,
    "allow_few": bool,
    "curate": bool,
    "history": str,
    "system": str,
    "redact": str,
    "redact_kinds": list,
    "redact_model": str,
    "stratify": list,
    "diverse": bool,
    "held_out": (int, float),
    "held_out_to": str,
    "held_out_path": str,
    "session": str,
    "gold": str,
    "rejects": str,
}
SELECTION_SETTINGS: Mapping[str, Kind] = {
    "teacher": str,
    "filter": str,
    "filter_json": str,
    "has_key": list,
    "since": str,
    "until": str,
    "region": list,
    "account": list,
    "operation": list,
    "identity": str,
    "min_input_tokens": int,
    "max_input_tokens": int,
    "min_output_tokens": int,
    "max_output_tokens": int,
    "exclude_detail": list,
    "where": str,
    "version": int,
}
_TABLES = ("selection", "rules")
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list of texts"}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_BYTES = 1 << 20


def read_recipe(path: str) -> dict[str, Any]:
    """The options of a recipe: those of `SETTINGS` at the top, `selection` and `rules` as tables below.

    Raises UsageError for a file that is no recipe, with the near name for a setting that there is not.
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise UsageError("is no recipe: too long", where=path, fix="Give the path of a TOML file.")
        table = tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML, a path with a NUL
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"cannot be read as TOML: {said}", where=f"--recipe {path}", fix="Mend it."
        ) from error
    return check_recipe(table, path)


def check_recipe(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings of a table, checked. Raises UsageError."""
    refuse_unknown(table, (*SETTINGS, *_TABLES), "", where, UsageError)
    options = _settings({k: v for k, v in table.items() if k not in _TABLES}, SETTINGS, "", where)
    if "selection" in table:
        selection = _table(table["selection"], "selection", where)
        refuse_unknown(selection, SELECTION_SETTINGS, "selection.", where, UsageError)
        options["selection"] = _settings(selection, SELECTION_SETTINGS, "selection.", where)
    if "rules" in table:
        rules = _table(table["rules"], "rules", where)
        options["rules"] = {name: dict(_table(rule, f"rules.{name}", where)) for name, rule in rules.items()}
    return options


def _table(value: Any, name: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{name!r} is no table", where=where, fix=f"Write: [{name}]")
    return value


def _settings(table: Mapping[str, Any], kinds: Mapping[str, Kind], prefix: str, where: str) -> dict[str, Any]:
    return {name: _checked(value, kinds[name], prefix + name, where) for name, value in table.items()}


def _checked(value: Any, kind: Kind, name: str, where: str) -> Any:
    if kind is str and isinstance(value, date):  # a TOML date or instant
        return value.isoformat()
    if kind is list:
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
    elif isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    wanted = "a number" if isinstance(kind, tuple) else _WORDS[kind]
    raise UsageError(f"{name!r} must be {wanted}", where=where, fix="Mend that line.")


def format_recipe(options: Mapping[str, Any]) -> str:
    """The TOML text of a recipe that `read_recipe` reads as the same options; what is None is left out."""
    tables = {name: table for name, table in _flattened(options).items() if table or not name}
    return "\n".join(_format_table(name, table) for name, table in tables.items())


def _flattened(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    top = {name: options.get(name) for name in SETTINGS}
    selection = options.get("selection") or {}
    tables = {"": top, "selection": {name: selection.get(name) for name in SELECTION_SETTINGS}}
    for name, rule in sorted((options.get("rules") or {}).items()):
        tables[f"rules.{_key(name)}"] = rule or {"action": "drop"}
    return {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }


def _format_table(name: str, table: Mapping[str, Any]) -> str:
    head = f"[{name}]\n" if name else ""
    return head + "".join(f"{_key(key)} = {_format_value(value)}\n" for key, value in table.items())


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _format_value(name)


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # TOML's escapes are JSON's, but that DEL has to be one too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_format_value, value)) + "]"
    return repr(value)


def settings_as_recipe(settings: DatasetSettings) -> dict[str, Any]:
    """The settings as options of a recipe, without those that were left open; rules with all of their options."""
    form = settings.held_out_format
    options = {
        "to": settings.format.name,
        "prompts_only": settings.prompts_only,
        "max": settings.max_lines,
        "allow_few": settings.allow_few,
        "history": settings.history,
        "system": settings.system,
        "redact": settings.redact,
        "redact_kinds": list(settings.redact_kinds or ()),
        "redact_model": settings.redact_model,
        "stratify": list(settings.stratify),
        "diverse": settings.diverse,
        "held_out": settings.held_out,
        "held_out_to": form.name if form is not None else None,
        "session": settings.session,
        "gold": settings.gold,
        "rules": {
            use.name: {"action": "report" if use.report_only else "drop", **use.options}
            for use in settings.rules
        },
    }
    return {name: value for name, value in options.items() if value not in (None, False, [], {})}


def save_recipe(path: str, options: Mapping[str, Any]) -> None:
    """Write a recipe, whole or not at all."""
    from logminer.outputs import check_output, open_output

    with open_output(check_output(path)) as stream:
        stream.write(format_recipe(options).encode())
