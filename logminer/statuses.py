"""Statuses and the words of `status_detail`: what they are called and what they mean.

Every record has one status, the first that applies in this order. The tables here are what the documentation
and `--help` show.
"""

from __future__ import annotations

STATUSES: dict[str, str] = {
    "error": "the call failed (`errorCode`)",
    "body_missing": "the request or response body is absent and cannot be fetched",
    "not_text_generation": "embeddings, ranking, image or video generation",
    "unrecognized": "the bodies have no shape that logminer knows",
    "blocked": "a guardrail, content filter or refusal took the place of the answer",
    "masked": "a guardrail anonymized parts of the prompt or the answer",
    "incomplete": "no stop reason, a stream without an end, malformed output or an error stop",
    "tool_call": "the answer calls a tool",
    "empty_response": "no answer text; reasoning alone is empty too",
    "media": "an image, document, video or audio in the prompt",
    "tool_turns": "tool calls or results among the prompt's turns",
    "bad_turns": "the prompt does not start with a user turn, has a blank turn, or keeps template tokens",
    "truncated": "everything else is fine, but the answer hit its length limit",
    "pair": "a usable prompt-response pair",
    "forgotten": "removed at somebody's request; only the tombstone is left",
}

PROMPT_STATUSES: dict[str, str] = {
    "ok": "the prompt is usable, whatever became of the answer",
    "missing": "the request body is absent or has no known shape",
    "not_text": "not a request for text",
    "empty": "no text at all",
    "media": "an image, document, video or audio",
    "tools": "tool calls or results among the turns",
    "bad_turns": "does not start with a user turn, has a blank turn, or keeps template tokens",
}

# Words with a colon at the end are followed by a value: `stop:some_new_reason`.
STATUS_DETAILS: dict[str, str] = {
    "offloaded": "the body lies in an object of its own, which is not there",
    "outside_source": "the body's path leads outside of the places that may be read",
    "unreadable_body": "the object with the body is no JSON, or damaged",
    "too_large": "the object with the body is larger than logminer reads",
    "forbidden": "no permission to read the object with the body",
    "archived": "the object with the body is in an archive storage class",
    "modality_off": "the log has neither the body nor a path to it: logging is off for its modality",
    "prompt_resource": "the prompt lies in Prompt management; the log has only its variables",
    "request": "it is the request body",
    "response": "it is the response body",
    "unknown_block": "a content block of a kind that logminer does not know",
    "guardrail": "a guardrail intervened",
    "anonymized": "a guardrail anonymized text",
    "refusal": "the model or its filter refused",
    "server_tool": "the service ran a tool by itself",
    "text_document": "what was sent along is text: a document or search results",
    "no_stop_reason": "the answer has no stop reason",
    "no_stream_end": "the stream breaks off",
    "starts_with_assistant": "the first turn is not the user's",
    "blank_turn": "a turn has no text",
    "unknown_role": "a turn has a role that logminer does not know",
    "template_tokens": "special tokens of a prompt template stand in the text",
    "tools_offered": "tools were offered, and the model answered with text",
    "prefill": "the request began the answer; the response is that beginning and what followed",
    "reasoning": "the model reasoned before it answered",
    "stop_sequence": "a stop sequence ended the answer, so it may be cut",
    "several_generations": "the first of several answers was taken",
    "replaced_text": "characters that are no Unicode text were replaced by U+FFFD",
    "timestamp_from_name": "the record has no usable timestamp; the log object's name gave it",
    "timestamp_from_folder": "the record has no usable timestamp; the hour folder gave it",
    "text_not_kept": "the ingest was told to keep no text of this record (`--text-for`, `--text-teacher`)",
    "bad_count": "a token count or latency is no count",
    "stop:": "a stop reason that logminer does not know",
    "wrong_type:": "a field has a type that it should not have, and counts as absent",
}
