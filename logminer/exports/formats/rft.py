"""Reinforcement fine-tuning: the prompt as chat messages, the teacher's answer as `reference_answer`.

The reward function is given the reference answer, and the student's own; nothing is trained on the former.
"""

from __future__ import annotations

from logminer.exports.format import ExportFormat
from logminer.exports.formats.openai_chat import openai_messages
from logminer.exports.texts import refuse_more_than_text
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair


def _write_line(pair: PromptResponsePair) -> bytes:
    messages = list(openai_messages(pair, answer=False))
    return encode_json({"messages": messages, "reference_answer": pair.response}) + b"\n"


FORMAT = ExportFormat(
    name="rft",
    about="prompts with a reference answer, for reinforcement fine-tuning",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/rft-prepare-data.html",
    profile="rft",
    write_line=_write_line,
    refuse=refuse_more_than_text,
    routes=("reinforcement",),
    texts_alone=True,
)
