"""Calls that are usable pairs, each with something that a reader must handle to see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from layout import REMOVED, Call, dumps
from planting import GUARDRAIL, HAIKU, ORDER_TOOL, TEACHER, Planter, call_of, tags
from prose import compose


class OddPairs(Planter):
    """Usable pairs that need care to read."""

    def calls(self) -> Iterator[Call]:
        """All of them."""
        for group in (self.details, self.reasoning, self.blocks, self.framing, self.fields):
            yield from group()

    def details(self) -> Iterator[Call]:
        """Tools offered and not used, prefills, stop sequences, unknown stop reasons."""
        for shape in ("converse", "converse_stream", "nova"):
            call = self.make("tools_offered", shape)
            yield replace(call, request=call.request | {"toolConfig": {"tools": [{"toolSpec": ORDER_TOOL}]}})
        for shape in ("anthropic", "converse", "llama", "anthropic_legacy"):
            yield self._prefilled(shape)
        for _ in range(2):
            yield self.make("stop_sequence", "anthropic", stop="stop_sequence")
            yield self.make("stop_sequence", "converse", stop="stop_sequence", model=HAIKU)
            yield self.make("unknown_stop", "converse", stop="budget_reached")
        yield self.make("unknown_stop", "openai_chat", stop="eos_guess")

    def _prefilled(self, shape: str) -> Call:
        asked = compose(self.dice, "CustomerService")
        opening, _, rest = asked.answer.partition(". ")
        # The completions of old Claude models bring their own leading blank.
        rest = rest if shape == "anthropic_legacy" else f" {rest}"
        prefill = replace(asked, turns=(*asked.turns, ("assistant", f"{opening}.")), answer=rest)
        return call_of("prefill", shape, prefill, metadata=tags(self.dice, "CustomerService"), era="2026")

    def reasoning(self) -> Iterator[Call]:
        """Reasoning beside the answer, as blocks, as a field, and inline."""
        thought = {"text": "Check the order first, then the policy.", "signature": "c2lnbmF0dXJl"}
        call = self.make("reasoning_blocks", "converse", model=HAIKU)
        block = {"reasoningContent": {"reasoningText": thought}}
        call.response["output"]["message"]["content"].insert(0, block)
        yield call
        call = self.make("reasoning_blocks", "anthropic", model=HAIKU)
        call.response["content"].insert(
            0, {"type": "thinking", "thinking": thought["text"], "signature": "c2ln"}
        )
        yield call
        call = self.make("reasoning_field", "openai_chat", model="qwen.qwen3-32b-v1:0")
        call.response["choices"][0]["message"]["reasoning_content"] = thought["text"]
        yield call
        for model in ("openai.gpt-oss-120b-1:0", "moonshot.kimi-k2-thinking"):
            call = self.make("reasoning_inline", "openai_chat", model=model)
            answer = call.response["choices"][0]["message"]
            answer["content"] = f"<reasoning>{thought['text']}</reasoning>{answer['content']}"
            yield call

    def blocks(self) -> Iterator[Call]:
        """Several text blocks, guard content, cache points, citations, a system turn among the messages."""
        guarded = {
            "guardContent": {"text": {"text": "My order is HP-20418-33.", "qualifiers": ["guard_content"]}}
        }
        for extra, kind in ((guarded, "guard_content"), ({"cachePoint": {"type": "default"}}, "cache_point")):
            call = self.make(kind, "converse", model=HAIKU)
            call.request["messages"][0]["content"].append(extra)
            yield call
        call = self.make("several_text_blocks", "converse")
        call.request["messages"][0]["content"].append({"text": "Please answer in English."})
        call.response["output"]["message"]["content"].append({"text": " Kind regards, Harbor & Pine"})
        yield call
        call = self.make("citations", "converse", model=HAIKU)
        cited = {
            "content": [{"text": "Returns are free for sixty days."}],
            "citations": [{"title": "Returns"}],
        }
        call.response["output"]["message"]["content"] = [{"citationsContent": cited}]
        yield call
        call = self.make("system_turn", "converse", system=False)
        turn = {"role": "system", "content": [{"text": "Answer in two sentences."}]}
        call.request["messages"].insert(0, turn)
        yield call
        call = self.make("guardrail_passed", "converse")
        passed = {
            "guardrail": {
                "inputAssessment": {GUARDRAIL: {"invocationMetrics": {"guardrailProcessingLatency": 9}}}
            }
        }
        yield replace(call, response=call.response | {"trace": passed})
        call = self.make("guardrail_passed", "anthropic")
        yield replace(call, response=call.response | {"amazon-bedrock-guardrailAction": "NONE"})

    def framing(self) -> Iterator[Call]:
        """Bodies out of line, bodies as JSON strings, a bare string in a stream, a surplus generation."""
        for shape, sides in (
            ("converse", ("input", "output")),
            ("anthropic_stream", ("output",)),
            ("nova_stream", ("input", "output")),
            ("anthropic", ("input",)),
            ("openai_chat_stream", ("output",)),
        ):
            yield self.make("offloaded_body", shape, offloaded=sides, turns=2)
        for shape in ("llama", "anthropic"):
            call = self.make("body_as_string", shape)
            yield replace(call, request=dumps(call.request), response=dumps(call.response))
        call = self.make("done_marker", "openai_chat_stream")
        yield replace(call, response=[*call.response, "[DONE]"])
        call = self.make("two_generations", "openai_chat")
        second = {
            "index": 1,
            "message": {"role": "assistant", "content": "Another wording."},
            "finish_reason": "stop",
        }
        call.response["choices"].append(second)
        yield call
        call = self.make("legacy_body_on_llama", "anthropic_legacy", model=TEACHER)
        yield replace(call, metadata={"project": "Docs"}, region="us-west-2")

    def fields(self) -> Iterator[Call]:
        """Odd envelopes: absent, null, wrong type, finer time, cached tokens, unknown fields."""
        for kind, extra in (
            ("null_error_code", {"errorCode": None}),
            ("no_identity", {"identity": REMOVED}),
            ("no_timestamp", {"timestamp": REMOVED}),
            ("wrong_type", {"identity": 42, "performanceConfig": "optimized"}),
            ("unknown_field", {"serviceTier": {"type": "priority"}}),
        ):
            yield self.make(kind, "converse", extra=extra)
        call = self.make("cached_tokens", "converse", model=HAIKU)
        side = {"inputContentType": "application/json", "inputBodyJson": call.request, "inputTokenCount": 12}
        cached = {"cacheReadInputTokenCount": 2048, "cacheWriteInputTokenCount": 0}
        yield replace(call, extra={"input": side | cached})
        call = self.make("wrong_type_token_count", "nova")
        side = {
            "inputContentType": "application/json",
            "inputBodyJson": call.request,
            "inputTokenCount": "many",
        }
        yield replace(call, extra={"input": side})
        yield self.make("fractional_seconds", "converse", extra={"timestamp": "2026-06-03T08:20:14.250Z"})
        foreign = "Guten Tag, mein Paket HP-20418-33 fehlt noch. 荷物はどこですか？ 🙂"
        asked = replace(compose(self.dice, "CustomerService"), turns=(("user", foreign),))
        yield call_of("many_scripts", "converse", asked, metadata=tags(self.dice, "CustomerService"))
