"""Which metadata keys of a day's files get fields of their own when the files are written together.

A table has its fields for ever, and a limited number of them: keys that came when it was full lie in
`request_metadata_rest`. Those for which the table has a field after all, or room for one, come back from there,
the commonest first; a field that none of the files needs is left out of the new file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from logminer.json_text import encode_json
from logminer.maintenance.engine import working_connection
from logminer.metadata_keys import encode_key
from logminer.schema import FIRST_METADATA_FIELD, MAX_PROMOTED_KEYS
from logminer.store.duck import metadata_fields_in, quote_name, scan_files
from logminer.store.storage import Storage
from logminer.store.table import DataFile

if TYPE_CHECKING:
    import pyarrow as pa

# Of a key in `requestMetadata`; longer ones never get a field. Source:
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
_MAX_KEY_CHARACTERS = 256


def new_fields(storage: Storage, files: Sequence[DataFile], table_fields: Sequence[str]) -> tuple[str, ...]:
    """The encoded fields that the table could get for the commonest keys that have none, sorted."""
    room = MAX_PROMOTED_KEYS - len(table_fields)
    if room <= 0 or not files:
        return ()
    fields = [field for field in _fields_of_rest(storage, files) if field not in table_fields]
    return tuple(sorted(fields[:room]))


def fields_for_files(
    storage: Storage, files: Sequence[DataFile], table_fields: Sequence[str]
) -> tuple[str, ...]:
    """The encoded fields that these files need together, of those that the table has.

    Those of few values come last: filters ask for them, and they lie near a file's end.
    """
    used = dict.fromkeys([*_fields_of_rest(storage, files), *_used_fields(storage, files)])
    allowed = frozenset(table_fields)
    return tuple(field for field in used if field in allowed) or (FIRST_METADATA_FIELD,)


def _used_fields(storage: Storage, files: Sequence[DataFile]) -> list[str]:
    """The fields in which some row has a value, those of the most different ones first."""
    scan = scan_files(storage, files)
    with working_connection(storage) as connection:
        fields = metadata_fields_in(connection, scan)
        counts = ", ".join(f"approx_count_distinct(request_metadata.{quote_name(field)})" for field in fields)
        row = connection.execute(f"SELECT {counts} FROM {scan}").fetchone()
    assert row is not None
    numbers = dict(zip(fields, row, strict=True))
    return sorted((field for field in fields if numbers[field]), key=numbers.__getitem__, reverse=True)


def _fields_of_rest(storage: Storage, files: Sequence[DataFile]) -> list[str]:
    """The encoded fields of keys that lie in the rest, the commonest first."""
    with working_connection(storage) as connection:
        rows = connection.execute(
            "SELECT key, count(*) AS records FROM "
            f"(SELECT unnest(json_keys(request_metadata_rest)) AS key FROM {scan_files(storage, files)} "
            "WHERE request_metadata_rest IS NOT NULL) "
            "WHERE length(key) <= $1 GROUP BY key ORDER BY records DESC, key LIMIT $2",
            [_MAX_KEY_CHARACTERS, 16 * MAX_PROMOTED_KEYS],
        ).fetchall()
    return [encode_key(key) for key, _ in rows]


def with_metadata_fields(rows: pa.Table, fields: Sequence[str]) -> pa.Table:
    """The rows with these metadata fields: others must be empty, and keys of the rest that have one now move."""
    import pyarrow as pa

    metadata = rows["request_metadata"].combine_chunks()
    rest, moved = _split_rest(rows["request_metadata_rest"].to_pylist(), frozenset(fields))
    own = {field.name: metadata.field(index) for index, field in enumerate(metadata.type)}
    nothing = pa.nulls(len(metadata), pa.string())
    arrays = [_patched(own.get(field, nothing), moved.get(field)) for field in fields]
    filled = {row for values in moved.values() for row in values}
    absent = [null and row not in filled for row, null in enumerate(metadata.is_null().to_pylist())]
    struct = pa.StructArray.from_arrays(arrays, names=list(fields), mask=pa.array(absent, pa.bool_()))
    rows = _with_column(rows, "request_metadata", struct)
    return _with_column(rows, "request_metadata_rest", pa.array(rest, pa.string())) if moved else rows


def _split_rest(
    texts: list[str | None], fields: frozenset[str]
) -> tuple[list[str | None], dict[str, dict[int, str]]]:
    """What stays in the rest of each row, and by field the values that move, by row."""
    moved: dict[str, dict[int, str]] = {}
    for row, text in enumerate(texts):
        if text is None:
            continue
        stays = {}
        for key, value in json.loads(text).items():
            field = encode_key(key)
            if field in fields:
                moved.setdefault(field, {})[row] = value
            else:
                stays[key] = value
        texts[row] = encode_json(stays).decode() if stays else None
    return texts, moved


def _patched(array: pa.Array, values: dict[int, str] | None) -> pa.Array:
    import pyarrow as pa

    if not values:
        return array
    old = array.to_pylist()
    return pa.array([values.get(row, value) for row, value in enumerate(old)], pa.string())


def _with_column(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)
