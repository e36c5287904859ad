"""Which files still hold rows that were forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from logminer.errors import StorageError
from logminer.maintenance.criteria import Criteria, find_rows
from logminer.maintenance.leftovers import Leftover
from logminer.store.forgotten import read_forgotten, rows_to_forget
from logminer.store.storage import Storage
from logminer.store.table import DataFile

_AT_ONCE = 200


def files_holding(
    storage: Storage, leftovers: Sequence[Leftover], criteria: Criteria | None = None
) -> list[Leftover]:
    """Those of `leftovers` with rows of the store's list of forgotten ones, or such as `criteria` name.

    One that cannot be read counts: nobody can say that it has none.
    """
    forgotten = read_forgotten(storage)
    if criteria is None and not forgotten.num_rows:
        return []

    def holding(files: list[DataFile]) -> set[str]:
        found = set(rows_to_forget(storage, files, forgotten))
        if criteria is not None:
            found |= set(find_rows(storage, files, criteria).rows)
        return {file.name for file in found}

    names: set[str] = set()
    for start in range(0, len(leftovers), _AT_ONCE):
        files = [each.data_file for each in leftovers[start : start + _AT_ONCE]]
        try:
            names |= holding(files)
        except StorageError:
            for file in files:
                try:
                    names |= holding([file])
                except StorageError:
                    names.add(file.name)
    return [each for each in leftovers if each.data_file.name in names]
