"""The many small files of a quarantine into one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from logminer.errors import StorageError
from logminer.maintenance.engine import working_connection
from logminer.store.quarantine import FOLDER
from logminer.store.storage import Storage

_SMALL_BYTES = 32 << 20
_BATCH_ROWS = 256
# A run that is under way may still empty values in the files that it wrote; see `forget_quarantined`.
_AT_REST = timedelta(hours=1)


def join_quarantine(storage: Storage, now: datetime | None = None) -> int:
    """Write the small files together, each value once, where there is more than one; how many there were.

    What a run wrote in the last hour is left alone. A kill in between leaves values twice, which are read as one.
    """
    before = (now or datetime.now(UTC)) - _AT_REST
    names = [
        file.name
        for file in storage.list_files(FOLDER)
        if file.name.endswith(".parquet") and file.size_bytes < _SMALL_BYTES and file.modified < before
    ]
    if len(names) < 2:
        return 0
    together = f"{FOLDER}/joined-{uuid.uuid4().hex[:12]}.parquet"
    try:
        _write_together(storage, names, together)
    except StorageError:
        if not _vanished(storage, names):
            raise
        return 0
    if _vanished(storage, names):
        # Somebody emptied values meanwhile, or joined them too: this copy must not bring them back.
        storage.delete(together)
        return 0
    storage.delete_all(names)
    return len(names)


def _vanished(storage: Storage, names: Sequence[str]) -> bool:
    return not {*names} <= {*storage.list_names(FOLDER)}


def _write_together(storage: Storage, names: Sequence[str], together: str) -> None:
    import pyarrow.parquet as pq

    text = (
        "SELECT DISTINCT ON (source_uri, source_position, source_etag, ingest_id, reason) * "
        "FROM read_parquet($1) ORDER BY source_uri, source_position, ingest_id, reason"
    )
    with working_connection(storage) as connection, storage.open_output(together) as stream:
        paths = [storage.path(name) for name in names]
        reader = connection.sql(text, params=[paths]).to_arrow_reader(_BATCH_ROWS)
        with pq.ParquetWriter(
            stream, reader.schema, compression="zstd", write_statistics=["source_uri"], store_schema=False
        ) as writer:
            for batch in reader:
                writer.write_batch(batch)
