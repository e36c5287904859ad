"""Parquet files that are small enough to be read whole."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def read_table(content: bytes) -> pa.Table:
    """The rows of a Parquet file, given as its bytes. Raises OSError or ArrowException where it is damaged.

    Without threads, and not by `pyarrow.parquet.read_table`, which always starts some: a process that ends while
    those start is aborted ("terminate called without an active exception") after all of its work is done.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(content)) as file:
        return file.read(use_threads=False)
