"""Which log objects had records that the store no longer takes, since `store expire` ended their time.

They count as known, so that no ingest reads them again. The list holds no more than where objects lay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from logminer.store.duck import connect, scan_files
from logminer.store.lists import add_to_list, read_list
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "expired"


def expired_objects(storage: Storage) -> dict[str, tuple[str, str, int]]:
    """The log objects of expired records, by URI: URI, etag and size in bytes, as they were read last."""
    rows = read_list(storage, FOLDER, _schema())
    columns = [rows[name].to_pylist() for name in ("source_uri", "source_etag", "source_size")]
    return {row[0]: row for row in zip(*columns, strict=True)}


def add_expired_objects(storage: Storage, files: Sequence[DataFile]) -> None:
    """Remember the log objects of all rows of these data files, which are about to leave."""
    if not files:
        return
    with connect(storage) as connection:
        rows = connection.sql(
            "SELECT source_uri, any_value(source_etag) AS source_etag, any_value(source_size) AS source_size "
            f"FROM {scan_files(storage, files)} GROUP BY source_uri ORDER BY source_uri"
        ).to_arrow_table()
    add_to_list(storage, FOLDER, rows.cast(_schema()))


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("source_uri", pa.string()), ("source_etag", pa.string()), ("source_size", pa.int64())])
