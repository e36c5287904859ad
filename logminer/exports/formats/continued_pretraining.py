"""`{"input"}`: unlabelled text, for continued pre-training.

System prompt, turns and answer stand in their order with blank lines between them, and nothing says who spoke.
"""

from __future__ import annotations

from logminer.exports.format import ExportFormat
from logminer.exports.texts import refuse_more_than_text, text_turns
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair


def _write_line(pair: PromptResponsePair) -> bytes:
    turns = text_turns(pair)
    assert turns is not None
    texts = [pair.system, *(turn.text for turn in turns), pair.response]
    return encode_json({"input": "\n\n".join(text for text in texts if text is not None)}) + b"\n"


FORMAT = ExportFormat(
    name="continued-pretraining",
    about="all text of a pair as one input, without roles",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    profile="continued-pretraining",
    write_line=_write_line,
    prompts=True,
    refuse=refuse_more_than_text,
    routes=("continued-pretraining",),
    texts_alone=True,
)
