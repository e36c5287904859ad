"""Log records into conversations: the bodies of all families, in one normal form, each with one status."""

from __future__ import annotations

import functools

from logminer.conversations.normal import Conversation, conversation_of
from logminer.conversations.service_fields import ServiceFields
from logminer.conversations.shapes import body_shapes, merge_body_types
from logminer.records import RecordDecoder

__all__ = ["Conversation", "body_shapes", "conversation_of", "record_decoder"]


@functools.cache
def record_decoder() -> RecordDecoder:
    """The decoder of log records whose bodies are of any known family."""
    return RecordDecoder(merge_body_types(body_shapes(), every_response=ServiceFields))
