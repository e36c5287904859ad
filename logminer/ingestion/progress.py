"""Who is told how far an ingest is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far an ingest is. Sizes are stored bytes."""

    def listed(self, objects: int) -> None:
        """So many more objects were found in the sources; which of them are new is not known yet."""

    def begin(self, objects: int, size_bytes: int) -> None:
        """There is this much to read, beside what was told before: a log group tells it batch by batch."""

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """So much more is read."""


class NoProgress:
    """Tells nobody."""

    def listed(self, objects: int) -> None:
        """Nothing."""

    def begin(self, objects: int, size_bytes: int) -> None:
        """Nothing."""

    def advance(self, objects: int, size_bytes: int, records: int) -> None:
        """Nothing."""
