r"""`{"system", "messages"}` with plain strings: fine-tuning of Claude 3 Haiku.

AWS's validator for it (aws-samples/amazon-bedrock-samples, custom-models/bedrock-fine-tuning/claude-haiku)
forbids `\nHuman:` and `\nAssistant:` in every text, so pairs that hold them do not fit.
"""

from __future__ import annotations

from logminer.exports.format import ExportFormat
from logminer.exports.texts import NOT_TEXT, calls_a_tool, chat_messages, text_turns
from logminer.json_text import encode_json
from logminer.pairs import PromptResponsePair

_FORBIDDEN = ("\nHuman:", "\nAssistant:")


def _write_line(pair: PromptResponsePair) -> bytes:
    system = {"system": pair.system} if pair.system is not None else {}
    return encode_json({**system, "messages": chat_messages(pair)}) + b"\n"


def _refuse(pair: PromptResponsePair) -> str | None:
    turns = text_turns(pair)
    if turns is None or calls_a_tool(pair):
        return NOT_TEXT
    texts = (pair.system or "", pair.response or "", *(turn.text for turn in turns))
    for words in _FORBIDDEN:
        if any(words in text for text in texts):
            return f"has a line that begins with {words[1:]!r}, which this format keeps for itself"
    return None


FORMAT = ExportFormat(
    name="anthropic-messages",
    about="system and messages as plain strings; fine-tuning of Claude 3 Haiku",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html",
    profile="anthropic-messages",
    write_line=_write_line,
    refuse=_refuse,
    routes=("fine-tuning",),
    texts_alone=True,
)
