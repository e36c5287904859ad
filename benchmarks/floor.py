"""The floor of ingest: what has to be done with the bytes whoever reads them, in one process and one thread.

Run it as: python -m benchmarks.floor LOGS FILE.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from zlib_ng import gzip_ng

_GROUP_BYTES = 32 << 20
_SCHEMA = pa.schema([("line", pa.binary())])


def write_floor(folder: Path, target: Path) -> None:
    """Gunzip every object, and write its lines as they are: one column of Parquet, zstd level 1."""
    pa.set_cpu_count(1)
    with pq.ParquetWriter(
        target, _SCHEMA, compression="zstd", compression_level=1, use_dictionary=False, write_statistics=False
    ) as writer:
        lines: list[bytes] = []
        size = 0
        for path in sorted(folder.rglob("*.json.gz")):
            data = gzip_ng.decompress(path.read_bytes())
            size += len(data)
            lines += data.splitlines()
            if size > _GROUP_BYTES:
                writer.write_table(_table(lines))
                lines, size = [], 0
        writer.write_table(_table(lines))


def _table(lines: list[bytes]) -> pa.Table:
    return pa.table([pa.array(lines, pa.binary())], schema=_SCHEMA)


if __name__ == "__main__":
    write_floor(Path(sys.argv[1]), Path(sys.argv[2]))
