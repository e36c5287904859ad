"""Points in time as people write them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from logminer.errors import UsageError

_AGO = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_age(text: str, *, option: str) -> timedelta:
    """A length of time: `7d`, `12h`, `30m`, `2w`. Raises UsageError that names `option`."""
    age = _AGO.fullmatch(text)
    if age is None:
        raise UsageError(f"{text!r} is no length of time", where=option, fix="Write 3d, 12h, 30m or 2w.")
    return int(age[1]) * _UNITS[age[2]]


def parse_instant(text: str, *, option: str, now: datetime | None = None) -> datetime:
    """A date (`2026-03-14`), an instant (`2026-03-14T12:00Z`, UTC without a zone) or an age (`7d`, `12h`).

    Raises UsageError that names `option`.
    """
    age = _AGO.fullmatch(text)
    try:
        if age:
            return (now or datetime.now(UTC)) - int(age[1]) * _UNITS[age[2]]
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no point in time",
            where=option,
            fix="Write a date (2026-03-14), an instant (2026-03-14T12:00Z) or an age (7d, 12h, 30m, 2w).",
        ) from None
