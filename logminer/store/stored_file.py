"""What a listing of a store's own files tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it lies in a store, finished or not. `modified` is UTC."""

    name: str
    size_bytes: int
    modified: datetime
