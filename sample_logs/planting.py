"""How single calls are made: prose, metadata, a shape.

The intended status of a call is the first that applies in the order error, body_missing,
not_text_generation, unrecognized, blocked, masked, incomplete, tool_call, empty_response, media, tool_turns,
bad_turns, truncated, pair. No planted call has a fault that an earlier status would claim.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bodies import JsonObject
from layout import Call
from prose import PROJECTS, Dice, Exchange, compose
from shapes import SHAPES

TEACHER = "meta.llama3-1-405b-instruct-v1:0"
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA_PRO = "amazon.nova-pro-v1:0"
GUARDRAIL = "gr4a8x2kq0pz"
CANNED = "Sorry, I cannot help with this request."
ORDER_TOOL: JsonObject = {
    "name": "order_status",
    "description": "Looks up the state of an order",
    "inputSchema": {"json": {"type": "object", "properties": {"order": {"type": "string"}}}},
}


def tags(dice: Dice, project: str) -> dict[str, str]:
    """Metadata as a team would send it. High priority is left to the teacher's own traffic."""
    found = {"project": project, "priority": dice.pick(("Low", "Medium", "Normal"))}
    if dice.chance(50):
        found["team"] = dice.pick(("web", "mobile", "back-office"))
    if dice.chance(40):
        found["env"] = dice.pick(("prod", "staging"))
    if dice.chance(25):
        found["cost center"] = f"CC-{dice.digits(4)}"
    return found


def call_of(kind: str, shape_name: str, asked: Exchange, **more: Any) -> Call:
    """A call of a shape. `stop` overrides its stop reason, `model` its first model; the rest is Call's."""
    shape = SHAPES[shape_name]
    stop = more.pop("stop", shape.complete)
    model = more.pop("model", shape.models[0])
    status = more.pop("status", "pair")
    request, response = shape.request(asked), shape.response(asked, stop)
    if named := _CLAUDE_NAME.search(model):
        _name_model(response, named[0])
    return Call(kind, status, shape.operation, model, request, response, exchange=asked, **more)


_CLAUDE_NAME = re.compile(r"claude-.*?(?=-v\d|$)")


def _name_model(response: Any, name: str) -> None:
    """Anthropic's own answers name the model, without Bedrock's version."""
    first = response[0].get("message", {}) if isinstance(response, list) else response
    if "model" in first:
        first["model"] = name


class Planter:
    """Makes the planted calls from one stream of random choices."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice

    def make(self, kind: str, shape: str, **more: Any) -> Call:
        """A tagged call with fresh prose; `turns` counts its user turns, `answer` replaces the answer,
        `cut` ends it in the middle.
        """
        project = more.pop("project", None) or self.dice.pick(PROJECTS)
        asked = compose(self.dice, project, user_turns=more.pop("turns", 1), system=more.pop("system", True))
        if "answer" in more:
            asked = replace(asked, answer=more.pop("answer"))
        if more.pop("cut", False):
            asked = replace(asked, answer=asked.answer[: len(asked.answer) * 2 // 3])
        era = more.pop("era", "2026")
        return call_of(kind, shape, asked, metadata=tags(self.dice, project), era=era, **more)
