"""`{"prompt", "referenceResponse", "category"}`: model evaluation jobs, at most 1,000 lines each.

A line has no place for a system prompt: it stands before the user's text, with a blank line between them. The
category is the value of a metadata key, and only there if one is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from logminer.errors import UsageError
from logminer.exports.format import ExportFormat
from logminer.exports.texts import refuse_more_than_text, sole_prompt
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair


def _write_line(pair: PromptResponsePair, category_key: str | None = None) -> bytes:
    line = {"prompt": sole_prompt(pair)}
    if pair.response is not None:
        line["referenceResponse"] = pair.response
    category = pair.request_metadata.get(category_key) if category_key is not None else None
    if category is not None:
        line["category"] = category
    return encode_json(line) + b"\n"


def _make(options: Mapping[str, str]) -> ExportFormat:
    key = options.get("category", "")
    if not key:
        raise UsageError(
            "category needs a metadata key", where="--to", fix="Such as --to bedrock-eval:category=intent"
        )
    return dataclasses.replace(FORMAT, write_line=lambda pair: _write_line(pair, key), texts_alone=False)


FORMAT = ExportFormat(
    name="bedrock-eval",
    about="prompts with reference responses, for model evaluation jobs of up to 1,000",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-prompt-datasets-judge.html",
    profile="bedrock-eval",
    write_line=_write_line,
    prompts=True,
    turns=False,
    refuse=refuse_more_than_text,
    routes=("evaluation",),
    options={"category": "the metadata key whose value becomes the category"},
    make=_make,
    texts_alone=True,
)
