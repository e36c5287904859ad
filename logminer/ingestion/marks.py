"""Up to which hour the Regions' folders of a bucket are read, so that a later listing can begin there.

The table alone cannot say it: a run that was given a time span, or that was killed, leaves newer rows in the table
and older objects unread. So a run that listed a folder from where the last one ended, and read all that it found,
leaves a mark beside the table. A mark that is lost, or of another table, costs a listing from the beginning; what is
in the store is still decided by the table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from logminer.sources import LogObject
from logminer.store.storage import Storage

_NAME = "sources/marks.json"
_HOUR = "%Y-%m-%dT%HZ"


class _Marks(msgspec.Struct):
    """The file: hours by the URIs of Regions' folders, for one table."""

    table_id: str
    hours: dict[str, str]


def read_marks(storage: Storage, table_id: str) -> dict[str, datetime]:
    """The hours (UTC) up to which Regions' folders are read, by their URIs; none where nothing is known."""
    content = storage.read_bytes(_NAME)
    if content is None:
        return {}
    try:
        marks = msgspec.json.decode(content, type=_Marks)
        if marks.table_id != table_id:
            return {}
        return {uri: datetime.strptime(hour, _HOUR).replace(tzinfo=UTC) for uri, hour in marks.hours.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return {}


def write_marks(storage: Storage, table_id: str, moved: Mapping[str, datetime]) -> None:
    """Put new marks in the place of old ones; others stay. Writes nothing where nothing changes.

    Of two runs at once the later file counts: a mark that it lacks is only an older one.
    """
    old = read_marks(storage, table_id)
    new = {**old, **moved}
    if new == old:
        return
    hours = {uri: hour.strftime(_HOUR) for uri, hour in sorted(new.items())}
    with storage.open_output(_NAME) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(_Marks(table_id, hours)), indent=1))


def moved_marks(
    old: Mapping[str, datetime],
    listed: Iterable[LogObject],
    unread: Collection[str],
    whole: Collection[str],
) -> dict[str, datetime]:
    """The marks after a run that listed these objects, and could not read those whose URIs are `unread`.

    `whole` are the Regions' folders whose listing left no gap after the mark: theirs moves to the newest hour,
    though not into the future. An object that could not be read holds its folder's mark at its own hour.
    """
    newest: dict[str, datetime] = {}
    held: dict[str, datetime] = {}
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for log in listed:
        folder, hour = log.region_folder(), log.folder_hour()
        if folder is None or hour is None:
            continue
        newest[folder] = max(newest.get(folder, hour), hour)
        if log.uri in unread:
            held[folder] = min(held.get(folder, hour), hour)
    moved: dict[str, datetime] = {}
    for folder, hour in newest.items():
        if folder in whole:
            moved[folder] = max(min(hour, now), old.get(folder, min(hour, now)))
        if folder in held and (folder in moved or folder in old):
            moved[folder] = min(held[folder], moved.get(folder, old.get(folder, held[folder])))
    return moved
