"""Drops pairs in which control tokens of a prompt template stand in a text.

A model that is trained on `<|eot_id|>` as text learns to write it. The tokens are those of all templates that
logminer unpacks, and whatever else has the form `<|word|>`; then the labels of Claude's old template after a blank
line, by which a model goes on with a turn that is not its own; and `<s>` and `</s>`, where they stand alone at an
end of a text, since otherwise they are HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.conversations.templates import find_special_token
from logminer.curation.options import RuleOptions
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.texts import texts_of
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.pairs import PromptResponsePair

_OTHER_TOKEN = re.compile(r"<\|[a-z0-9_]{1,40}\|>")
_TURN_LABELS = ("\n\nHuman:", "\n\nAssistant:")


def find_token(text: str) -> Fault | None:
    """The fault of a text with a token in it. The evidence names the token."""
    token = find_special_token(text)
    if token is not None:
        return Fault("template_token", token)
    if "<|" in text and _OTHER_TOKEN.search(text) is not None:
        return Fault("template_token", "a token of the form <|word|>")
    for label in _TURN_LABELS:
        if label in text:
            return Fault("turn_label", f"{label.strip()} after a blank line")
    return _find_sentence_token(text)


def _find_sentence_token(text: str) -> Fault | None:
    """Tokens for the begin and end of a text, as Llama 2 and Mistral write them; a pair of them is HTML."""
    if text.lstrip().startswith("<s>") and "</s>" not in text:
        return Fault("template_token", "<s> at the start")
    if text.rstrip().endswith("</s>") and "<s>" not in text:
        return Fault("template_token", "</s> at the end")
    return None


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    reasoning = RuleOptions("template_tokens", options).switch("reasoning")

    def judge(pair: PromptResponsePair) -> Fault | None:
        for place, text in texts_of(pair, reasoning=reasoning):
            fault = find_token(text)
            if fault is not None:
                return Fault(fault.reason, f"{fault.evidence} in {place}")
        return None

    return pair_by_pair(judge)


RULE = Rule(
    name="template_tokens",
    about="drops pairs with control tokens of a prompt template in a text, such as <|eot_id|> or [INST]",
    reasons={
        "template_token": "a control token of a prompt template stands in a text",
        "turn_label": "a turn of Claude's old template, Human: or Assistant:, begins in a text",
    },
    order=30,
    make=_make,
    options={"reasoning": False},
)
