"""A Parquet table of the pairs, for analysis and for trainers outside of Bedrock.

`messages` is a list of `{role, content}` without system prompt and answer, which have columns of their own; tools
and params are JSON text. Metadata, and who called, are there only if they are asked for.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from logminer.errors import UsageError
from logminer.exports.format import ExportFormat, OpenFile
from logminer.exports.texts import refuse_more_than_text, text_turns
from logminer.pairs import PromptResponsePair

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 1000
_GROUP_BYTES = 32 << 20

_TEXTS = (
    "model", "system", "response", "reasoning", "tools", "params", "stop_reason", "prompt_hash", "pair_hash",
)  # fmt: skip
_COUNTS = ("turns", "input_tokens", "output_tokens")
_METADATA = "metadata"
_IDENTITY = "identity"


def _schema(asked: frozenset[str]) -> pa.Schema:
    import pyarrow as pa

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    fields = [
        ("request_id", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("messages", pa.list_(turn)),
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.int32()) for name in _COUNTS),
    ]
    if _METADATA in asked:
        fields.append(("request_metadata", pa.map_(pa.string(), pa.string())))
    if _IDENTITY in asked:
        fields += [("account_id", pa.string()), ("identity_arn", pa.string())]
    return pa.schema(fields)


def _row(pair: PromptResponsePair) -> dict[str, Any]:
    """All columns there can be; those that a schema does not name are not written."""
    turns = text_turns(pair)
    assert turns is not None
    return {
        "request_id": pair.request_id,
        "timestamp": pair.time_us or None,  # what never was a log record has none
        "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        **{name: getattr(pair, name) for name in (*_TEXTS, *_COUNTS)},
        "request_metadata": sorted(pair.request_metadata.items()),
        "account_id": pair.account_id,
        "identity_arn": pair.identity_arn,
    }


def _write_table(
    pairs: Iterable[PromptResponsePair], open_file: OpenFile, asked: frozenset[str] = frozenset()
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(asked)
    with (
        open_file("") as stream,
        # Statistics would repeat texts in the file's footer.
        pq.ParquetWriter(stream, schema, compression="zstd", write_statistics=False) as writer,
    ):
        for rows in _groups(pairs):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _groups(pairs: Iterable[PromptResponsePair]) -> Iterator[list[dict[str, Any]]]:
    """Rows in groups of so many, or of so many bytes of text."""
    left = iter(pairs)
    for first in left:
        rows, size_bytes = [], 0
        for pair in itertools.chain([first], left):
            rows.append(_row(pair))
            size_bytes += len(pair.messages) + len(pair.response or "")
            if len(rows) >= _GROUP_ROWS or size_bytes >= _GROUP_BYTES:
                break
        yield rows


def _make(options: Mapping[str, str]) -> ExportFormat:
    for name, value in options.items():
        if value:
            raise UsageError(f"{name} takes no value", where="--to", fix=f"Such as --to parquet:{name}")
    asked = frozenset(options)
    return dataclasses.replace(
        FORMAT, write_files=lambda pairs, open_file: _write_table(pairs, open_file, asked)
    )


FORMAT = ExportFormat(
    name="parquet",
    about="a typed table, for analysis and trainers outside of Bedrock",
    source="https://parquet.apache.org/docs/file-format/",
    write_files=_write_table,
    ending=".parquet",
    prompts=True,
    refuse=refuse_more_than_text,
    routes=("anywhere",),
    options={
        _METADATA: "with request_metadata",
        _IDENTITY: "with account_id and identity_arn",
    },
    make=_make,
)
