"""`bedrock-conversation-2024`: the JSONL that distillation and fine-tuning jobs of conversation models read.

One content item per message and at most one system item: the strictest form that all of AWS's validators take.
"""

from __future__ import annotations

from logminer.exports.format import ExportFormat
from logminer.exports.texts import refuse_more_than_text
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair

_HEAD = b'{"schemaVersion":"bedrock-conversation-2024",'


def _write_line(pair: PromptResponsePair) -> bytes:
    # The stored messages are JSON in exactly this form, so they are put in as they are.
    system = b"" if pair.system is None else b'"system":[{"text":' + encode_json(pair.system) + b"}],"
    messages = pair.messages.encode()
    if pair.response is not None:
        answer = b'{"role":"assistant","content":[{"text":' + encode_json(pair.response) + b"}]}"
        messages = messages[:-1] + b"," + answer + b"]"
    return _HEAD + system + b'"messages":' + messages + b"}\n"


FORMAT = ExportFormat(
    name="bedrock-conversation",
    about="bedrock-conversation-2024 JSONL for distillation and fine-tuning jobs",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/distillation-prepare-datasets.html",
    profile="distillation",
    write_line=_write_line,
    prompts=True,
    refuse=refuse_more_than_text,
    routes=("distillation", "fine-tuning"),
    texts_alone=True,
)
