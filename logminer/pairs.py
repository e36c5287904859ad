"""The prompt-response pair: what curation judges, redaction changes and export formats write."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from logminer.json_text import encode_json


class PromptResponsePair(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One prompt and the response the teacher model gave to it, as the store has them.

    JSON stays text: `messages` is a list of Converse messages, the last one the user's; `response_blocks` a list of
    Converse content blocks; `tools` a list, `params` an object. `response` is None for a prompt without an answer.
    `source_uri` and `source_position` identify the log record. `time_us` is UTC, microseconds since 1970.
    Hashes are those of the stored record, whatever became of its texts since.
    """

    source_uri: str
    source_position: int
    request_id: str | None
    time_us: int
    account_id: str | None
    region: str | None
    operation: str | None
    identity_arn: str | None
    model_id: str | None
    model: str | None
    request_metadata: dict[str, str]
    system: str | None
    messages: str
    response: str | None
    response_blocks: str | None
    reasoning: str | None
    tools: str | None
    params: str | None
    stop_reason: str | None
    turns: int
    input_tokens: int | None
    output_tokens: int | None
    prompt_hash: str
    pair_hash: str | None

    @property
    def key(self) -> tuple[str, int]:
        """What identifies the record for ever."""
        return self.source_uri, self.source_position


def pair_hashes(system: str | None, canonical_messages: bytes, response: bytes) -> tuple[str, str]:
    """The `prompt_hash` and the `pair_hash` of texts. `response` is its JSON text, messages are in canonical form.

    BLAKE2b-128 over the canonical JSON of [system, messages] and of [system, messages, response].
    """
    prompt = blake2b(b"[" + encode_json(system) + b"," + canonical_messages, digest_size=16)
    pair = prompt.copy()
    prompt.update(b"]")
    pair.update(b"," + response + b"]")
    return prompt.hexdigest(), pair.hexdigest()
