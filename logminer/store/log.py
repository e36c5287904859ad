"""The table's own log, read for what deltalake does not tell: when a file left the table.

The log has one JSON file per version, one action a line.
Source of the format: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import msgspec

from logminer.errors import StorageError
from logminer.store.storage import Storage

# Clocks of those who write files and those who write the log may differ by so much.
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Removal:
    """The version that a file left the table with, and when (UTC)."""

    version: int
    time: datetime


class _Remove(msgspec.Struct):
    path: str
    deletion_ms: int | None = msgspec.field(name="deletionTimestamp", default=None)


class _CommitInfo(msgspec.Struct):
    timestamp: int = 0


class _Action(msgspec.Struct):
    remove: _Remove | None = None
    commit: _CommitInfo | None = msgspec.field(name="commitInfo", default=None)


_decoder = msgspec.json.Decoder(_Action)


def read_removals(
    storage: Storage, newest: int, names: Collection[str], written_since: datetime
) -> dict[str, Removal]:
    """When the files `names` (relative to the table's root) left the table; those that never did are not there.

    `written_since` is when the oldest of them was written: older versions cannot speak of any. Reads the log from
    the version `newest` backwards, as far as it must and as far as it goes.
    """
    found: dict[str, Removal] = {}
    wanted = set(names)
    for version in range(newest, -1, -1):
        content = storage.read_bytes(f"invocations/_delta_log/{version:020}.json") if wanted else None
        if content is None:
            break
        committed, removals = _read_entry(storage, version, content)
        found.update((name, removal) for name, removal in removals.items() if name in wanted)
        wanted -= removals.keys()
        if committed is not None and committed < written_since - _CLOCK_SKEW:
            break
    return found


def _read_entry(storage: Storage, version: int, content: bytes) -> tuple[datetime | None, dict[str, Removal]]:
    try:
        actions = [_decoder.decode(line) for line in content.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        where = storage.path(f"invocations/_delta_log/{version:020}.json")
        raise StorageError(
            "the entry of the table's log is damaged", where=where, fix="Restore it from a backup."
        ) from error
    times = [action.commit.timestamp for action in actions if action.commit is not None]
    committed = _utc(times[0]) if times else None
    removals = {
        unquote(action.remove.path): Removal(version, committed or _utc(action.remove.deletion_ms or 0))
        for action in actions
        if action.remove is not None
    }
    return committed, removals


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
