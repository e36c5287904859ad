"""`{"prompt", "completion"}`: fine-tuning of text models that know no conversations (Titan, Cohere, Llama 3.1).

These lines have no place for a system prompt: it stands before the user's text, with a blank line between them.
"""

from __future__ import annotations

from logminer.exports.format import ExportFormat
from logminer.exports.texts import refuse_more_than_text, sole_prompt
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair


def _write_line(pair: PromptResponsePair) -> bytes:
    return encode_json({"prompt": sole_prompt(pair), "completion": pair.response}) + b"\n"


FORMAT = ExportFormat(
    name="prompt-completion",
    about="prompt and completion lines; the system prompt goes before the prompt",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    profile="prompt-completion",
    write_line=_write_line,
    turns=False,
    refuse=refuse_more_than_text,
    routes=("fine-tuning",),
    texts_alone=True,
)
