"""Calls that worked but make no pair: tool_call, empty_response, media, tool_turns, bad_turns, truncated."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from bodies import JsonObject
from layout import MEDIA_URI, Call
from planting import HAIKU, ORDER_TOOL, Planter
from shapes import SHAPES


class Misfits(Planter):
    """Calls whose answer or prompt does not fit a data set of text."""

    def calls(self) -> Iterator[Call]:
        """All of them, status by status."""
        yield from self.tool_calls()
        yield from self.empty()
        yield from self.media()
        yield from self.tool_turns()
        yield from self.bad_turns()
        yield from self.truncated()

    def tool_calls(self) -> Iterator[Call]:
        """Answers that call a tool, in the words of each family; and one that the service itself ran."""
        for shape, lead in (
            ("converse", "Let me look that up."),
            ("converse_stream", "One moment."),
            ("nova", ""),
        ):
            call = self.make("tool_use", shape, status="tool_call", stop="tool_use", answer=lead)
            use = {
                "toolUse": {
                    "toolUseId": "tooluse_a1",
                    "name": "order_status",
                    "input": {"order": "HP-20418-33"},
                }
            }
            call.response["output"]["message"]["content"].append(use)
            yield replace(call, request=call.request | {"toolConfig": {"tools": [{"toolSpec": ORDER_TOOL}]}})
        yield self._anthropic_tool("tool_use", [_tool_use("tool_use", "toolu_01")], "tool_use")
        yield self._anthropic_tool("server_tool", _searched(), "end_turn")
        yield self._anthropic_tool_stream()
        for shape in ("openai_chat", "mistral_chat"):
            call = self.make("tool_use", shape, status="tool_call", stop="tool_calls")
            function = {"name": "order_status", "arguments": '{"order":"HP-20418-33"}'}
            asked = {
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            }
            call.response["choices"][0]["message"].update(asked)
            yield call
        call = self.make("tool_use", "cohere_command_r", status="tool_call", stop="TOOL_CALL")
        wanted = [{"name": "order_status", "parameters": {"order": "HP-20418-33"}}]
        yield replace(call, response=call.response | {"tool_calls": wanted})

    def _anthropic_tool(self, kind: str, blocks: list[JsonObject], stop: str) -> Call:
        call = self.make(kind, "anthropic", status="tool_call", stop=stop, model=HAIKU)
        schema = {"type": "object", "properties": {"order": {"type": "string"}}}
        offered = [{"name": "order_status", "input_schema": schema}]
        text = call.response["content"]
        content = [*text, *blocks] if stop == "tool_use" else [*blocks, *text]
        return replace(
            call, request=call.request | {"tools": offered}, response=call.response | {"content": content}
        )

    def _anthropic_tool_stream(self) -> Call:
        call = self.make(
            "tool_use_stream", "anthropic_stream", status="tool_call", stop="tool_use", model=HAIKU
        )
        start = {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "toolu_02", "name": "order_status", "input": {}},
        }
        deltas = [
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": part},
            }
            for part in ("", '{"order": "HP-', '20418-33"}')
        ]
        stop = {"type": "content_block_stop", "index": 1}
        return replace(call, response=[*call.response[:-2], start, *deltas, stop, *call.response[-2:]])

    def empty(self) -> Iterator[Call]:
        """Answers without text; reasoning alone is no answer."""
        for shape in ("converse", "converse_stream", "llama", "anthropic_stream"):
            yield self.make("blank_answer", shape, status="empty_response", answer="")
        call = self.make("no_blocks", "converse", status="empty_response")
        call.response["output"]["message"]["content"] = []
        yield call
        call = self.make("reasoning_only", "converse", status="empty_response", model=HAIKU)
        call.response["output"]["message"]["content"] = [
            _reasoning("The customer asks for two things at once.")
        ]
        yield call
        call = self.make("reasoning_only", "openai_chat", status="empty_response", stop="length")
        call.response["choices"][0]["message"].update(
            content=None, reasoning_content="Let me think about the order"
        )
        yield call

    def media(self) -> Iterator[Call]:
        """Prompts with images, documents, video and search results."""
        for shape in ("converse", "converse_stream"):
            image = {"image": {"format": "png", "source": {"s3Uri": f"{MEDIA_URI}_00.png"}}}
            yield self._with_block("image", shape, image, ("png", _png()))
        pdf = {"document": {"format": "pdf", "name": "invoice", "source": {"s3Uri": f"{MEDIA_URI}_00.pdf"}}}
        yield self._with_block("document", "converse", pdf, ("pdf", b"%PDF-1.4\n%%EOF\n"))
        note = {
            "document": {
                "format": "txt",
                "name": "notes",
                "source": {"text": "Call on Monday about the parcel."},
            }
        }
        yield self._with_block("text_document", "converse", note)
        found = {
            "source": "https://example.com/returns",
            "title": "Returns",
            "content": [{"text": "Sixty days."}],
        }
        yield self._with_block("search_result", "converse", {"searchResult": found})
        video = {"video": {"format": "mp4", "source": {"s3Location": {"uri": f"{MEDIA_URI}_00.mp4"}}}}
        yield self._with_block("video", "nova", video, ("mp4", b"\x00\x00\x00\x18ftypmp42"))
        call = self.make("image", "anthropic", status="media", model=HAIKU)
        source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAANSUhEUg=="}
        text = {"type": "text", "text": call.exchange.question if call.exchange else ""}
        call.request["messages"][-1]["content"] = [{"type": "image", "source": source}, text]
        yield call
        call = self.make("image", "llama", status="media", model="us.meta.llama3-2-90b-instruct-v1:0")
        yield replace(call, request=call.request | {"images": ["iVBORw0KGgoAAAANSUhEUg=="]})

    def _with_block(
        self, kind: str, shape: str, block: JsonObject, medium: tuple[str, bytes] | None = None
    ) -> Call:
        call = self.make(kind, shape, status="media", media=(medium,) if medium else ())
        call.request["messages"][-1]["content"].insert(0, block)
        return call

    def tool_turns(self) -> Iterator[Call]:
        """Text answers to prompts that hold tool calls and their results."""
        use = {
            "toolUse": {"toolUseId": "tooluse_b2", "name": "order_status", "input": {"order": "HP-20418-33"}}
        }
        result = {"toolResult": {"toolUseId": "tooluse_b2", "content": [{"json": {"state": "shipped"}}]}}
        for shape in ("converse", "converse_stream", "nova"):
            call = self.make("tool_result", shape, status="tool_turns")
            turns = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
            call.request["messages"].extend(turns)
            yield replace(call, request=call.request | {"toolConfig": {"tools": [{"toolSpec": ORDER_TOOL}]}})
        call = self.make("tool_result", "anthropic", status="tool_turns", model=HAIKU)
        answered = [{"type": "tool_result", "tool_use_id": "toolu_03", "content": "shipped"}]
        call.request["messages"].append({"role": "assistant", "content": [_tool_use("tool_use", "toolu_03")]})
        call.request["messages"].append({"role": "user", "content": answered})
        yield call
        call = self.make("tool_result", "openai_chat", status="tool_turns")
        function = {"name": "order_status", "arguments": "{}"}
        asked = [{"id": "call_2", "type": "function", "function": function}]
        call.request["messages"].append({"role": "assistant", "content": None, "tool_calls": asked})
        call.request["messages"].append({"role": "tool", "tool_call_id": "call_2", "content": "shipped"})
        yield call
        call = self.make("tool_result", "cohere_command_r", status="tool_turns")
        results = [{"call": {"name": "order_status", "parameters": {}}, "outputs": [{"state": "shipped"}]}]
        yield replace(call, request=call.request | {"tool_results": results})

    def bad_turns(self) -> Iterator[Call]:
        """Prompts that start with the assistant, hold a blank turn, or keep template tokens."""
        for shape, text in (
            ("converse", [{"text": "How can I help you today?"}]),
            ("anthropic", "How can I help?"),
        ):
            call = self.make("starts_with_assistant", shape, status="bad_turns")
            call.request["messages"].insert(0, {"role": "assistant", "content": text})
            yield call
            call = self.make("blank_turn", shape, status="bad_turns", turns=2)
            call.request["messages"][0]["content"] = [{"text": "  "}] if shape == "converse" else "  "
            yield call
        call = self.make("template_tokens", "llama", status="bad_turns")
        yield replace(
            call,
            request=call.request | {"prompt": call.request["prompt"].rpartition("<|start_header_id|>")[0]},
        )
        call = self.make("template_tokens", "mistral_text", status="bad_turns")
        yield replace(call, request=call.request | {"prompt": call.request["prompt"].replace(" [/INST]", "")})
        call = self.make("template_tokens", "imported_chatml", status="bad_turns", region="us-east-1")
        yield replace(
            call,
            request=call.request | {"prompt": call.request["prompt"].removesuffix("<|im_start|>assistant\n")},
        )
        call = self.make("template_tokens", "converse", status="bad_turns")
        call.request["messages"][0]["content"][0]["text"] += (
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>"
        )
        yield call

    def truncated(self) -> Iterator[Call]:
        """Answers cut at their length limit."""
        for shape in (
            "converse",
            "converse",
            "converse_stream",
            "anthropic",
            "anthropic_stream",
            "nova",
            "llama",
            "llama_stream",
            "titan",
            "mistral_text",
            "cohere_command",
            "ai21_j2",
            "ai21_jamba",
            "openai_chat",
            "deepseek_r1",
        ):
            stop = SHAPES[shape].truncated
            yield self.make("length_limit", shape, status="truncated", stop=stop, cut=True)
        yield self.make(
            "context_window", "converse", status="truncated", stop="model_context_window_exceeded"
        )


def _tool_use(kind: str, use_id: str) -> JsonObject:
    return {"type": kind, "id": use_id, "name": "order_status", "input": {"order": "HP-20418-33"}}


def _searched() -> list[JsonObject]:
    use = {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {"query": "return policy"},
    }
    hit = {"type": "web_search_result", "url": "https://example.com/returns", "title": "Returns"}
    return [use, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [hit]}]


def _reasoning(text: str) -> JsonObject:
    return {"reasoningContent": {"reasoningText": {"text": text, "signature": "c2lnbmF0dXJl"}}}


def _png() -> bytes:
    """A picture of one grey pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    # A stored deflate block, so that no zlib build changes the bytes.
    pixel = bytes((0x78, 0x01, 0x01, 2, 0, 0xFD, 0xFF, 0, 0x80)) + struct.pack(
        ">I", zlib.adler32(b"\x00\x80")
    )
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
