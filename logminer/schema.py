"""The one table of stored columns: name, type, the log's own field, and what the column holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logminer.metadata_keys import encode_key

STORE_FORMAT_VERSION = 1
# The version of everything that turns a record into columns. Raising it lets `ingest --reparse` find old rows.
PARSER_VERSION = 1
MAX_PROMOTED_KEYS = 128

ColumnType = Literal["date", "timestamp", "string", "boolean", "integer", "long", "metadata"]

# The SQL type of each column type, which is also what the store's Parquet files are read as.
SQL_TYPES: dict[ColumnType, str] = {
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "long": "BIGINT",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One stored column. `log_field` is the path in a log record, empty where logminer makes the value.

    `repeats` says that few values occur, so that a dictionary pays off. `is_text` marks columns that hold what
    people wrote, of which no statistics are ever kept.
    """

    name: str
    type: ColumnType
    about: str
    log_field: str = ""
    repeats: bool = False
    is_text: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("date", "date", "UTC date of the call; the table's partition", "timestamp"),
    Column("timestamp", "timestamp", "time of the call, UTC, µs", "timestamp"),
    Column("request_id", "string", "the call's id", "requestId"),
    Column("account_id", "string", "AWS account", "accountId", repeats=True),
    Column("region", "string", "Region that was called", "region", repeats=True),
    Column("inference_region", "string", "Region that answered, if routed", "inferenceRegion", repeats=True),
    Column("operation", "string", "API operation", "operation", repeats=True),
    Column("model_id", "string", "model id exactly as logged", "modelId", repeats=True),
    Column("identity_arn", "string", "who called", "identity.arn", repeats=True, is_text=True),
    Column("error_code", "string", "why the call failed", "errorCode", repeats=True),
    Column("request_metadata", "metadata", "promoted metadata keys, one field each", "requestMetadata"),
    Column("request_metadata_rest", "string", "JSON of the keys that are not promoted", "requestMetadata", is_text=True),
    Column("status", "string", "what the record is good for", repeats=True),
    Column("status_detail", "string", "words that explain the status, separated by spaces", repeats=True),
    Column("prompt_status", "string", "the same judgement of the prompt alone", repeats=True),
    Column("redelivered", "boolean", "the request is in the store already"),
    Column("system", "string", "system prompt", "input.inputBodyJson", is_text=True),
    Column("messages", "string", "JSON list of the prompt's turns as Converse messages", "input.inputBodyJson", is_text=True),
    Column("response", "string", "the answer's text", "output.outputBodyJson", is_text=True),
    Column("response_blocks", "string", "JSON list of the answer's Converse blocks", "output.outputBodyJson", is_text=True),
    Column("reasoning", "string", "what the model thought before it answered", "output.outputBodyJson", is_text=True),
    Column("tools", "string", "JSON list of the offered tools", "input.inputBodyJson", repeats=True, is_text=True),
    Column("params", "string", "JSON object of sampling parameters and limits", "input.inputBodyJson", repeats=True, is_text=True),
    Column("stop_reason", "string", "stop reason as logged", "output.outputBodyJson", repeats=True),
    Column("stop_class", "string", "class of the stop reason", repeats=True),
    Column("prompt_template", "string", "template that a raw prompt was unpacked from", repeats=True),
    Column("turns", "integer", "number of user turns"),
    Column("has_tools", "boolean", "tools were offered or used"),
    Column("has_media", "boolean", "the prompt holds more than text"),
    Column("input_tokens", "integer", "prompt tokens, without cached ones", "input.inputTokenCount"),
    Column("output_tokens", "integer", "answer tokens", "output.outputTokenCount"),
    Column("cache_read_tokens", "integer", "prompt tokens read from a cache", "input.cacheReadInputTokenCount"),
    Column("cache_write_tokens", "integer", "prompt tokens written to a cache", "input.cacheWriteInputTokenCount"),
    Column("latency_ms", "integer", "the model's own latency, ms"),
    Column("prompt_hash", "string", "BLAKE2b-128 of the canonical JSON of [system, messages]"),
    Column("pair_hash", "string", "the same of [system, messages, response]"),
    Column("source_uri", "string", "log object", repeats=True),
    Column("source_position", "long", "0-based ordinal of the record in it"),
    Column("source_etag", "string", "version of the log object", repeats=True),
    Column("source_size", "long", "stored size of the log object, bytes"),
    Column("ingest_id", "string", "run that read it", repeats=True),
    Column("ingested_at", "timestamp", "when that run began"),
    Column("parser_version", "integer", "version of logminer's parser"),
)  # fmt: skip

COLUMN_NAMES = tuple(column.name for column in COLUMNS)
# Columns that hold JSON text; they are shown as what they are.
JSON_COLUMNS = frozenset({"messages", "response_blocks", "tools", "params"})
# What questions ask for most, and the smallest of it last: on S3 it comes with the footer, in one request.
_LAST_IN_FILES = (
    "timestamp", "input_tokens", "output_tokens", "identity_arn", "request_metadata", "request_metadata_rest",
    "account_id", "region", "operation", "model_id", "turns", "status_detail", "prompt_status", "status", "redelivered",
)  # fmt: skip
# The columns of a file in its order. What Delta partitions by is not in the files.
FILE_COLUMNS = (
    *(column for column in COLUMNS if column.name not in ("date", *_LAST_IN_FILES)),
    *(column for name in _LAST_IN_FILES for column in COLUMNS if column.name == name),
)
# A struct needs a field: every table, and a file without any other, has the one for the empty key.
FIRST_METADATA_FIELD = encode_key("")
