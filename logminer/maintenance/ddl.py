"""Statements that make a store known to other engines: the table, and a view with plain column names.

In the view every metadata key is a column of its own, wherever the store keeps it, and rows that do not count
(re-deliveries, tombstones) are left out. Engines fold case and take few characters in names, so that two keys can
want the same name; the second one then gets a number. The keys themselves stand in comments.

Athena reads Delta Lake tables by themselves, columns and partitions come from the table's own log:
https://docs.aws.amazon.com/athena/latest/ug/delta-lake-tables.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from logminer.errors import UsageError
from logminer.filters.athena import stored_value
from logminer.metadata_keys import decode_key
from logminer.s3.uris import is_s3
from logminer.schema import COLUMNS, FIRST_METADATA_FIELD
from logminer.store.storage import Storage
from logminer.store.table import Snapshot, open_table

ENGINES = {"athena": "Amazon Athena, engine version 3"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_]+")
_METADATA = ("request_metadata", "request_metadata_rest")


@dataclass(frozen=True, slots=True)
class Ddl:
    """Statements, in the order in which they are run, each without a semicolon: Athena takes one at a time."""

    table: str
    view: str


def athena_ddl(
    storage: Storage, *, location: str | None = None, table: str = "invocations", view: str = "records"
) -> Ddl:
    """The statements for Athena. `location` is the store's address where it lies in S3 by another way.

    Raises UsageError for a local store without a location, and for names that Athena does not take.
    """
    for option, name in (("--table", table), ("--view", view)):
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"Athena takes no name like {name!r}", where=option, fix="Use letters, digits and _."
            )
    if table.lower() == view.lower():
        raise UsageError("are the same", where="--table and --view", fix="Give two names.")
    snapshot = open_table(storage).snapshot()
    return Ddl(_athena_table(_location(storage, location), table), _athena_view(snapshot, table, view))


def _location(storage: Storage, given: str | None) -> str:
    place = (given or storage.uri).rstrip("/")
    if not is_s3(place):
        raise UsageError(
            "Athena reads S3 alone",
            where=given or storage.uri,
            fix="Say where the store is, or will be copied to: --location s3://bucket/prefix",
        )
    return f"{place}/invocations/"


def _athena_table(location: str, table: str) -> str:
    return (
        f"CREATE EXTERNAL TABLE {table}\n"
        f"LOCATION {_literal(location)}\n"
        "TBLPROPERTIES ('table_type' = 'DELTA')"
    )


def _athena_view(snapshot: Snapshot, table: str, view: str) -> str:
    fields = [field for field in snapshot.metadata_fields if field != FIRST_METADATA_FIELD]
    columns = [(f'"{column.name}"', "") for column in COLUMNS if column.name not in _METADATA]
    for field, name in zip(fields, column_names(fields), strict=True):
        key = decode_key(field)
        columns.append((f'{stored_value(key, fields)} AS "{name}"', f"  -- key {_in_comment(key)}"))
    lines = [f"  {code},{comment}" for code, comment in columns]
    lines.append('  request_metadata_rest AS "metadata_rest"')
    return (
        f"CREATE OR REPLACE VIEW {view} AS\nSELECT\n"
        + "\n".join(lines)
        + f"\nFROM {table}\nWHERE NOT redelivered AND status <> 'forgotten'"
    )


def column_names(fields: Sequence[str]) -> list[str]:
    """A column name for each encoded metadata field: lower case, no two the same."""
    taken: set[str] = set()
    names = []
    for field in fields:
        plain = "metadata_" + _NOT_IN_NAMES.sub("_", decode_key(field).lower()).strip("_")
        name, number = plain, 1
        while name in taken or name in _METADATA or name == "metadata_rest":
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        names.append(name)
    return names


def _in_comment(key: str) -> str:
    """The key on one line, whatever is in it; the callers chose it."""
    return json.dumps(key)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
