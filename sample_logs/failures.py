"""Calls that failed or were blocked: error, body_missing, not_text_generation, unrecognized, blocked, masked,
incomplete; each status twice or more, in the families that have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bodies import JsonObject
from layout import ACCOUNT, Call
from planting import CANNED, GUARDRAIL, NOVA_PRO, Planter, tags
from prose import compose


class Failures(Planter):
    """Calls without a usable answer."""

    def calls(self) -> Iterator[Call]:
        """All of them, status by status."""
        yield from self.errors()
        yield from self.missing()
        yield from self.not_text()
        yield from self.unrecognized()
        yield from self.blocked()
        yield from self.masked()
        yield from self.incomplete()

    def errors(self) -> Iterator[Call]:
        """Failed calls: without output, with an error body, and with half a stream."""
        for code in ("ThrottlingException", "ModelTimeoutException", "ServiceUnavailableException"):
            for shape in ("converse", "converse_stream", "anthropic", "nova"):
                call = self.make("error_without_output", shape, status="error", error_code=code)
                yield replace(
                    call, response=None, tokens=(call.exchange.input_tokens if call.exchange else 0, None)
                )
        for shape in ("llama", "titan"):
            call = self.make("error_with_body", shape, status="error", error_code="ValidationException")
            yield replace(call, response={"message": "Malformed input request, please reformat your input."})
        for shape in ("anthropic_stream", "llama_stream"):
            call = self.make("error_in_stream", shape, status="error", error_code="InternalServerException")
            yield replace(call, response=call.response[:4])

    def missing(self) -> Iterator[Call]:
        """Bodies that are nowhere: lost objects, another bucket, a modality switched off, a stored prompt."""
        for side in ("input", "output"):
            for shape in ("converse", "anthropic_stream"):
                yield self.make(f"lost_{side}", shape, status="body_missing", lost=(side,))
        for _ in range(2):
            call = self.make("foreign_bucket", "converse", status="body_missing")
            yield self._elsewhere(call)
            call = self.make("modality_off", "nova", status="body_missing")
            yield replace(call, request=None)
            call = self.make("prompt_resource", "converse", status="body_missing", region="us-east-1")
            prompt = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:prompt/PQRST12345:2"
            yield replace(
                call, model_id=prompt, request={"promptVariables": {"product": {"text": "Tidal 40 kettle"}}}
            )

    def _elsewhere(self, call: Call) -> Call:
        path = f"s3://somebody-elses-bucket/data/{self.dice.uuid()}_input.json.gz"
        return replace(
            call, extra={"input": {"inputContentType": "application/json", "inputBodyS3Path": path}}
        )

    def not_text(self) -> Iterator[Call]:
        """Embeddings, images and rerank calls."""
        text = compose(self.dice, "CustomerService").question
        vector = [round(self.dice.between(-900, 900) / 1000, 3) for _ in range(12)]
        picture = {"images": ["iVBORw0KGgoAAAANSUhEUg=="]}
        paint = {"text": "A calm product photo of a kettle on an oak table"}
        ranked = {"results": [{"index": 1, "relevance_score": 0.91}, {"index": 0, "relevance_score": 0.12}]}
        documents = ["Refunds take five days.", "Parcels leave Leeds at noon."]
        for number in range(2):
            yield self._plain(
                "embedding",
                "amazon.titan-embed-text-v2:0",
                {"inputText": text, "dimensions": 256},
                {"embedding": vector, "inputTextTokenCount": 61},
            )
            yield self._plain(
                "embedding",
                "cohere.embed-english-v3",
                {"texts": [text], "input_type": "search_query"},
                {"id": f"e{number}", "embeddings": [vector], "response_type": "embeddings_floats"},
            )
        yield self._plain(
            "image_generation",
            "amazon.titan-image-generator-v2:0",
            {"taskType": "TEXT_IMAGE", "textToImageParams": paint},
            picture | {"error": None},
        )
        yield self._plain(
            "image_generation",
            "amazon.nova-canvas-v1:0",
            {"taskType": "TEXT_IMAGE", "textToImageParams": paint},
            picture,
        )
        yield self._plain(
            "image_generation",
            "stability.sd3-5-large-v1:0",
            {"prompt": paint["text"]},
            picture | {"seeds": [7], "finish_reasons": [None]},
        )
        yield self._plain(
            "rerank",
            "cohere.rerank-v3-5:0",
            {"query": text, "documents": documents, "api_version": 2},
            ranked,
        )
        yield self._plain("rerank", "amazon.rerank-v1:0", {"query": text, "documents": documents}, ranked)

    def _plain(
        self, kind: str, model: str, request: Any, response: Any, status: str = "not_text_generation"
    ) -> Call:
        count = len(str(request)) // 4
        return Call(
            kind,
            status,
            "InvokeModel",
            model,
            request,
            response,
            tags(self.dice, "Search"),
            era="2026",
            tokens=(count, None),
        )

    def unrecognized(self) -> Iterator[Call]:
        """Bodies of no known shape."""
        endpoint = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/churn-scorer"
        for score in (0.31, 0.84):
            yield self._plain(
                "unknown_shape",
                endpoint,
                {"instances": [{"tenure": 14, "plan": "Plus"}]},
                {"predictions": [{"score": score}]},
                status="unrecognized",
            )
        call = self.make("unknown_response", "converse", status="unrecognized")
        yield replace(call, response={"result": {"value": "see attachment"}})
        call = self.make("body_is_plain_text", "llama", status="unrecognized")
        yield replace(call, request="tell me about refunds", response="Refunds take five days.")

    def blocked(self) -> Iterator[Call]:
        """Guardrails, content filters and refusals, by every signal there is."""
        for shape in ("converse", "converse_stream"):
            call = self.make(
                "guardrail_intervened", shape, status="blocked", answer=CANNED, stop="guardrail_intervened"
            )
            yield replace(call, response=call.response | {"trace": _topic_trace()})
            yield replace(call, kind="guardrail_blocked_prompt", tokens=(0, 0))
        for shape in ("anthropic", "llama", "nova"):
            call = self.make("guardrail_action_intervened", shape, status="blocked", answer=CANNED)
            action = {"amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": _topic_trace()}
            yield replace(call, response=call.response | action)
        call = self.make("guardrail_action_in_stream", "anthropic_stream", status="blocked", answer=CANNED)
        call.response[-1]["amazon-bedrock-guardrailAction"] = "INTERVENED"
        yield call
        for _ in range(2):
            yield self.make(
                "refusal", "anthropic", status="blocked", stop="refusal", answer="I can't help with that."
            )
            yield self.make(
                "content_filtered", "converse", status="blocked", stop="content_filtered", model=NOVA_PRO
            )
        yield self.make("content_filtered", "titan", status="blocked", stop="CONTENT_FILTERED", answer="")
        yield self.make("content_filtered", "openai_chat", status="blocked", stop="content_filter")
        yield self.make("content_filtered", "cohere_command_r", status="blocked", stop="ERROR_TOXIC")

    def masked(self) -> Iterator[Call]:
        """Guardrails that anonymized parts of the prompt or the answer and let the rest pass."""
        answer = "Thank you, {NAME}. The refund for order HP-20418-33 goes to your card; we call {PHONE}."
        for shape in ("converse", "converse_stream"):
            call = self.make("answer_anonymized", shape, status="masked", answer=answer)
            yield replace(call, response=call.response | {"trace": _mask_trace("outputAssessments")})
            call = self.make("prompt_anonymized", shape, status="masked")
            yield replace(call, response=call.response | {"trace": _mask_trace("inputAssessment")})
        for _ in range(2):
            call = self.make("answer_anonymized_invoke", "anthropic", status="masked", answer=answer)
            assessed = _mask_trace("outputAssessments")["guardrail"]["outputAssessments"][GUARDRAIL][0]
            trace = {"guardrail": {"outputs": [{GUARDRAIL: assessed}]}}
            action = {"amazon-bedrock-guardrailAction": "NONE", "amazon-bedrock-trace": trace}
            yield replace(call, response=call.response | action)

    def incomplete(self) -> Iterator[Call]:
        """Streams without an end, malformed output, error stops, no stop reason."""
        for shape in ("anthropic_stream", "llama_stream", "nova_stream", "openai_chat_stream"):
            call = self.make("stream_without_end", shape, status="incomplete", project="CustomerService")
            yield replace(call, response=call.response[:5])
        yield self.make("malformed_output", "converse", status="incomplete", stop="malformed_model_output")
        yield self.make("malformed_output", "converse_stream", status="incomplete", stop="malformed_tool_use")
        yield self.make("error_stop", "mistral_chat", status="incomplete", stop="error")
        yield self.make("error_stop", "cohere_command", status="incomplete", stop="ERROR")
        for shape in ("converse", "converse_stream"):
            call = self.make("no_stop_reason", shape, status="incomplete")
            yield replace(
                call, response={key: value for key, value in call.response.items() if key != "stopReason"}
            )


def _topic_trace() -> JsonObject:
    denied = {"name": "Legal advice", "type": "DENY", "action": "BLOCKED"}
    assessed = {"topicPolicy": {"topics": [denied]}, "invocationMetrics": {"guardrailProcessingLatency": 214}}
    return {"guardrail": {"inputAssessment": {GUARDRAIL: assessed}}}


def _mask_trace(side: str) -> Any:
    entities = [{"match": "Amara Okafor", "type": "NAME", "action": "ANONYMIZED"}]
    assessed = {"sensitiveInformationPolicy": {"piiEntities": entities, "regexes": []}}
    held = {GUARDRAIL: [assessed]} if side == "outputAssessments" else {GUARDRAIL: assessed}
    return {"guardrail": {side: held}}
