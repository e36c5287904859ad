"""What Bedrock itself adds to a model's answer, whatever family the model is of.

InvokeModel answers carry `amazon-bedrock-*` keys on the body, or on any chunk of a stream; Converse answers
carry `trace`. A guardrail that blocks an InvokeModel answer leaves the model's own stop reason at `end_turn`,
so these keys are the only sign.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-independent-api.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from logminer.json_text import json_value


class InvocationMetrics(msgspec.Struct, gc=False, rename="camel"):
    """The `amazon-bedrock-invocationMetrics` object on the last chunk of a stream. Latency in ms."""

    input_token_count: int | None = None
    output_token_count: int | None = None
    invocation_latency: int | None = None


class ServiceFields(msgspec.Struct, gc=False):
    """Keys that any response body or stream chunk can have."""

    guardrail_action: str | None = msgspec.field(default=None, name="amazon-bedrock-guardrailAction")
    guardrail_trace: msgspec.Raw | None = msgspec.field(default=None, name="amazon-bedrock-trace")
    invocation_metrics: InvocationMetrics | None = msgspec.field(
        default=None, name="amazon-bedrock-invocationMetrics"
    )
    trace: msgspec.Raw | None = None


class ServiceSignals(msgspec.Struct, frozen=True, gc=False):
    """What those keys say: a guardrail blocked or anonymized, and the stream's own metrics."""

    intervened: bool = False
    anonymized: bool = False
    metrics: InvocationMetrics | None = None


NO_SIGNALS = ServiceSignals()


def read_service_fields(body: ServiceFields) -> ServiceSignals:
    """The signals of one response body or chunk."""
    if (
        body.guardrail_action is None
        and body.guardrail_trace is None
        and body.trace is None
        and body.invocation_metrics is None
    ):
        return NO_SIGNALS
    return ServiceSignals(
        intervened=body.guardrail_action == "INTERVENED",
        anonymized=_anonymized(body.guardrail_trace) or _anonymized(body.trace),
        metrics=body.invocation_metrics,
    )


def read_stream_service_fields(chunks: Iterable[ServiceFields]) -> ServiceSignals:
    """The signals of a stream: any chunk can carry one."""
    found = [signals for chunk in chunks if (signals := read_service_fields(chunk)) is not NO_SIGNALS]
    if not found:
        return NO_SIGNALS
    return ServiceSignals(
        intervened=any(signals.intervened for signals in found),
        anonymized=any(signals.anonymized for signals in found),
        metrics=next((s.metrics for s in reversed(found) if s.metrics is not None), None),
    )


def _anonymized(trace: msgspec.Raw | None) -> bool:
    # The word alone is no proof: a trace can quote the model's text.
    if trace is None or b"ANONYMIZED" not in bytes(trace):
        return False
    pending: list[Any] = [json_value(trace)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("action") == "ANONYMIZED":
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False
